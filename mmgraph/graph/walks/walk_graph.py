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

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.compiled import inlined, kernel
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
        outgoing = graph.transpose()
        rowptr, col = outgoing.rowptr.cpu().numpy(), outgoing.col.cpu().numpy()
        weight = None if outgoing.value is None else outgoing.value.detach().cpu().double().numpy()
        row = np.repeat(np.arange(graph.num_nodes), np.diff(rowptr))
        row, col, weight = _simple_edges(row, col, weight)
        if len(col) > MAX_EDGES or graph.num_nodes > MAX_NODES:
            raise InputError(
                f"Expected at most {MAX_NODES} nodes and {MAX_EDGES} edges for walks, but the graph has "
                f"{graph.num_nodes} nodes and {len(col)} edges."
            )
        symmetric = _is_symmetric(row, col, graph.num_nodes)
        return cls(*_laid_out(row, col, weight, graph.num_nodes), weight, symmetric)

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


def _simple_edges(
    row: NDArray[np.int64], col: NDArray[np.int64], weight: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64] | None]:
    """The edges of a simple graph; None as weights where all are the same."""
    if weight is not None:
        if len(weight) and weight.min() < 0:
            raise InputError(
                f"Expected weights ≥ 0 for walks, but the smallest is {weight.min():g}: walks go along an edge with "
                f"a probability that is proportional to its weight."
            )
        kept = weight > 0
        row, col, weight = row[kept], col[kept], weight[kept]
    is_first = np.ones(len(col), np.bool_)
    is_first[1:] = (row[1:] != row[:-1]) | (col[1:] != col[:-1])
    if not is_first.all():
        weight = np.ones(len(col)) if weight is None else weight
        weight = np.add.reduceat(weight, np.flatnonzero(is_first))
        row, col = row[is_first], col[is_first]
    if weight is not None and (len(weight) == 0 or weight.min() == weight.max()):
        weight = None
    return row, col, weight


def _is_symmetric(row: NDArray[np.int64], col: NDArray[np.int64], num_nodes: int) -> bool:
    """Edges are sorted by row, then column, so sorting the reversed ones must give the same."""
    order = np.argsort(col, kind="stable")
    return bool(np.array_equal(col[order], row) and np.array_equal(row[order], col))


def _laid_out(
    row: NDArray[np.int64], col: NDArray[np.int64], weight: NDArray[np.float64] | None, num_nodes: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint64]]:
    degree = np.bincount(row, minlength=num_nodes).astype(np.uint64)
    first = np.zeros(num_nodes, np.uint64)
    np.cumsum(degree[:-1], out=first[1:])
    rows = np.empty(num_nodes + 1, np.uint64)
    rows[:-1] = np.where(degree == 0, np.uint64((len(col) << 32) | 1), (first << np.uint64(32)) | degree)
    rows[-1] = (len(col) << 32) | 1
    ends = np.empty(len(col) + 1, np.uint32)
    ends[:-1] = col
    ends[-1] = num_nodes
    if weight is None:
        return rows, ends, np.empty(0, np.uint64)
    aliases = np.empty(len(col) + 1, np.uint64)
    aliases[-1] = len(col)
    fill_aliases(np.append(first, np.uint64(len(col))).astype(np.int64), weight, aliases)
    return rows, ends, aliases


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
