"""PecanPy end to end: walks, then gensim's skip-gram over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from embedding import SETTINGS, measure
from pecanpy import pecanpy


def model_of(rowptr: np.ndarray, col: np.ndarray, threads: int) -> pecanpy.FirstOrderUnweighted:
    model = pecanpy.FirstOrderUnweighted(p=1, q=1, workers=threads)
    model.indptr, model.indices = rowptr.astype(np.uint32), col.astype(np.uint32)
    model.data = np.ones(len(col), np.float32)
    model.set_node_ids([str(node) for node in range(len(rowptr) - 1)])
    return model


def warm_up() -> None:
    model_of(np.array([0, 1, 2]), np.array([1, 0]), 1).embed(8, 3, 5, 2)


def prepare(folder: Path, threads: int, walks_per_node: int) -> Callable[[], tuple[np.ndarray, int]]:
    with np.load(folder / "graph.npz") as stored:
        rowptr, col = stored["rowptr"], stored["col"]
    model = model_of(rowptr, col, threads)
    model.simulate_walks(1, 2)
    walks, length = walks_per_node, SETTINGS["walk_length"]

    def embed() -> tuple[np.ndarray, int]:
        # Its length is in steps.
        vectors = model.embed(SETTINGS["dimensions"], walks, length - 1, SETTINGS["window"])
        return vectors, (len(rowptr) - 1) * walks * length

    return embed


if __name__ == "__main__":
    measure(warm_up, prepare)
