"""Kernels that draw neighbours and number the nodes of a neighbourhood.

What is drawn depends on the key of the batch and on the place of a node in it, on nothing else. Every kernel is one
pass over rows or edges, so that many reads from far away are under way at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, uint64

from mmgraph.compiled import inlined, kernel
from mmgraph.graph.kernels.instructions import LANES, count_below, prefetch
from mmgraph.graph.walks.streams import key_of, number

MAX_EDGES = 2**32 - 1
"""Of a hop: a key of `number_sources` has 32 bits for the place of an edge."""


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


@inlined
def is_cut(degree: Any, fan_out: Any, replace: Any) -> Any:
    """Whether edges of a row are drawn; otherwise all are taken."""
    return fan_out >= 0 and degree > 0 and (replace or degree > fan_out)


@kernel
def look_up_rows(
    rowptr: Any, nodes: Any, fan_out: Any, replace: Any, first: Any, degree: Any, taken: Any
) -> Any:
    """Where the rows of some nodes begin, how long they are, and how many edges of each will be taken.

    Returns how many edges these are, and the longest row that is drawn from.
    """
    total, longest = 0, 0
    for i in range(len(nodes)):
        first[i] = rowptr[nodes[i]]
        degree[i] = int64(rowptr[nodes[i] + 1]) - first[i]
        cut = is_cut(degree[i], fan_out, replace)
        taken[i] = fan_out if cut else degree[i]
        longest = max(longest, degree[i] if cut else 0)
        total += taken[i]
    return total, longest


@kernel
def draw_edges(
    col: Any,
    first: Any,
    degree: Any,
    fan_out: Any,
    replace: Any,
    key: Any,
    is_drawn: Any,
    edges: Any,
    sources: Any,
) -> None:
    """Draw incoming edges of some nodes.

    Args:
        col: of the whole graph.
        first, degree: of the rows, from `look_up_rows`.
        is_drawn: as many zeros as the longest row that is drawn from has edges, at least; zeros again afterwards.
        edges, sources: the places of the edges and their sources in the whole graph, row by row.

    Source: without replacement, Floyd's algorithm (Bentley and Floyd, "A sample of brilliance", CACM 1987).
    """
    at = 0
    for i in range(len(first)):
        if not is_cut(degree[i], fan_out, replace):
            for k in range(degree[i]):
                edges[at + k] = first[i] + k
            at += degree[i]
            continue
        stream, drawn = key_of(key, i), 0
        if replace:
            for k in range(fan_out):
                offset, drawn = below(stream, drawn, degree[i])
                edges[at + k] = first[i] + offset
                prefetch(col, uint64(first[i] + offset))
        else:
            for k in range(fan_out):
                last = degree[i] - fan_out + k
                offset, drawn = below(stream, drawn, last + 1)
                offset = last if is_drawn[offset] else offset
                is_drawn[offset] = True
                edges[at + k] = first[i] + offset
                prefetch(col, uint64(first[i] + offset))
            for k in range(fan_out):
                is_drawn[edges[at + k] - first[i]] = False
        at += fan_out
    for e in range(at):
        sources[e] = col[uint64(edges[e])]


@kernel
def number_sources(sources: Any, number_of: Any, base: Any, nodes: Any, count: Any, keys: Any) -> Any:
    """Number the sources of the edges that were drawn; how many nodes there are now.

    Args:
        number_of: of every node of the whole graph, its number here + `base`, or less than `base`.
        nodes: numbers in the whole graph, `count` of them; new ones are appended. Has room for one more.
        keys: (number of the source << 32) | place of the edge.
    """
    # Without branches, for nobody could predict them.
    for e in range(len(sources)):
        source = sources[e]
        here = int64(number_of[source]) - base
        is_new = here < 0
        here = count if is_new else here
        number_of[source], nodes[count] = here + base, source
        count += is_new
        keys[e] = here << 32 | e
    return count


@kernel
def sort_rows(
    degree: Any, taken: Any, keys: Any, drawn: Any, begin: Any, rowptr: Any, col: Any, edges: Any, scale: Any
) -> Any:
    """Put the edges that were drawn in order; says whether any row was cut.

    Args:
        degree, taken: of the rows, from `look_up_rows`.
        keys: from `number_sources`, and room for LANES more.
        drawn: the places of the edges in the whole graph.
        begin: how many rows there are before these.
        rowptr, col: of the batch; rowptr[begin] is there.
        edges, scale: of every edge of the batch its place in the whole graph, and n/k.
    """
    start, before, cut = uint64(0), uint64(rowptr[begin]), False
    for i in range(len(taken)):
        count = uint64(taken[i])
        ratio = degree[i] / max(taken[i], 1)
        cut |= ratio != 1.0 and taken[i] > 0
        if count <= LANES:
            for e in range(start, start + count):
                key = keys[e]
                place = before + start + uint64(count_below(keys, start, count, key))
                col[place], edges[place] = key >> 32, drawn[e]
        else:
            in_order = np.sort(keys[start : start + count])
            for k in range(count):
                place = before + start + uint64(k)
                col[place], edges[place] = in_order[k] >> 32, drawn[in_order[k] & 0xFFFFFFFF]
        for k in range(count):
            scale[before + start + uint64(k)] = ratio
        start += count
        rowptr[begin + i + 1] = before + start
    return cut


@kernel
def number_nodes(nodes: Any, number_of: Any, base: Any) -> Any:
    """Number some nodes 0, 1, …; the place of the first that is there twice, or −1."""
    for i in range(len(nodes)):
        if number_of[nodes[i]] >= base:
            return i
        number_of[nodes[i]] = base + i
    return -1
