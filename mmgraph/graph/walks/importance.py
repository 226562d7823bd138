"""Neighbourhoods by how often short random walks come by, rather than by edges."""

from __future__ import annotations

import numpy as np
import torch

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.walks.sampling import random_walks


def importance_graph(
    graph: Adjacency,
    neighbours: int = 10,
    *,
    walks_per_node: int = 50,
    length: int = 3,
    seed: int = 0,
    threads: int | None = None,
) -> Adjacency:
    """The nodes that short walks from a node visit most often, weighted by how often.

    w(v → u) = visits of v on walks from u / visits of all neighbours kept,  for the `neighbours` most visited v ≠ u

    Convolutions that sum weighted messages then pool by importance. Equal counts are kept by node number. A node whose
    walks go nowhere has no neighbours.

    Args:
        graph: walked along its edges.
        neighbours: kept of each node, at most.
        walks_per_node: from each node.
        length: of a walk, in steps.
        seed: of the walks.
        threads: that walk; without it one per processor.

    Shapes:
        → an adjacency over the same nodes whose weights sum to 1 in every row that has any.

    Raises:
        InputError: a number out of range, or a graph that cannot be walked on.

    Source: Ying et al., "Graph convolutional neural networks for web-scale recommender systems" (PinSage), KDD 2018.
    """
    if neighbours < 1 or length < 1:
        raise InputError(f"Expected at least one neighbour and one step, but got {neighbours} and {length}.")
    count = graph.num_nodes
    walks = random_walks(graph, length + 1, walks_per_node, seed=seed, threads=threads)
    start = np.repeat(walks[:, 0].astype(np.int64), length)
    visited = walks[:, 1:].ravel().astype(np.int64)
    real = (visited >= 0) & (visited != start)
    pairs, visits = np.unique(start[real] * count + visited[real], return_counts=True)
    target, source = pairs // count, pairs % count
    order = np.lexsort((source, -visits, target))
    target, source, visits = target[order], source[order], visits[order]
    first = np.searchsorted(target, np.arange(count))
    kept = np.arange(len(target)) - first[target] < neighbours
    target, source, visits = target[kept], source[kept], visits[kept]
    total = np.bincount(target, weights=visits, minlength=count)
    edge_index = torch.from_numpy(np.stack([source, target]))
    weight = torch.from_numpy((visits / total[target]).astype(np.float32))
    return Adjacency.from_edge_index(edge_index, count, weight)
