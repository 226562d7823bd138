"""Dropout in one pass, compiled for the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from mmgraph.compiled import kernel
from mmgraph.graph.kernels.instructions import wide_vectors
from mmgraph.graph.walks.streams import number

BLOCK = 1024
"""Entries whose random bits are drawn at a time."""


@kernel
def drop_blocks(x: Any, key: Any, level: Any, scale: Any, first: Any, last: Any, out: Any) -> None:
    """Blocks of entries times `scale`, or times 0 with probability level / 2¹⁶.

    What becomes of an entry depends on the key and its place alone.

    Shapes:
        x (n,), out (n,); first and last are blocks.
    """
    wide_vectors()
    words = np.empty(BLOCK // 4, np.uint64)
    bits = words.view(np.uint16)
    for block in range(first, last):
        for i in range(BLOCK // 4):
            words[i] = number(key, uint64(block) * uint64(BLOCK // 4) + uint64(i))
        start = block * BLOCK
        given, result = x[start : start + BLOCK], out[start : start + BLOCK]
        for i in range(len(given)):
            result[i] = given[i] * (scale if bits[i] >= level else x.dtype.type(0))
