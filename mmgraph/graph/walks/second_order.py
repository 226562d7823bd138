"""Walks whose next step also depends on where they came from (node2vec).

From t over v to x:  P(x) ∝ α(t, x) w_vx,  α = 1/p where x = t;  1 where t → x is an edge;  1/q elsewhere.

Rejection sampling, without a table per edge. The way back to t is a proposal of its own with its exact weight
w_vt / p, so that a small p does not raise the bound for all others; these are proposed with their weight times
M = max(1, 1/q) and kept with probability α / M. Draws below min(1, 1/q) are kept without looking at the edges of t.

Source: Grover & Leskovec, "node2vec: scalable feature learning for networks", KDD 2016.
    Differs: sampled by rejection; the distribution is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int32, int64, uint32, uint64

from mmgraph.graph.compiled import kernel
from mmgraph.graph.walks.streams import key_of, number
from mmgraph.graph.walks.walk_graph import SHARE, edge_at, found_at, holds, is_exact, may_hold, share_of

LANES = 64
UNIT = 2.0**-53


@kernel
def walk_second_order(
    rows: Any,
    col: Any,
    cumulative: Any,
    bits: Any,
    symmetric: Any,
    p: Any,
    q: Any,
    start: Any,
    walk: Any,
    seed: Any,
    out: Any,
) -> None:
    """Fill `out` with one walk per row.

    Args:
        rows, col, cumulative, bits, symmetric: of a WalkGraph; bits is its neighbour_filter.
        p: how unlikely the way back is.
        q: how unlikely it is to move away from the node before.
        start, walk, seed, out: as for first-order walks.
    """
    count, length = out.shape
    end = uint32(len(rows) - 1)
    to_end = uint64(len(col) - 1)
    weighted = len(cumulative) > 0
    bound = max(1.0, 1.0 / q)
    surely = min(1.0, 1.0 / q)
    common_wins = q > 1.0

    # Per lane: its walk (−1 when there is none left), how many nodes of it are written, its random numbers,
    index = np.full(LANES, -1, np.int64)
    step = np.zeros(LANES, np.int64)
    key = np.zeros(LANES, np.uint64)
    draws = np.zeros(LANES, np.uint64)
    # the node it is at and the one before, with their rows,
    current = np.full(LANES, end, np.uint32)
    row = np.full(LANES, rows[end], np.uint64)
    back = np.full(LANES, end, np.uint32)
    back_row = np.full(LANES, rows[end], np.uint64)
    # the weights of the way back and of all other proposals, and where in the row the way back is,
    back_share = np.zeros(LANES, np.float64)
    other_share = np.zeros(LANES, np.float64)
    back_edge = np.zeros(LANES, np.uint64)
    # and a proposal: a point in the area under the bound, as an edge and a height; −1 for the way back.
    point = np.empty(LANES, np.float64)
    edge = np.empty(LANES, np.uint64)
    height = np.empty(LANES, np.float64)
    proposal = np.full(LANES, end, np.uint32)
    accepted = np.empty(LANES, np.bool_)
    # Lists are filled without branches, which would be mispredicted.
    arriving = np.arange(LANES)
    arrivals = LANES
    asking = np.empty(LANES, np.int64)

    upcoming = 0
    over = 0
    while True:
        for a in range(arrivals):
            lane = arriving[a]
            node, before, i, t = proposal[lane], current[lane], index[lane], step[lane]
            if node == end:
                if i >= 0:
                    out[i, t:] = -1
                t = length
            else:
                out[i, t] = int32(node)
                t += 1
            if t >= length:
                over += int(i >= 0)
                i, t, node, before = -1, 0, end, end
                if upcoming < count:
                    i, t, node = upcoming, 1, uint32(start[upcoming])
                    out[i, 0] = int32(node)
                    key[lane], draws[lane] = key_of(seed, walk[i]), uint64(0)
                    upcoming += 1
            index[lane], step[lane] = i, t
            back[lane], back_row[lane] = before, row[lane]
            current[lane] = node
        if over == count:
            return
        # Apart from the loop above, so that the rows are fetched side by side.
        for a in range(arrivals):
            lane = arriving[a]
            row[lane] = rows[current[lane]]
        for a in range(arrivals):
            lane = arriving[a]
            first, degree = uint64(row[lane] >> uint64(32)), uint64(row[lane] & uint64(0xFFFFFFFF))
            whole, share = float(degree), 1.0
            if weighted:
                whole = 1.0
                at = found_at(col, back[lane], first, degree)
                back_edge[lane] = at
                share = share_of(cumulative, at, first, degree) if col[at] == back[lane] else 0.0
            elif not symmetric and back[lane] != end:
                share = 1.0 if holds(col, bits, back[lane], first, degree, end) else 0.0
            share = share if back[lane] != end else 0.0
            back_share[lane] = share / p
            other_share[lane] = max(whole - share, 0.0) * bound

        for lane in range(LANES):
            u = float(number(key[lane], draws[lane]) >> uint64(11)) * UNIT
            draws[lane] += uint64(1)
            point[lane] = (u * (back_share[lane] + other_share[lane]) - back_share[lane]) / bound
        if weighted:
            for lane in range(LANES):
                first, degree = uint64(row[lane] >> uint64(32)), uint64(row[lane] & uint64(0xFFFFFFFF))
                position = point[lane] / SHARE
                if position < 0.0 or other_share[lane] <= 0.0:
                    edge[lane] = to_end
                    height[lane] = -1.0
                else:
                    # The share of the way back is cut out.
                    if back_share[lane] > 0.0:
                        at = back_edge[lane]
                        if at == first or position >= float(cumulative[at - uint64(1)]):
                            position += share_of(cumulative, at, first, degree) / SHARE
                    edge[lane] = edge_at(cumulative, uint32(min(position, 4294967295.0)), first, degree)
                    height[lane] = float(number(key[lane], draws[lane]) >> uint64(11)) * UNIT * bound
                draws[lane] += uint64(1)
        else:
            for lane in range(LANES):
                # The whole part is the edge, the rest a number in [0, 1) that does not depend on it. The last edge
                # is not proposed where there is a way back: see below.
                others = int64(row[lane] & uint64(0xFFFFFFFF)) - int64(back_share[lane] > 0.0)
                u = point[lane]
                way_back = u < 0.0 or others == 0
                chosen = max(min(int64(u), others - 1), 0)
                edge[lane] = to_end if way_back else (row[lane] >> uint64(32)) + uint64(chosen)
                height[lane] = -1.0 if way_back else (u - float(chosen)) * bound
        for lane in range(LANES):
            proposal[lane] = col[edge[lane]]

        asked = 0
        for lane in range(LANES):
            node = proposal[lane]
            if node == back[lane] and not weighted and back_share[lane] > 0.0:
                # Proposed like any other edge the way back would have the wrong weight: the last edge replaces it.
                first, degree = uint64(row[lane] >> uint64(32)), uint64(row[lane] & uint64(0xFFFFFFFF))
                node = col[first + degree - uint64(1)]
            proposal[lane] = back[lane] if height[lane] < 0.0 else node
            sure = (height[lane] < surely) | (back[lane] == end) | (node == end)
            accepted[lane] = sure
            asking[asked] = lane
            asked += int(not sure)
        # Is there an edge from the node before to the proposal?
        doubtful = 0
        for a in range(asked):
            lane = asking[a]
            first, degree = uint64(back_row[lane] >> uint64(32)), uint64(back_row[lane] & uint64(0xFFFFFFFF))
            maybe = may_hold(bits, proposal[lane], first, degree, end)
            accepted[lane] = maybe == common_wins
            asking[doubtful] = lane
            doubtful += int(maybe & (not is_exact(degree, end)))
        for a in range(doubtful):
            lane = asking[a]
            first, degree = uint64(back_row[lane] >> uint64(32)), uint64(back_row[lane] & uint64(0xFFFFFFFF))
            at = found_at(col, proposal[lane], first, degree)
            accepted[lane] = (col[at] == proposal[lane]) == common_wins
        arrivals = 0
        for lane in range(LANES):
            arriving[arrivals] = lane
            arrivals += int(accepted[lane])
