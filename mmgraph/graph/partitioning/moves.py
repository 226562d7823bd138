"""Kernels that put nodes where most of their edges are, as far as there is room."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmgraph.compiled import kernel


@kernel
def move_nodes(
    rowptr: Any, col: Any, weight: Any, size: Any, order: Any, part: Any, load: Any, limit: Any
) -> Any:
    """Move each node, in this order, to the part it has most edges to; how many moved.

    A node stays unless another part has more, or as much and is lighter; no part grows beyond the limit. Nodes of a
    part that is too heavy must leave it for the best part with room, wherever that is.

    Args:
        weight: of every edge; graphs are symmetric and without self-loops.
        size: weight of every node.
        part: of every node; changed.
        load: weight of every part; changed.
        limit: the largest load.
    """
    strength = np.zeros(len(load))
    met = np.empty(len(load), np.int64)
    moved = 0
    for node in order:
        own, count = part[node], 0
        for edge in range(rowptr[node], rowptr[node + 1]):
            other = part[col[edge]]
            if strength[other] == 0:
                met[count] = other
                count += 1
            strength[other] += weight[edge]
        forced = load[own] > limit
        best, most = -1 if forced else own, -1.0 if forced else strength[own]
        for k in range(count):
            other = met[k]
            if other != own and load[other] + size[node] <= limit:
                ahead = strength[other] > most
                lighter = best >= 0 and load[other] + size[node] < load[best]
                if ahead or (strength[other] == most and lighter):
                    best, most = other, strength[other]
        for k in range(count):
            strength[met[k]] = 0
        if best < 0:
            best = int(np.argmin(load))
            if load[best] + size[node] > limit:
                best = own
        if best != own:
            load[own] -= size[node]
            load[best] += size[node]
            part[node] = best
            moved += 1
    return moved


@kernel
def place_nodes(
    rowptr: Any, col: Any, weight: Any, size: Any, order: Any, part: Any, load: Any, limit: Any
) -> None:
    """Give each node, in this order, to the part p with the largest (edges to p + ε) · (1 − load(p) / limit).

    Source: Stanton and Kliot, "Streaming graph partitioning for large distributed graphs", KDD 2012 (linear
    deterministic greedy).

    Args:
        part: −1 for every node; changed.
        load: 0 for every part; changed.
    """
    strength = np.zeros(len(load))
    for node in order:
        for edge in range(rowptr[node], rowptr[node + 1]):
            if part[col[edge]] >= 0:
                strength[part[col[edge]]] += weight[edge]
        best, most = int(np.argmin(load)), -1.0
        for p in range(len(load)):
            score = (strength[p] + 1e-9) * (1 - load[p] / limit)
            if load[p] + size[node] <= limit and score > most:
                best, most = p, score
        for edge in range(rowptr[node], rowptr[node + 1]):
            if part[col[edge]] >= 0:
                strength[part[col[edge]]] = 0
        part[node] = best
        load[best] += size[node]


@kernel
def breadth_first(rowptr: Any, col: Any, starts: Any) -> Any:
    """All nodes, neighbours after one another; where a component ends the next start goes on."""
    num_nodes = len(rowptr) - 1
    order = np.empty(num_nodes, np.int64)
    seen = np.zeros(num_nodes, np.bool_)
    count, next_ = 0, 0
    for start in starts:
        if seen[start]:
            continue
        seen[start] = True
        order[count] = start
        count += 1
        while next_ < count:
            node = order[next_]
            next_ += 1
            for edge in range(rowptr[node], rowptr[node + 1]):
                if not seen[col[edge]]:
                    seen[col[edge]] = True
                    order[count] = col[edge]
                    count += 1
    return order
