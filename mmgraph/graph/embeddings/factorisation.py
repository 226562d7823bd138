"""Embeddings that are factors of a matrix: spectral embedding and NetMF."""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.embeddings.estimator import NodeEmbedding
from mmgraph.graph.embeddings.graph_input import adjacency_of, node_ids_of


class SpectralEmbedding(NodeEmbedding):
    """Eigenvectors of the normalised Laplacian with the smallest eigenvalues.

    L = I − D^(-1/2) W D^(-1/2),  W = (A + Aᵀ) / 2; the trivial first
    eigenvector of a connected graph is left out.

    Args:
        dimensions: how many eigenvectors.
        seed: of the start vector of the iteration.

    Shapes:
        embedding_ (nodes, dimensions) float32. Columns have unit length, and their largest entry is positive.

    Source: Tang & Liu, "Leveraging social media networks for classification", DMKD 2011.
    """

    def __init__(self, dimensions: int = 128, seed: int = 0) -> None:
        self.dimensions = dimensions
        self.seed = seed

    def fit(self, graph: Any, y: object = None) -> Self:
        """Embed the nodes of a graph.

        Raises:
            InputError: the graph is not valid, has a negative weight, or has too few nodes.
        """
        adjacency = adjacency_of(graph)
        weight = _undirected(adjacency)
        parts, _ = scipy.sparse.csgraph.connected_components(weight, directed=False)
        trivial = 1 if parts == 1 else 0
        wanted = _checked_dimensions(self.dimensions + trivial, adjacency.num_nodes)
        scale = _inverse_root(np.asarray(weight.sum(axis=1)).ravel())
        normalised = scipy.sparse.diags_array(scale) @ weight @ scipy.sparse.diags_array(scale)
        # The largest of the normalised matrix are the smallest of L. Nodes without edges have eigenvalue 1 in L.
        value, vector = scipy.sparse.linalg.eigsh(normalised, wanted, which="LA", v0=_start(self, adjacency))
        vector = vector[:, np.argsort(-value, kind="stable")][:, trivial:]
        self.embedding_ = _with_fixed_signs(vector).astype(np.float32)
        self.node_ids_ = node_ids_of(adjacency)
        return self


class NetMF(NodeEmbedding):
    """DeepWalk in closed form: the matrix it factorises, factorised exactly.

    log max(1, vol / (b T) (Σ_{r=1..T} (D⁻¹ W)^r) D⁻¹) ≈ U Σ Uᵀ,  embedding U Σ^(1/2);  W = (A + Aᵀ) / 2.

    With `rank` the sum is taken over the largest eigenvalues of D^(-1/2) W D^(-1/2) (the paper's approximation for
    large windows). The matrix is dense: 8 N² bytes.

    Args:
        dimensions: d of the vectors.
        window: T.
        negatives: b.
        rank: how many eigenpairs stand for the graph; None for all, exactly.
        seed: of the start vectors of the iterations.

    Shapes:
        embedding_ (nodes, dimensions) float32.

    Source: Qiu et al., "Network embedding as matrix factorization", WSDM 2018.
    """

    def __init__(
        self,
        dimensions: int = 128,
        window: int = 10,
        negatives: float = 1.0,
        rank: int | None = None,
        seed: int = 0,
    ) -> None:
        self.dimensions = dimensions
        self.window = window
        self.negatives = negatives
        self.rank = rank
        self.seed = seed

    def fit(self, graph: Any, y: object = None) -> Self:
        """Embed the nodes of a graph.

        Raises:
            InputError: the graph is not valid, has a negative weight or too few nodes, or a parameter is out of range.
        """
        adjacency = adjacency_of(graph)
        wanted = _checked_dimensions(self.dimensions, adjacency.num_nodes)
        if self.window < 1 or not self.negatives > 0:
            raise InputError(
                f"Expected window ≥ 1 and negatives > 0, but got {self.window} and {self.negatives}."
            )
        matrix = self._matrix(_undirected(adjacency), _start(self, adjacency))
        np.log(np.maximum(matrix, 1, out=matrix), out=matrix)
        left, value, _ = scipy.sparse.linalg.svds(matrix, wanted, v0=_start(self, adjacency))
        order = np.argsort(-value, kind="stable")
        self.embedding_ = (_with_fixed_signs(left[:, order]) * np.sqrt(value[order])).astype(np.float32)
        self.node_ids_ = node_ids_of(adjacency)
        return self

    def _matrix(self, weight: Any, start: NDArray[np.float64]) -> NDArray[np.float64]:
        degree = np.asarray(weight.sum(axis=1)).ravel()
        scale = _inverse_root(degree)
        normalised = scipy.sparse.diags_array(scale) @ weight @ scipy.sparse.diags_array(scale)
        factor = degree.sum() / (self.negatives * self.window)
        if self.rank is None:
            power = total = normalised.toarray()
            for _ in range(self.window - 1):
                power = normalised @ power
                total = total + power
        else:
            value, vector = scipy.sparse.linalg.eigsh(
                normalised, _checked_dimensions(self.rank, len(degree)), which="LA", v0=start
            )
            sums = np.sum([value**r for r in range(1, self.window + 1)], axis=0)
            total = (vector * np.maximum(sums, 0)) @ vector.T
        return cast(NDArray[np.float64], total * scale[:, None] * scale[None, :] * factor)


def _undirected(graph: Adjacency) -> Any:
    """W as a SciPy matrix of float64."""
    matrix = graph.to_scipy().astype(np.float64)
    if matrix.nnz and matrix.data.min() < 0:
        raise InputError(f"Expected weights ≥ 0, but the smallest is {matrix.data.min():g}.")
    return (matrix + matrix.T) / 2


def _inverse_root(degree: NDArray[np.float64]) -> NDArray[np.float64]:
    """D^(-1/2), 0 for nodes without edges."""
    return np.divide(1, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)


def _checked_dimensions(wanted: int, num_nodes: int) -> int:
    if not 1 <= wanted < num_nodes:
        raise InputError(
            f"Expected from 1 to {num_nodes - 1} eigenvectors of a graph with {num_nodes} nodes, but got {wanted}."
        )
    return wanted


def _start(estimator: SpectralEmbedding | NetMF, graph: Adjacency) -> NDArray[np.float64]:
    return np.random.default_rng(estimator.seed).standard_normal(graph.num_nodes)


def _with_fixed_signs(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eigenvectors are defined up to their sign; the largest entry becomes positive."""
    largest = vector[np.abs(vector).argmax(0), np.arange(vector.shape[1])]
    return vector * np.where(largest < 0, -1, 1)
