"""csrgraph's kernels on rows that are normalised beforehand: in its favour."""

from __future__ import annotations

import numpy as np
from answering import Graph, answer
from csrgraph import csrgraph
from csrgraph.random_walks import _node2vec_walks, _random_walk
from scipy.sparse import csr_matrix


def prepare(graph: Graph):
    nodes = len(graph.rowptr) - 1
    weight = np.ones(len(graph.col)) if graph.weight is None else graph.weight
    matrix = csr_matrix((weight.astype(np.float32), graph.col, graph.rowptr), (nodes, nodes))
    shares = csrgraph(matrix, threads=1)
    shares.normalize(return_self=True)
    degree = np.diff(graph.rowptr)

    def walk(start: np.ndarray, length: int, p: float, q: float) -> int:
        if p == q == 1:
            walks = _random_walk(shares.weights, shares.src, shares.dst, start, length)
        else:
            # It multiplies edges to common neighbours where others divide the rest: the same up to a factor.
            walks = _node2vec_walks(shares.weights, shares.src, shares.dst, start, length, q / p, q)
        return int((degree[walks[:, 0]] > 0).sum()) * (length - 1)

    return walk


if __name__ == "__main__":
    answer(prepare)
