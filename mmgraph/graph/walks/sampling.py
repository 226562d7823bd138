"""Random walks from every node."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.walks.first_order import walk_first_order
from mmgraph.graph.walks.second_order import walk_second_order
from mmgraph.graph.walks.walk_graph import WalkGraph

BLOCK = 4096
"""Walks that a thread takes at a time."""


def random_walks(
    graph: Adjacency,
    length: int,
    walks_per_node: int,
    p: float = 1.0,
    q: float = 1.0,
    seed: int = 0,
    threads: int | None = None,
) -> NDArray[np.int32]:
    """Walks from every node along the edges' direction, of first order, or of second order where p or q is not 1.

    P(t → v → x) ∝ α w_vx,  α = 1/p where x = t;  1 where t → x is an edge;  1/q elsewhere.

    Equal edges count as one with their weights added; edges of weight 0 are not there. The result depends on the
    seed and not on the number of threads. Probabilities are exact to 2⁻³².

    Args:
        graph: weighted or not, directed or not; nodes without outgoing edges end a walk.
        length: of every walk, in nodes.
        walks_per_node: how many walks start at each node.
        p: return parameter; larger goes back less.
        q: in-out parameter; larger stays closer.
        seed: of the walks' streams of random numbers, ≥ 0.
        threads: that share the work; without it one per processor this process may use.

    Shapes:
        → (walks_per_node · num_nodes, length); walk i starts at node i mod num_nodes. Where a walk has come to a
        dead end, −1 fills the rest.

    Raises:
        InputError: no nodes, a negative weight, a number out of range.

    Source: Perozzi, Al-Rfou & Skiena, "DeepWalk", KDD 2014; Grover & Leskovec, "node2vec", KDD 2016.
    """
    check_walks(length, walks_per_node, p, q, seed)
    if not isinstance(graph, Adjacency):
        raise InputError(
            f"Expected an Adjacency to walk on, but got {type(graph).__name__}: convert it with "
            f"Adjacency.from_edge_index, from_data, from_scipy or from_networkx."
        )
    layout = WalkGraph.of(graph)
    if layout.num_nodes == 0:
        raise InputError("Expected a graph with nodes to walk on, but it has none.")
    number = np.arange(walks_per_node * layout.num_nodes)
    out = np.empty((len(number), length), np.int32)

    def work(first: int) -> None:
        numbers = number[first : first + BLOCK]
        fill_walks(layout, numbers % layout.num_nodes, numbers, p, q, seed, out[first : first + BLOCK])

    with ThreadPoolExecutor(checked_threads(threads)) as pool:
        for _ in pool.map(work, range(0, len(number), BLOCK)):
            pass
    return out


def fill_walks(
    graph: WalkGraph,
    start: NDArray[np.int64],
    number: NDArray[np.int64],
    p: float,
    q: float,
    seed: int,
    out: NDArray[np.int32],
) -> None:
    """Walk from the given nodes with the streams of the given numbers, in this thread."""
    stream_seed = np.uint64(seed)
    if p == 1 and q == 1:
        walk_first_order(graph.rows, graph.col, graph.aliases, start, number, stream_seed, out)
        return
    # What is laid out per edge only where the way back exceeds the bound.
    shares = graph.shares if 1 / p > max(1, 1 / q) else np.empty((0, 2), np.float32)
    walk_second_order(
        graph.rows,
        graph.col,
        graph.aliases,
        shares,
        graph.neighbour_filter,
        float(p),
        float(q),
        start,
        number,
        stream_seed,
        out,
    )


def check_walks(length: int, walks_per_node: int, p: float, q: float, seed: int) -> None:
    """Numbers that make sense for walks.

    Raises:
        InputError: one does not.
    """
    for name, number in (("length", length), ("walks_per_node", walks_per_node)):
        if number < 1:
            raise InputError(f"Expected {name} ≥ 1, but got {number}.")
    for name, value in (("p", p), ("q", q)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"Expected a finite {name} > 0, but got {value}: 1 is neutral.")
    if not 0 <= seed < 2**64:
        raise InputError(f"Expected a seed ≥ 0 and < 2⁶⁴, but got {seed}.")


def checked_threads(threads: int | None) -> int:
    """The number of threads to use.

    Raises:
        InputError: it is less than 1.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        raise InputError(f"Expected threads ≥ 1, or None for one per processor, but got {threads}.")
    return threads
