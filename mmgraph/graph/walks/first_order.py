"""Walks whose next step depends on where they are: P(v → x) = w_vx / Σ_y w_vy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int32, uint32, uint64

from mmgraph.compiled import kernel
from mmgraph.graph.kernels.instructions import prefetch
from mmgraph.graph.walks.alias import drawn
from mmgraph.graph.walks.streams import GAMMA, key_of, mixed

LANES = 64
"""Walks that advance together, so that one waits for memory while others do too."""

STEPS = 16
"""Steps after which the lanes are written out: as many as fill a cache line."""


@kernel
def walk_first_order(rows: Any, col: Any, aliases: Any, start: Any, walk: Any, seed: Any, out: Any) -> None:
    """Fill `out` with one walk per row.

    Args:
        rows, col, aliases: of a WalkGraph.
        start: where each walk starts.
        walk: the number of each walk, which decides about its random numbers.
        seed: of the streams, uint64.
        out: what is visited; −1 after a dead end.

    Shapes:
        start (walks,), walk (walks,), out (walks, length) int32.
    """
    count, length = out.shape
    end = uint32(len(rows) - 1)
    weighted = len(aliases) > 0
    current = np.empty(LANES, np.uint32)
    stream = np.empty(LANES, np.uint64)
    draw = np.empty(LANES, np.uint32)
    edge = np.empty(LANES, np.uint32)
    visited = np.empty((STEPS, LANES), np.int32)
    for base in range(0, count, LANES):
        lanes = min(LANES, count - base)
        for lane in range(LANES):
            # Lanes without a walk of their own repeat the last one.
            i = base + min(lane, lanes - 1)
            stream[lane] = key_of(seed, walk[i])
            current[lane] = uint32(start[i])
            out[i, 0] = int32(start[i])
        for t in range(1, length, STEPS):
            steps = min(STEPS, length - t)
            for step in range(steps):
                for lane in range(LANES):
                    stream[lane] += uint64(GAMMA)
                    draw[lane] = uint32(mixed(stream[lane]) >> uint64(32))
                for lane in range(LANES):
                    row = rows[current[lane]]
                    offset = (uint64(draw[lane]) * (row & uint64(0xFFFFFFFF))) >> uint64(32)
                    edge[lane] = uint32((row >> uint64(32)) + offset)
                    if weighted:
                        prefetch(aliases, uint64(edge[lane]))
                    else:
                        prefetch(col, uint64(edge[lane]))
                if weighted:
                    for lane in range(LANES):
                        stream[lane] += uint64(GAMMA)
                        draw[lane] = uint32(mixed(stream[lane]) >> uint64(32))
                    for lane in range(LANES):
                        edge[lane] = drawn(edge[lane], aliases[edge[lane]], draw[lane])
                        prefetch(col, uint64(edge[lane]))
                for lane in range(LANES):
                    current[lane] = col[edge[lane]]
                    prefetch(rows, uint64(current[lane]))
                for lane in range(LANES):
                    node = current[lane]
                    visited[step, lane] = int32(node) if node != end else int32(-1)
            for lane in range(lanes):
                written = out[base + lane, t : t + steps]
                for step in range(steps):
                    written[step] = visited[step, lane]
