"""The folder of a stored graph.

rowptr.npy, col.npy     the rows of A, int64
order.npy               for every edge its position in the file it was built from, int64
value.npy               weights, where there are any
names.npy, ends.npy     node ids that are text: all their bytes, and where each ends
graph.json              version and sizes; written last
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.kernels.pattern import SparsityPattern

VERSION = 1
ABOUT = "graph.json"
CHECKED_AT_A_TIME = 1 << 22


def write_about(folder: Path, num_nodes: int, num_edges: int) -> None:
    """Make the folder one that opens."""
    about = {"version": VERSION, "num_nodes": num_nodes, "num_edges": num_edges}
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def open_graph(folder: str | Path, verify: bool = True) -> Adjacency:
    """A graph that `build_csr` stored, with arrays that stay on disk until they are touched.

    Args:
        verify: look at every index once, some seconds per gigabyte; without it a damaged file may end the process.

    Raises:
        InputError: the folder is missing, incomplete or damaged.
    """
    folder = Path(folder)
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        version, num_nodes, num_edges = (about[name] for name in ("version", "num_nodes", "num_edges"))
        if version > VERSION:
            raise InputError(
                f"{folder} was written by a newer mmgraph: its version is {version}, not {VERSION}."
            )
        rowptr = _mapped(folder / "rowptr.npy", num_nodes + 1, np.int64)
        col = _mapped(folder / "col.npy", num_edges, np.int64)
        order = _mapped(folder / "order.npy", num_edges, np.int64)
        value = _mapped(folder / "value.npy", num_edges) if (folder / "value.npy").exists() else None
        node_ids = _names(folder, num_nodes) if (folder / "names.npy").exists() else None
        if verify:
            _check(rowptr, col, order, num_nodes)
    except FileNotFoundError as error:
        raise InputError(
            f"Expected a graph that build_csr has stored in {folder}, but {Path(error.filename).name} is missing."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"Expected a graph that build_csr has stored in {folder}, but it is damaged: {error}."
        ) from error
    pattern = SparsityPattern(torch.from_numpy(rowptr), torch.from_numpy(col), torch.from_numpy(order))
    return Adjacency(pattern, None if value is None else torch.from_numpy(value), node_ids)


def _mapped(path: Path, length: int, kind: type[np.generic] = np.floating) -> NDArray[Any]:
    if type(length) is not int or length < 0:
        raise ValueError(f"{length!r} is no length")
    # Copy on write: torch wants arrays that it may write to, and the file stays as it is.
    array: NDArray[Any] = np.load(path, mmap_mode="c" if length else None, allow_pickle=False)
    if array.shape != (length,) or not np.issubdtype(array.dtype, kind) or not array.dtype.isnative:
        raise ValueError(f"{path.name} has {array.dtype} of shape {array.shape}, not ({length},)")
    return array


def _names(folder: Path, num_nodes: int) -> list[str]:
    content = _mapped(
        folder / "names.npy", int(np.load(folder / "ends.npy", mmap_mode="r")[-1]), np.uint8
    ).tobytes()
    ends = _mapped(folder / "ends.npy", num_nodes, np.int64).tolist()
    return [content[low:high].decode() for low, high in pairwise([0, *ends])]


def _check(rowptr: NDArray[Any], col: NDArray[Any], order: NDArray[Any], num_nodes: int) -> None:
    if rowptr[0] != 0 or rowptr[-1] != len(col):
        raise ValueError("rowptr.npy does not go from 0 to the number of edges")
    for array, most, name in (
        (rowptr, len(col), "rowptr"),
        (col, num_nodes - 1, "col"),
        (order, len(col) - 1, "order"),
    ):
        for first in range(0, len(array), CHECKED_AT_A_TIME):
            some = array[first : first + CHECKED_AT_A_TIME + 1]
            if some.min() < 0 or some.max() > most or (name == "rowptr" and (np.diff(some) < 0).any()):
                raise ValueError(f"{name}.npy has numbers out of range")
