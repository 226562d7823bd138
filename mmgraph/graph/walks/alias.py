"""Draw an item in proportion to its weight with one memory access, whatever the weights are.

Every item is a slot that it may share with one other item, its alias. Draw a slot evenly and 32 random bits r; take the
item where r < threshold, else the alias.

Source: Vose, "A linear algorithm for generating random numbers with a given distribution", 1991.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint32, uint64

from mmgraph.compiled import inlined, kernel


@kernel
def fill_aliases(bounds: Any, weight: Any, packed: Any) -> None:
    """Lay out the slots of several sets of items.

    Args:
        bounds: where each set begins, and where the last ends.
        weight: ≥ 0; of any size.
        packed: (threshold << 32) | alias of every slot; aliases are counted over all sets.

    Shapes:
        bounds (S + 1,), weight (items,), packed (items,) uint64.
    """
    most = 0
    for s in range(len(bounds) - 1):
        most = max(most, bounds[s + 1] - bounds[s])
    share = np.empty(most, np.float64)
    small = np.empty(most, np.int64)
    large = np.empty(most, np.int64)
    for s in range(len(bounds) - 1):
        first, after = bounds[s], bounds[s + 1]
        heaviest = 0.0
        for i in range(first, after):
            heaviest = max(heaviest, weight[i])
        total = 0.0
        for i in range(first, after):
            total += weight[i] / heaviest
        smalls, larges = 0, 0
        for i in range(first, after):
            packed[i] = (uint64(0xFFFFFFFF) << uint64(32)) | uint64(i)
            share[i - first] = weight[i] / heaviest / total * (after - first)
            if share[i - first] < 1.0:
                small[smalls] = i
                smalls += 1
            else:
                large[larges] = i
                larges += 1
        while smalls > 0 and larges > 0:
            smalls -= 1
            less, more = small[smalls], large[larges - 1]
            threshold = uint64(min(share[less - first] * 4294967296.0, 4294967295.0))
            packed[less] = (threshold << uint64(32)) | uint64(more)
            share[more - first] -= 1.0 - share[less - first]
            if share[more - first] < 1.0:
                larges -= 1
                small[smalls] = more
                smalls += 1


@inlined
def drawn(slot: Any, packed: Any, bits: Any) -> Any:
    """The item that 32 random bits take from a slot with the given content."""
    return uint32(slot) if uint64(bits) < packed >> uint64(32) else uint32(packed & uint64(0xFFFFFFFF))
