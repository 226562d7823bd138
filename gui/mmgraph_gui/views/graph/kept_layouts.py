"""Layouts of graphs that were made before, among the cached files of the user: a graph lies where it lay."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_dir
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

MOST_KEPT = 100
"""Of more layouts those that were looked at longest ago leave."""


@dataclass(frozen=True, eq=False)
class KeptLayout:
    """Where the nodes of a graph lay.

    Args:
        step, steps: how far the layout had come; equal when it was done.

    Shapes:
        positions (nodes, 2), finite.
    """

    positions: npt.NDArray[np.float32]
    step: int
    steps: int


def layouts_folder() -> Path:
    """Where layouts are kept."""
    return Path(user_cache_dir("mmgraph", appauthor=False), "layouts")


def layout_key(edges: npt.NDArray[np.int64], nodes: int) -> str:
    """A name for a graph by what it is, so that all runs on it share a layout."""
    known = hashlib.sha256(f"{nodes}:".encode())
    known.update(edges.astype("<i8").tobytes())
    return known.hexdigest()[:32]


def kept_layout(key: str, nodes: int) -> KeptLayout | None:
    """The layout of a graph; None where none is kept, or what is kept cannot be used."""
    path = layouts_folder() / f"{key}.safetensors"
    try:
        with safe_open(path, "numpy") as file:
            notes, positions = file.metadata() or {}, file.get_tensor("positions")
        step, steps = int(notes["step"]), int(notes["steps"])
        os.utime(path)  # those used least leave first
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    if positions.shape != (nodes, 2) or positions.dtype != np.float32 or not np.isfinite(positions).all():
        return None
    return KeptLayout(positions, step, steps)


def keep_layout(key: str, layout: KeptLayout) -> None:
    """Keep a layout; where that cannot be done the graph is laid out again another time."""
    folder = layouts_folder()
    with contextlib.suppress(OSError, SafetensorError):
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f"{key}.{os.getpid()}.new"
        notes = {"step": str(layout.step), "steps": str(layout.steps)}
        save_file({"positions": np.ascontiguousarray(layout.positions)}, fresh, metadata=notes)
        fresh.replace(folder / f"{key}.safetensors")
        kept = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MOST_KEPT]:
            path.unlink(missing_ok=True)
