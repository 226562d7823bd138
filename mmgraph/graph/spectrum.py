"""The Laplacian of a graph, its largest eigenvalue and its eigenbasis; `Adjacency` keeps what is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mmgraph.errors import InputError

if TYPE_CHECKING:
    from mmgraph.graph.adjacency import Adjacency

# Up to this many nodes a dense solver is faster than Lanczos iteration, and needs no start vector.
_DENSE = 64


def laplacian(normalized: Adjacency, combinatorial: bool, dtype: torch.dtype) -> Adjacency:
    """I − A of a normalised adjacency without self-loops, or D − A of any."""
    value = normalized.weight(dtype)
    diagonal = value.new_ones(normalized.num_nodes)
    if combinatorial:
        diagonal = torch.zeros_like(diagonal).index_add(0, normalized.row, value)
    looped, entries = normalized.pattern.with_self_loops
    off_diagonal = torch.cat([-value, value.new_zeros(1)])[entries]
    on_diagonal = diagonal[looped.row]
    is_loop = entries == normalized.num_edges
    return normalized.with_self_loops().with_value(torch.where(is_loop, on_diagonal, off_diagonal))


def largest_eigenvalue(graph: Adjacency) -> float:
    """λmax of I − D^(-1/2) A D^(-1/2) by Lanczos iteration in float64; 2 for a graph without nodes.

    Source: Lehoucq, Sorensen and Yang, ARPACK Users' Guide, SIAM 1998.
    """
    if graph.num_nodes == 0:
        return 2.0
    if graph.num_nodes <= _DENSE:
        return float(torch.linalg.eigvalsh(_dense_laplacian(graph))[-1])
    import scipy.sparse
    import scipy.sparse.linalg

    symmetric, value = _symmetric_laplacian(graph)
    entries = (value.cpu().numpy(), symmetric.col.cpu().numpy(), symmetric.rowptr.cpu().numpy())
    matrix = scipy.sparse.csr_array(entries, shape=(graph.num_nodes, graph.num_nodes))
    # ARPACK would draw its start from the global generator.
    start = np.random.default_rng(0).standard_normal(graph.num_nodes)
    (largest,) = scipy.sparse.linalg.eigsh(matrix, k=1, which="LA", v0=start, return_eigenvectors=False)
    return float(largest)


def eigenbasis(graph: Adjacency, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Eigenvalues of I − D^(-1/2) A D^(-1/2), ascending, and eigenvectors as columns, computed in float64."""
    values, vectors = torch.linalg.eigh(_dense_laplacian(graph))
    return values.to(dtype), vectors.to(dtype)


def _dense_laplacian(graph: Adjacency) -> Tensor:
    symmetric, value = _symmetric_laplacian(graph)
    dense = value.new_zeros(graph.num_nodes, graph.num_nodes)
    # Edges that occur several times add up.
    return dense.index_put((symmetric.row, symmetric.col), value, accumulate=True)


def _symmetric_laplacian(graph: Adjacency) -> tuple[Adjacency, Tensor]:
    if not graph.is_symmetric:
        raise InputError(
            "Expected an undirected graph, whose Laplacian has real eigenvalues, but some edge lacks its reverse "
            "of the same weight: add the reverse edges."
        )
    symmetric = graph.laplacian("sym", torch.float64)
    return symmetric, symmetric.weight(torch.float64).detach()
