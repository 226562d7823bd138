"""A graph laid out for walking: outgoing edges in compressed rows, and what the kernels ask of a row.

Nodes are numbered 0 … N − 1. An imaginary node N stands for the end: nodes without outgoing edges have one edge to
it, and so has it to itself. Kernels then need no special case for dead ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import int64, uint32, uint64
from numpy.typing import NDArray

from mmgraph.compiled import inlined, kernel
from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.walks.alias import fill_aliases

MAX_EDGES = 2**32 - 2
MAX_NODES = 2**31 - 2
HASH = 0x9E3779B1
BITS_PER_EDGE = 32


@dataclass(frozen=True)
class WalkGraph:
    """Outgoing edges, sorted by target within each row; equal edges are one, with their weights added.

    Args:
        rows: per node, (first edge << 32) | number of edges; the last is that of the end.
        col: the target of every edge; the last is the end's.
        aliases: per edge what lets its row's edges be drawn by weight, see `fill_aliases`; empty where all edges are
            equally likely.
        weight: per edge; None where all edges are equally likely.
        symmetric: whether every edge has its reverse, whatever the weights.

    Shapes:
        rows (N + 1,) uint64, col (E + 1,) uint32, aliases (E + 1,) or (0,) uint64, weight (E,).
    """

    rows: NDArray[np.uint64]
    col: NDArray[np.uint32]
    aliases: NDArray[np.uint64]
    weight: NDArray[np.float64] | None
    symmetric: bool

    @classmethod
    def of(cls, graph: Adjacency) -> WalkGraph:
        """Lay out a graph; edges of weight 0 are left out.

        Raises:
            InputError: a negative weight, or more nodes or edges than 32 bits can number.
        """
        rowptr, source = graph.rowptr.cpu().numpy(), graph.col.cpu().numpy()
        value = graph.value
        given = np.empty(0) if value is None else value.detach().cpu().double().numpy()
        if len(given) and given.min() < 0:
            raise InputError(
                f"Expected weights ≥ 0 for walks, but the smallest is {given.min():g}: walks go along an edge with "
                f"a probability that is proportional to its weight."
            )
        degree = np.zeros(graph.num_nodes, np.int64)
        repeated = _count_outgoing(rowptr, source, given, degree)
        num_edges = int(degree.sum())
        if num_edges > MAX_EDGES or graph.num_nodes > MAX_NODES:
            raise InputError(
                f"Expected at most {MAX_NODES} nodes and {MAX_EDGES} edges for walks, but the graph has "
                f"{graph.num_nodes} nodes and {num_edges} edges."
            )
        bounds = np.append(0, np.cumsum(degree))
        col = np.full(num_edges + 1, graph.num_nodes, np.uint32)
        weight = np.empty(num_edges if value is not None or repeated else 0)
        _fill_outgoing(rowptr, source, given, bounds[:-1].copy(), col, weight)
        ends = np.int64(num_edges << 32 | 1)
        rows = np.append(np.where(degree == 0, ends, bounds[:-1] << 32 | degree), ends).view(np.uint64)
        symmetric = bool(_is_symmetric(rows, col))
        if len(weight) == 0 or weight.min() == weight.max():
            return cls(rows, col, np.empty(0, np.uint64), None, symmetric)
        aliases = np.empty(num_edges + 1, np.uint64)
        aliases[-1] = num_edges
        fill_aliases(bounds, weight, aliases)
        return cls(rows, col, aliases, weight, symmetric)

    @property
    def num_nodes(self) -> int:
        return len(self.rows) - 1

    @cached_property
    def neighbour_filter(self) -> NDArray[np.uint32]:
        """For every row a Bloom filter of its targets with one hash and 32 bits per edge, (E + 1,).

        Answers 31 of 32 questions for a missing edge with one memory access. Rows with at least N / 32 edges have
        room for a bit per node and answer every question.
        """
        bits = np.zeros(len(self.col), np.uint32)
        _fill_filter(self.rows, self.col, bits)
        return bits

    @cached_property
    def shares(self) -> NDArray[np.float32]:
        """For every edge its probability in first-order walks and that of its reverse, 0 where there is none.

        Empty where both are the same for all edges of a row: in symmetric graphs without weights.

        Shapes:
            (E + 1, 2), or (0, 2).
        """
        if self.symmetric and self.weight is None:
            return np.empty((0, 2), np.float32)
        shares = np.zeros((len(self.col), 2), np.float32)
        _fill_shares(self.rows, self.col, np.ones(0) if self.weight is None else self.weight, shares)
        return shares


@kernel
def _count_outgoing(rowptr: Any, source: Any, weight: Any, degree: Any) -> bool:
    """Count the different edges of weight > 0 per source; says whether any occurs several times.

    Edges come sorted by target, then source, and so equal ones side by side.
    """
    repeated = False
    for target in range(len(rowptr) - 1):
        edge = rowptr[target]
        while edge < rowptr[target + 1]:
            first, total = edge, 0.0
            while edge < rowptr[target + 1] and source[edge] == source[first]:
                total += weight[edge] if len(weight) > 0 else 1.0
                edge += 1
            repeated |= edge - first > 1
            degree[source[first]] += int(total > 0.0)
    return repeated


@kernel
def _fill_outgoing(rowptr: Any, source: Any, weight: Any, upcoming: Any, col: Any, total: Any) -> None:
    """Put the edges counted above into the rows of their sources, in the order of targets, their weights added."""
    for target in range(len(rowptr) - 1):
        edge = rowptr[target]
        while edge < rowptr[target + 1]:
            v, together = source[edge], 0.0
            while edge < rowptr[target + 1] and source[edge] == v:
                together += weight[edge] if len(weight) > 0 else 1.0
                edge += 1
            if together > 0.0:
                col[upcoming[v]] = target
                if len(total) > 0:
                    total[upcoming[v]] = together
                upcoming[v] += 1


@kernel
def _is_symmetric(rows: Any, col: Any) -> bool:
    """Whether every edge has its reverse."""
    end = len(rows) - 1
    # Sources ascend, and so do the targets of every row: the reverses of edges to one node come in its row's order.
    reached = np.empty(end, np.int64)
    for v in range(end):
        reached[v] = int64(rows[v] >> uint64(32))
    for v in range(end):
        first, degree = int64(rows[v] >> uint64(32)), int64(rows[v] & uint64(0xFFFFFFFF))
        for edge in range(first, first + degree):
            target = col[edge]
            if target == end:
                continue
            after = int64(rows[target] >> uint64(32)) + int64(rows[target] & uint64(0xFFFFFFFF))
            if reached[target] >= after or col[reached[target]] != v:
                return False
            reached[target] += 1
    return True


@kernel
def _fill_shares(rows: Any, col: Any, weight: Any, shares: Any) -> None:
    num_nodes = len(rows) - 1
    # Sources ascend, and so do the targets of every row: the reverse of an edge is never before that of earlier ones.
    reached = np.empty(num_nodes, np.int64)
    for v in range(num_nodes):
        first, degree = int64(rows[v] >> uint64(32)), int64(rows[v] & uint64(0xFFFFFFFF))
        reached[v] = first
        if first == len(col) - 1:
            continue
        if len(weight) == 0:
            shares[first : first + degree, 0] = 1.0 / degree
            continue
        largest = weight[first : first + degree].max()
        total = 0.0
        for edge in range(first, first + degree):
            total += weight[edge] / largest
        for edge in range(first, first + degree):
            shares[edge, 0] = weight[edge] / largest / total
    for v in range(num_nodes):
        first, degree = int64(rows[v] >> uint64(32)), int64(rows[v] & uint64(0xFFFFFFFF))
        if first == len(col) - 1:
            continue
        for edge in range(first, first + degree):
            target = col[edge]
            after = int64(rows[target] >> uint64(32)) + int64(rows[target] & uint64(0xFFFFFFFF))
            while reached[target] < after and col[reached[target]] < v:
                reached[target] += 1
            if reached[target] < after and col[reached[target]] == v:
                shares[edge, 1] = shares[reached[target], 0]


@inlined
def is_exact(degree: Any, num_nodes: Any) -> Any:
    """Whether the filter of a row has room for one bit per node, and so makes no mistake."""
    return uint64(degree) * uint64(BITS_PER_EDGE) >= uint64(num_nodes)


@inlined
def filter_bit(node: Any, first: Any, degree: Any, num_nodes: Any) -> Any:
    """The bit that stands for a target in the filter of a row."""
    room = uint64(degree) * uint64(BITS_PER_EDGE)
    hashed = (uint64(uint32(uint32(node) * uint32(HASH))) * room) >> uint64(32)
    own = uint64(node) if is_exact(degree, num_nodes) else hashed
    return uint64(first) * uint64(BITS_PER_EDGE) + own


@kernel
def _fill_filter(rows: Any, col: Any, bits: Any) -> None:
    num_nodes = len(rows) - 1
    for v in range(num_nodes):
        first, degree = uint64(rows[v] >> uint64(32)), uint64(rows[v] & uint64(0xFFFFFFFF))
        if first == uint64(len(col) - 1):
            continue
        for edge in range(first, first + degree):
            bit = filter_bit(col[edge], first, degree, num_nodes)
            bits[bit >> uint64(5)] |= uint32(uint64(1) << (bit & uint64(31)))
