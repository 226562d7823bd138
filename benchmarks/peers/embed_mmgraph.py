"""DeepWalk of mmgraph, in a process like those of its peers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse
from embedding import SETTINGS, measure

from mmgraph.graph import DeepWalk


def warm_up() -> None:
    DeepWalk().fit(scipy.sparse.csr_array(np.ones((2, 2), bool)))


def prepare(folder: Path, threads: int, walks_per_node: int) -> Callable[[], tuple[np.ndarray, int]]:
    with np.load(folder / "graph.npz") as stored:
        rowptr, col = stored["rowptr"], stored["col"]
    graph = scipy.sparse.csr_array((np.ones(len(col), bool), col, rowptr))
    tokens = [0]

    def embed() -> tuple[np.ndarray, int]:
        model = DeepWalk(**SETTINGS, walks_per_node=walks_per_node, threads=threads)
        model.fit(graph, on_progress=lambda progress: tokens.append(progress.tokens))
        return model.embedding_, tokens[-1]

    return embed


if __name__ == "__main__":
    measure(warm_up, prepare)
