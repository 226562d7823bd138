"""Sums over the rows of a graph, and self-loops put into them, compiled for the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmgraph.compiled import kernel


@kernel
def sum_rows(rowptr: Any, col: Any, weight: Any, sums: Any) -> None:
    """Of every row the weights of edges from other nodes, of all self-loops, and of the last self-loop or 1.

    Shapes:
        rowptr (num_nodes + 1,), col and weight (E,), sums (3, num_nodes) of zeros.
    """
    for i in range(len(rowptr) - 1):
        sums[2, i] = 1.0
        for edge in range(rowptr[i], rowptr[i + 1]):
            if col[edge] == i:
                sums[1, i] += weight[edge]
                # Equal entries keep the order they were given in, so this ends with the last one given.
                sums[2, i] = weight[edge]
            else:
                sums[0, i] += weight[edge]


@kernel
def insert_loops(
    rowptr: Any, col: Any, given: Any, is_loop: Any, new_rowptr: Any, new_col: Any, order: Any, entries: Any
) -> Any:
    """Rows with one self-loop each, at the place where the columns stay sorted; returns how many entries there are.

    In `order` the edges between different nodes come first, as they were given, then the loops by node.
    """
    rows, edges = len(rowptr) - 1, len(col)
    between = 0
    for i in range(rows):
        for edge in range(rowptr[i], rowptr[i + 1]):
            is_loop[given[edge]] = col[edge] == i
            between += col[edge] != i
    rank = np.empty(edges, np.int64)
    count = 0
    for position in range(edges):
        rank[position] = count
        count += not is_loop[position]
    at = 0
    new_rowptr[0] = 0
    for i in range(rows):
        edge, after = rowptr[i], rowptr[i + 1]
        while edge < after and col[edge] < i:
            new_col[at], order[at], entries[at] = col[edge], rank[given[edge]], edge
            at += 1
            edge += 1
        loop = edges
        while edge < after and col[edge] == i:
            loop = edge
            edge += 1
        new_col[at], order[at], entries[at] = i, between + i, loop
        at += 1
        while edge < after:
            new_col[at], order[at], entries[at] = col[edge], rank[given[edge]], edge
            at += 1
            edge += 1
        new_rowptr[i + 1] = at
    return at
