"""Friendships within a university, with what each student said of themselves: the files of Facebook100."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmgraph.datasets.labelled_graph import labelled_graph
from mmgraph.datasets.matlab_file import Shapes, read_variables
from mmgraph.errors import DatasetCorruptError

if TYPE_CHECKING:
    from torch_geometric.data import Data

GENDER, COLUMNS = 1, 7
"""Of status, gender, major, second major, dormitory, year and high school; 0 is not known."""
MAX_NODES = 1 << 17


def read_friendships(path: Path) -> Data:
    """The undirected graph of `A`; the label is the gender, features are all else, one column per answer.

    Args:
        path: a MATLAB file of version 5 to 7.

    Shapes:
        A: (N, N) sparse, symmetric; local_info: (N, 7) whole numbers.
        edge_index: (2, E) int64, both directions of each edge.
        y: (N,) int64, 0 or 1, −1 where it is not known.
        x: (N, F) float32 of zeros and ones, six ones in each row.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: it is no MATLAB file, lacks a variable, or the two do not fit together.
    """
    import torch

    def fitting(shapes: Shapes) -> str | None:
        (nodes, columns), (rows, answers) = shapes["A"], shapes["local_info"]
        if nodes == columns == rows <= MAX_NODES and answers == COLUMNS:
            return None
        return (
            f"a square A of at most {MAX_NODES:,} nodes and a local_info of as many rows and {COLUMNS} columns, but A "
            f"is {nodes} × {columns} and local_info {rows} × {answers}."
        )

    content = read_variables(path, {"A": True, "local_info": False}, fitting)
    friends, answers = content["A"].tocoo(), content["local_info"].astype(np.uint16).astype(np.int64)
    if abs(friends - friends.T).nnz:
        raise DatasetCorruptError(f"The friendships in {path} must be mutual. Fetch it again.")
    if (answers != content["local_info"]).any() or answers[:, GENDER].max(initial=0) > 2:
        raise DatasetCorruptError(
            f"The answers in {path} must be whole numbers, genders 0, 1 or 2. Fetch it again."
        )
    kept = friends.data != 0
    data = labelled_graph(
        friends.row[kept].astype(np.int64), friends.col[kept].astype(np.int64), answers[:, GENDER] - 1
    )
    columns, width = [], 0
    for column in np.delete(answers, GENDER, axis=1).T:
        said, place = np.unique(column, return_inverse=True)
        columns.append(place + width)
        width += len(said)
    x = torch.zeros(len(answers), width)
    x.scatter_(1, torch.from_numpy(np.stack(columns, axis=1)), 1)
    data.x = x
    return data
