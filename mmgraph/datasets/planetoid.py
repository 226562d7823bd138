"""Citation graphs in the raw Planetoid format: Cora, CiteSeer, PubMed, and any set written the same way."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mmgraph.datasets.inert_pickle import read_pickle
from mmgraph.errors import ConfigError, DatasetCorruptError, DatasetMissingError

if TYPE_CHECKING:
    from torch_geometric.data import Data

VALIDATION_NODES = 500
MAX_VALUES = 1 << 28
"""Of a matrix, unpacked."""


def read_planetoid(
    folder: Path, name: str, *, features: bool = True, normalize_features: bool = False
) -> Data:
    """One citation graph with the public split of Planetoid.

    Training nodes are the first ones (as many as `y` has rows), validation nodes the 500 after them, test nodes
    those of `test.index`. Row i of `tx` belongs to node test.index[i]. Test nodes that the files leave out
    (15 in CiteSeer) get zero features, label 0 and no place in any mask. Edges are undirected: both directions
    are listed, sorted by target then source, without duplicates and self-loops.

    Args:
        folder: where `ind.<name>.x` and the seven other files lie.
        name: 'cora', 'citeseer', 'pubmed'.
        features: whether to read the features; without them `x`, `tx` and `allx` are not needed.
        normalize_features: divide each row by its sum, x_i ← x_i / Σ_j x_ij; rows of zeros stay.

    Shapes:
        x: (N, F) float32.
        edge_index: (2, E) int64.
        y: (N,) int64.
        train_mask, val_mask, test_mask: (N,) bool.

    Raises:
        ConfigError: the features are to be normalised, but not to be read.
        DatasetMissingError: a file is not in the folder.
        DatasetCorruptError: a file is damaged, or the files do not fit together.

    Source: Yang, Cohen, Salakhutdinov, "Revisiting Semi-Supervised Learning with Graph Embeddings", ICML 2016;
        preprocessing as in Kipf, Welling, "Semi-Supervised Classification with GCNs", ICLR 2017.
    """
    if normalize_features and not features:
        raise ConfigError("normalize_features=True needs features=True: there is nothing else to normalise.")
    files = _Files(folder, name)
    labels, test_labels = files.matrix("ally"), files.matrix("ty")
    train, known = len(files.matrix("y")), len(labels)
    test_nodes = files.test_index()
    files.require(len(test_nodes) == len(test_labels), "ty and test.index have different numbers of rows")
    files.require(
        labels.shape[1] == test_labels.shape[1] > 0, "ally and ty have different numbers of columns"
    )
    files.require(
        known >= train + VALIDATION_NODES, f"ally has no room for {VALIDATION_NODES} validation nodes"
    )
    files.require(test_nodes.min() == known, "test.index does not start where ally ends")

    nodes = int(test_nodes.max()) + 1
    # What is to be allocated is bounded by what the files hold; only CiteSeer has gaps, and 15 of them.
    files.require(nodes <= 2 * (known + len(test_nodes)), "test.index leaves out more nodes than it names")
    y = np.zeros(nodes, dtype=np.int64)
    y[:known] = labels.argmax(axis=1)
    y[test_nodes] = test_labels.argmax(axis=1)
    x = _features(files, nodes, train, known, test_nodes) if features else None
    if x is not None and normalize_features:
        sums = x.sum(axis=1, keepdims=True)
        x /= np.where(sums == 0, 1, sums)
    return _data(x, files.edge_index(nodes), y, train, test_nodes)


def _features(
    files: _Files, nodes: int, train: int, known: int, test_nodes: NDArray[np.int64]
) -> NDArray[np.float32]:
    features, test_features = files.matrix("allx"), files.matrix("tx")
    files.require(len(files.matrix("x")) == train, "x and y have different numbers of rows")
    files.require(len(features) == known, "allx and ally have different numbers of rows")
    files.require(len(test_features) == len(test_nodes), "tx and test.index have different numbers of rows")
    files.require(
        features.shape[1] == test_features.shape[1], "allx and tx have different numbers of columns"
    )
    x = np.zeros((nodes, features.shape[1]), dtype=np.float32)
    x[:known] = features
    x[test_nodes] = test_features
    return x


def _data(
    x: NDArray[np.float32] | None,
    edges: NDArray[np.int64],
    y: NDArray[np.int64],
    train: int,
    test: NDArray[np.int64],
) -> Data:
    import torch
    from torch_geometric.data import Data

    masks = torch.zeros(3, len(y), dtype=torch.bool)
    masks[0, :train] = True
    masks[1, train : train + VALIDATION_NODES] = True
    masks[2, torch.from_numpy(test)] = True
    rows = {"num_nodes": len(y)} if x is None else {"x": torch.from_numpy(x)}
    return Data(
        edge_index=torch.from_numpy(edges),
        y=torch.from_numpy(y),
        train_mask=masks[0].clone(),
        val_mask=masks[1].clone(),
        test_mask=masks[2].clone(),
        **rows,
    )


class _Files:
    """The eight files of one graph, each checked as it is read."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name

    def require(self, fits: bool, complaint: str) -> None:
        if not fits:
            raise DatasetCorruptError(
                f"The files {self.folder / f'ind.{self.name}.*'} do not fit together: {complaint}. Fetch them again."
            )

    def matrix(self, suffix: str) -> NDArray[Any]:
        path = self._path(suffix)
        content = read_pickle(path)
        if isinstance(content, sparse.csr_matrix):
            rows, columns = content.shape
            if rows * columns > MAX_VALUES:
                raise DatasetCorruptError(
                    f"{path} holds a {rows:,} × {columns:,} matrix; too large to be read."
                )
            content = content.toarray()
        if not isinstance(content, np.ndarray) or content.ndim != 2 or not np.isfinite(content).all():
            raise DatasetCorruptError(f"{path} must hold a matrix of finite numbers. Fetch it again.")
        return content

    def test_index(self) -> NDArray[np.int64]:
        path = self._path("test.index")
        try:
            nodes = np.array([int(line) for line in path.read_text(encoding="ascii").split()], dtype=np.int64)
        except OSError as error:
            raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
        except (ValueError, OverflowError) as error:
            raise DatasetCorruptError(f"{path} must hold one node number per line: {error}.") from error
        if not len(nodes) or nodes.min() < 0 or len(np.unique(nodes)) != len(nodes):
            raise DatasetCorruptError(
                f"{path} must hold distinct node numbers, one per line. Fetch it again."
            )
        return nodes

    def edge_index(self, nodes: int) -> NDArray[np.int64]:
        path = self._path("graph")
        graph = read_pickle(path)
        if (
            not isinstance(graph, dict)
            or not all(type(neighbours) is list for neighbours in graph.values())
            or not all(type(node) is int and 0 <= node < nodes for node in chain(graph, *graph.values()))
        ):
            raise DatasetCorruptError(
                f"{path} must map nodes to lists of nodes, all of them whole numbers from 0 to {nodes - 1}. "
                f"Fetch it again."
            )
        degrees = np.fromiter(map(len, graph.values()), dtype=np.int64, count=len(graph))
        source = np.repeat(np.fromiter(graph, dtype=np.int64, count=len(graph)), degrees)
        target = np.fromiter(chain.from_iterable(graph.values()), dtype=np.int64, count=len(source))
        source, target = np.concatenate([source, target]), np.concatenate([target, source])
        order = np.unique((target * nodes + source)[source != target])
        return np.stack([order % nodes, order // nodes])

    def _path(self, suffix: str) -> Path:
        path = self.folder / f"ind.{self.name}.{suffix}"
        if not path.is_file():
            raise DatasetMissingError(
                f"{path} is missing; `mmgraph datasets get {self.name}` downloads it, "
                f"or put a copy of the file there."
            )
        return path
