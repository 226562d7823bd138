"""Kernels that draw neighbours and number the nodes of a neighbourhood.

What is drawn depends on the key of the batch and on the place of a node in it, on nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, uint64

from mmgraph.graph.kernels.compiled import inlined, kernel
from mmgraph.graph.walks.streams import key_of, number

SHORT = 32
"""Rows up to this length are sorted by insertion."""


@inlined
def below(key: Any, counter: Any, limit: Any) -> Any:
    """A number in [0, limit), each equally likely, and the counter after it; limit < 2³².

    Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019.
    """
    product = (number(key, counter) >> uint64(32)) * uint64(limit)
    counter += 1
    if (product & uint64(0xFFFFFFFF)) < uint64(limit):
        unfair = uint64(1 << 32) % uint64(limit)
        while (product & uint64(0xFFFFFFFF)) < unfair:
            product = (number(key, counter) >> uint64(32)) * uint64(limit)
            counter += 1
    return int64(product >> uint64(32)), counter


@kernel
def count_draws(rowptr: Any, nodes: Any, fan_out: Any, replace: Any) -> Any:
    """How many edges some nodes will get, and the longest row that is drawn from."""
    total, longest = 0, 0
    for i in range(len(nodes)):
        degree = int64(rowptr[nodes[i] + 1]) - int64(rowptr[nodes[i]])
        if fan_out < 0 or (degree <= fan_out and not replace):
            total += degree
        elif degree > 0:
            total += fan_out
            longest = max(longest, degree)
    return total, longest


@kernel
def draw_edges(
    rowptr: Any,
    col: Any,
    nodes: Any,
    fan_out: Any,
    replace: Any,
    key: Any,
    shuffled: Any,
    lengths: Any,
    scale: Any,
    edges: Any,
    sources: Any,
) -> None:
    """Draw incoming edges of some nodes.

    Without replacement, the first steps of a Fisher-Yates shuffle of 0, 1, …, which are undone afterwards.

    Args:
        shuffled: 0, 1, …, as many as the longest row that is drawn from, at least.
        lengths, scale: of every row, how many edges were drawn, and n/k.
        edges, sources: the places of the edges and their sources in the whole graph, row by row.
    """
    touched = np.empty(max(fan_out, 1), np.int64)
    at = 0
    for i in range(len(nodes)):
        first = int64(rowptr[nodes[i]])
        degree = int64(rowptr[nodes[i] + 1]) - first
        cut = fan_out >= 0 and degree > 0 and (replace or degree > fan_out)
        taken = fan_out if cut else degree
        lengths[i] = taken
        scale[i] = degree / taken if cut else 1.0
        if not cut:
            for k in range(taken):
                edges[at + k] = first + k
        else:
            stream, drawn = key_of(key, i), 0
            if replace:
                for k in range(taken):
                    offset, drawn = below(stream, drawn, degree)
                    edges[at + k] = first + offset
            else:
                for k in range(taken):
                    ahead, drawn = below(stream, drawn, degree - k)
                    touched[k] = k + ahead
                    edges[at + k] = first + shuffled[k + ahead]
                    shuffled[k + ahead] = shuffled[k]
                for k in range(taken):
                    shuffled[k] = k
                    shuffled[touched[k]] = touched[k]
        at += taken
    # A loop of its own, so that many reads from far away are under way at a time.
    for e in range(at):
        sources[e] = col[edges[e]]


@kernel
def number_sources(
    lengths: Any, edges: Any, sources: Any, number_of: Any, nodes: Any, count: Any, new_edges: Any
) -> Any:
    """Number the sources of the edges that were drawn, and sort each row by them; how many nodes there are now.

    Args:
        edges, sources: of every edge its place in the whole graph, and its source: there before, here after.
        number_of: of every node of the whole graph its number here, or −1.
        nodes: numbers in the whole graph, `count` of them; new ones are appended. Has room for one more.
        new_edges: room for the longest row.
    """
    start = 0
    for i in range(len(lengths)):
        end = start + lengths[i]
        before, old, new = count, start, 0
        # Without branches, for nobody could predict them. Nodes met before come first.
        for e in range(start, end):
            source, edge = sources[e], edges[e]
            here = int64(number_of[source])
            is_new = int64(here < 0)
            here = count if is_new else here
            number_of[source], nodes[count] = here, source
            count += is_new
            new_edges[new] = edge
            new += is_new
            sources[old], edges[old] = here, edge
            old += 1 - is_new
        if old - start <= SHORT:
            _insertion_sort(sources, edges, start, old)
        else:
            order = np.argsort(sources[start:old], kind="mergesort")
            sources[start:old] = sources[start:old][order]
            edges[start:old] = edges[start:old][order]
        # New nodes have ascending numbers from `before` on.
        for k in range(new):
            sources[old + k], edges[old + k] = before + k, new_edges[k]
        if old > start and sources[old - 1] >= before:
            # Some source came up first in this row, and then again.
            _insertion_sort(sources, edges, start, end)
        start = end
    return count


@inlined
def _insertion_sort(sources: Any, edges: Any, start: Any, end: Any) -> None:
    for e in range(start + 1, end):
        source, edge, place = sources[e], edges[e], e
        while place > start and sources[place - 1] > source:
            sources[place], edges[place] = sources[place - 1], edges[place - 1]
            place -= 1
        sources[place], edges[place] = source, edge


@kernel
def number_nodes(nodes: Any, number_of: Any) -> Any:
    """Number some nodes 0, 1, …; the place of the first that is there twice, or −1."""
    for i in range(len(nodes)):
        if number_of[nodes[i]] >= 0:
            return i
        number_of[nodes[i]] = i
    return -1


@kernel
def forget_nodes(nodes: Any, number_of: Any) -> None:
    """Undo `number_nodes`."""
    for i in range(len(nodes)):
        number_of[nodes[i]] = -1
