"""Walks whose next step also depends on where they came from (node2vec).

From t over v to x:  P(x) ∝ α(t, x) w_vx,  α = 1/p where x = t;  1 where t → x is an edge;  1/q elsewhere.

Rejection sampling, without a table per pair of edges: x is proposed in proportion to w_vx and kept with probability
α / M, M = max(1, 1/q). What 1/p exceeds M by is a proposal of its own, so that a small p does not raise the bound for
all others: the way back with weight (1/p − M) w_vt, always kept.

Walks advance in lockstep, every one by a proposal per round, kept or not. Almost nothing here branches, and memory is
read for all walks side by side.

Source: Grover & Leskovec, "node2vec: scalable feature learning for networks", KDD 2016; Yang et al., "KnightKing",
    SOSP 2019 (what exceeds the bound as a proposal of its own).
    Differs: sampled by rejection; the distribution is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float64, int64, uint32, uint64

from mmgraph.compiled import kernel
from mmgraph.graph.walks.alias import drawn
from mmgraph.graph.walks.streams import GAMMA, key_of, mixed
from mmgraph.graph.walks.walk_graph import filter_bit, is_exact

LANES = 64
"""Walks that advance together."""
LOW = 0xFFFFFFFF
UNIT = 2.0**-32


@kernel
def walk_second_order(
    rows: Any,
    col: Any,
    aliases: Any,
    shares: Any,
    bits: Any,
    p: Any,
    q: Any,
    start: Any,
    walk: Any,
    seed: Any,
    out: Any,
) -> None:
    """Fill `out` with one walk per row.

    Args:
        rows, col, aliases, shares, bits: of a WalkGraph; bits is its neighbour_filter, shares may be empty where
            1/p ≤ M or where every way back exists and has the weight of all others.
        p: how unlikely the way back is.
        q: how unlikely it is to move away from the node before.
        start, walk, seed, out: as for first-order walks.
    """
    count, length = out.shape
    end = uint32(len(rows) - 1)
    weighted = len(aliases) > 0
    uneven = len(shares) > 0
    bound = max(1.0, 1.0 / q)
    excess = max(1.0 / p / bound - 1.0, 0.0)
    # A proposal is kept where 32 random bits are below these.
    if_back = uint64(min(1.0 / p / bound, 1.0) / UNIT)
    if_common = uint64(1.0 / bound / UNIT)
    if_far = uint64(1.0 / q / bound / UNIT)
    surely = min(if_common, if_far)

    # Per lane: its walk (−1 when there is none left), its random numbers, what it has visited and how much that is,
    index = np.full(LANES, -1, np.int64)
    stream = np.zeros(LANES, np.uint64)
    visited = np.empty((LANES, length + 1), np.int32)
    step = np.full(LANES, length, np.int64)
    # the node before and this one, with their rows,
    back = np.full(LANES, end, np.uint32)
    back_row = np.full(LANES, rows[end], np.uint64)
    current = np.full(LANES, end, np.uint32)
    row = np.full(LANES, rows[end], np.uint64)
    # the probability in first-order walks of the edge it came by, and of the way back,
    forth = np.zeros(LANES, np.float64)
    reverse = np.zeros(LANES, np.float64)
    # and a proposal: a point among the proposals, 1 and above for the way back; an edge, its target, a height.
    point = np.empty(LANES, np.float64)
    edge = np.empty(LANES, np.uint64)
    coin = np.empty(LANES, np.uint32)
    proposal = np.empty(LANES, np.uint32)
    height = np.empty(LANES, np.uint64)
    bit = np.empty(LANES, np.uint64)
    word = np.empty(LANES, np.uint32)
    kept = np.empty(LANES, np.bool_)
    doubted = np.empty(LANES, np.bool_)
    doubtful = np.empty(LANES, np.int64)
    base = np.empty(LANES, np.uint64)
    left = np.empty(LANES, np.uint64)

    upcoming, over = 0, 0
    while True:
        for lane in range(LANES):
            if step[lane] < length and current[lane] != end:
                continue
            i = index[lane]
            if i >= 0:
                known = min(step[lane] - int64(current[lane] == end), length)
                out[i, :known] = visited[lane, :known]
                out[i, known:] = -1
                over += 1
            index[lane] = -1
            step[lane] = 1
            current[lane] = end
            if upcoming < count:
                index[lane] = upcoming
                stream[lane] = key_of(seed, walk[upcoming])
                current[lane] = uint32(start[upcoming])
                visited[lane, 0] = start[upcoming]
                upcoming += 1
            back[lane], back_row[lane] = end, rows[end]
            row[lane] = rows[current[lane]]
            forth[lane] = reverse[lane] = 0.0
        if over == count:
            return
        arrived = False
        while not arrived:
            for lane in range(LANES):
                stream[lane] += uint64(GAMMA)
                z = mixed(stream[lane])
                height[lane] = z & uint64(LOW)
                point[lane] = float64(z >> uint64(32)) * UNIT * (1.0 + excess * reverse[lane])
            for lane in range(LANES):
                first, degree = row[lane] >> uint64(32), row[lane] & uint64(LOW)
                chosen = uint64(min(point[lane], 1.0) * float64(degree))
                edge[lane] = first + min(chosen, degree - uint64(1))
            if weighted:
                for lane in range(LANES):
                    stream[lane] += uint64(GAMMA)
                    coin[lane] = uint32(mixed(stream[lane]) >> uint64(32))
                for lane in range(LANES):
                    edge[lane] = uint64(drawn(edge[lane], aliases[edge[lane]], coin[lane]))
            for lane in range(LANES):
                proposal[lane] = col[edge[lane]]
            for lane in range(LANES):
                proposal[lane] = proposal[lane] if point[lane] < 1.0 else back[lane]
                first, degree = back_row[lane] >> uint64(32), back_row[lane] & uint64(LOW)
                bit[lane] = filter_bit(proposal[lane], first, degree, end)
            for lane in range(LANES):
                word[lane] = bits[bit[lane] >> uint64(5)]
            # Is there an edge from the node before to the proposal?
            for lane in range(LANES):
                node = proposal[lane]
                common = (word[lane] >> uint32(bit[lane] & uint64(31))) & uint32(1) != uint32(0)
                below = if_common if common else if_far
                below = if_back if node == back[lane] else below
                always = (back[lane] == end) | (node == end)
                kept[lane] = always | (height[lane] < below)
                sure = always | (height[lane] < surely) | (node == back[lane])
                sure = sure | is_exact(back_row[lane] & uint64(LOW), end)
                doubted[lane] = common & (not sure)
            doubts = 0
            for lane in range(LANES):
                doubtful[doubts] = lane
                doubts += int64(doubted[lane])
            if doubts > 0:
                longest = uint64(0)
                for a in range(doubts):
                    before = back_row[doubtful[a]]
                    base[a], left[a] = before >> uint64(32), before & uint64(LOW)
                    longest = max(longest, left[a])
                while longest > uint64(1):
                    for a in range(doubts):
                        half = left[a] >> uint64(1)
                        base[a] += half * uint64(col[base[a] + half] <= proposal[doubtful[a]])
                        left[a] -= half
                    longest -= longest >> uint64(1)
                for a in range(doubts):
                    lane = doubtful[a]
                    below = if_common if col[base[a]] == proposal[lane] else if_far
                    kept[lane] = height[lane] < below

            if uneven:
                for lane in range(LANES):
                    is_way_back = point[lane] >= 1.0
                    new_forth = reverse[lane] if is_way_back else float64(shares[edge[lane], 0])
                    new_reverse = forth[lane] if is_way_back else float64(shares[edge[lane], 1])
                    forth[lane] = new_forth if kept[lane] else forth[lane]
                    reverse[lane] = new_reverse if kept[lane] else reverse[lane]
            for lane in range(LANES):
                keep = kept[lane]
                visited[lane, step[lane]] = proposal[lane]
                step[lane] += int64(keep)
                back[lane] = current[lane] if keep else back[lane]
                back_row[lane] = row[lane] if keep else back_row[lane]
                current[lane] = proposal[lane] if keep else current[lane]
            for lane in range(LANES):
                row[lane] = rows[current[lane]]
            if excess > 0.0 and not uneven:
                for lane in range(LANES):
                    reverse[lane] = 1.0 / float64(row[lane] & uint64(LOW)) if back[lane] != end else 0.0
            for lane in range(LANES):
                arrived |= (step[lane] >= length) | (current[lane] == end)
