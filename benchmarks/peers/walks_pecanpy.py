"""PecanPy's kernels, without turning nodes into names: in its favour."""

from __future__ import annotations

import numpy as np
from answering import Graph, answer
from numba_progress import ProgressBar
from pecanpy import pecanpy


def prepare(graph: Graph):
    kinds = {True: pecanpy.FirstOrderUnweighted, False: pecanpy.SparseOTF}
    if graph.weight is not None:
        kinds[True] = pecanpy.PreCompFirstOrder
    movers = {}

    def walk(start: np.ndarray, length: int, p: float, q: float) -> int:
        if (p, q) not in movers:
            model = kinds[p == q == 1](p=p, q=q, workers=1)
            model.indptr, model.indices = graph.rowptr.astype(np.uint32), graph.col.astype(np.uint32)
            model.data = (
                np.ones(len(graph.col), np.float32)
                if graph.weight is None
                else graph.weight.astype(np.float32)
            )
            model.set_node_ids([str(node) for node in range(len(graph.rowptr) - 1)])
            model._preprocess_transition_probs()
            movers[p, q] = model.get_has_nbrs(), model.get_move_forward()
        with ProgressBar(total=len(start), disable=True) as progress:
            walks = pecanpy.Base._random_walks(
                len(start), length - 1, 0, start.astype(np.uint32), *movers[p, q], progress
            )
        return int((walks[:, -1] - 1).sum())

    return walk


if __name__ == "__main__":
    answer(prepare)
