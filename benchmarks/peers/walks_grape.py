"""GRAPE's walks (ensmallen), with all neighbours considered, so that they are exact as ours are."""

from __future__ import annotations

import numpy as np
from answering import Graph, answer
from ensmallen import GraphBuilder


def prepare(graph: Graph):
    builder = GraphBuilder()
    builder.set_directed(False)
    degree = np.diff(graph.rowptr)
    name = [str(node) for node in range(len(degree))]
    for node in np.flatnonzero(degree):
        builder.add_node(name[node])
    source = np.repeat(np.arange(len(degree)), degree)
    once = source <= graph.col
    weight = [None] * once.sum() if graph.weight is None else graph.weight[once].tolist()
    for a, b, w in zip(source[once].tolist(), graph.col[once].tolist(), weight, strict=True):
        builder.add_edge(name[a], name[b], weight=w)
    built = builder.build()
    nodes = built.get_number_of_nodes()
    most = int(degree.max())

    def walk(start: np.ndarray, length: int, p: float, q: float) -> int:
        # It chooses the start nodes itself.
        quantity = min(len(start), nodes)
        walks = built.random_walks(
            walk_length=length,
            quantity=quantity,
            iterations=len(start) // quantity,
            return_weight=1 / p,
            explore_weight=1 / q,
            max_neighbours=most,
        )
        return walks.shape[0] * (walks.shape[1] - 1)

    return walk


if __name__ == "__main__":
    answer(prepare)
