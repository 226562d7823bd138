"""Networks in a MATLAB file with the variables `network` and `group`, as BlogCatalog is handed on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmgraph.datasets.labelled_graph import labelled_graph
from mmgraph.datasets.matlab_file import Shapes, read_variables
from mmgraph.errors import DatasetCorruptError

if TYPE_CHECKING:
    from torch_geometric.data import Data

MAX_LABELS = 1 << 28
"""Nodes times labels that are unpacked at most: 256 MiB of labels."""


def read_matlab_network(path: Path) -> Data:
    """The undirected graph of `network` with the memberships in `group` as labels.

    SciPy's parser is not made for hostile files: give it only one whose checksum is known, as `datasets.load` does.

    Args:
        path: a MATLAB file of version 5 to 7.

    Shapes:
        network: (N, N) sparse, symmetric; every stored number other than 0 is an edge.
        group: (N, L) sparse; node i has label l where the entry is not 0.
        edge_index: (2, E) int64, both directions of each edge.
        y: (N, L) bool.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: it is no MATLAB file, lacks a variable, or the two do not fit together.
    """

    def fitting(shapes: Shapes) -> str | None:
        (nodes, columns), (rows, labels) = shapes["network"], shapes["group"]
        if nodes == columns == rows and rows * labels <= MAX_LABELS:
            return None
        return (
            f"a square network and a group with as many rows, {MAX_LABELS:,} entries at most, but network is {nodes} × "
            f"{columns} and group {rows} × {labels}."
        )

    content = read_variables(path, {"network": True, "group": True}, fitting)
    network, group = content["network"].tocoo(), content["group"]
    if abs(network - network.T).nnz:
        raise DatasetCorruptError(f"The network in {path} must be symmetric. Fetch it again.")
    edges = network.data != 0
    return labelled_graph(
        network.row[edges].astype(np.int64), network.col[edges].astype(np.int64), group.toarray() != 0
    )
