"""fastnode2vec's kernel in a compiled loop, without turning nodes into names: in its favour."""

from __future__ import annotations

import numpy as np
from answering import Graph, answer
from fastnode2vec import graph as peer
from numba import njit


@njit(nogil=True)
def walk_all(indptr, indices, start, length, p, q):
    steps = 0
    for node in start:
        steps += len(peer._random_walk(indptr, indices, length, p, q, node)) - 1
    return steps


@njit(nogil=True)
def walk_all_weighted(indptr, indices, share, start, length, p, q):
    steps = 0
    for node in start:
        steps += len(peer._random_walk_weighted(indptr, indices, share, length, p, q, node)) - 1
    return steps


def prepare(graph: Graph):
    rowptr, col = graph.rowptr.astype(np.int32), graph.col.astype(np.int32)
    if graph.weight is None:
        return lambda start, length, p, q: walk_all(rowptr, col, start, length, float(p), float(q))
    total = np.add.reduceat(np.append(graph.weight, 0), rowptr[:-1])
    degree = np.diff(rowptr)
    share = peer._csr_row_cumsum(rowptr, graph.weight / np.repeat(total, degree))
    return lambda start, length, p, q: walk_all_weighted(
        rowptr, col, share, start, length, float(p), float(q)
    )


if __name__ == "__main__":
    answer(prepare)
