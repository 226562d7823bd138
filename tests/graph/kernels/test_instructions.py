from __future__ import annotations

import numpy as np
import pytest
from numba import uint64

from mmgraph.compiled import kernel
from mmgraph.graph.kernels.instructions import LANES, count_below, prefetch, wide_vectors


@kernel
def counted(keys, start, count, key):
    return count_below(keys, uint64(start), uint64(count), key)


@kernel
def summed(array):
    wide_vectors()
    total = 0.0
    for i in range(len(array)):
        prefetch(array, uint64(i + 100))
        total += array[i]
    return total


@pytest.mark.parametrize("count", [0, 1, 7, LANES])
def test_keys_below_another_are_counted(count):
    rng = np.random.default_rng(count)
    keys = rng.integers(-3, 4, 60) << 40
    for start in (0, 5, 60 - LANES):
        for key in (*keys[:10], -(2**63), 2**63 - 1):
            assert counted(keys, start, count, key) == (keys[start : start + count] < key).sum()


def test_prefetching_changes_nothing_even_beyond_the_array():
    array = np.arange(1000.0)
    assert summed(array) == array.sum()
    assert summed(array[:0]) == 0
