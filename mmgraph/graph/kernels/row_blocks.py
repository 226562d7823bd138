"""Rows of a sparse matrix shared among threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

_WORTH_A_THREAD = 1 << 20
"""Numbers below which starting a thread takes longer than what it saves."""


def in_row_blocks(work: Callable[[int, int], None], rowptr: NDArray[np.integer], numbers: int) -> None:
    """Call `work(first, last)` on blocks of rows that together are all rows, in torch's number of threads.

    Blocks have about equally many entries. Where no row depends on another the result is the same for any number
    of threads.

    Args:
        work: must release the interpreter's lock to gain anything.
        rowptr: where each row starts, and the end of the last.
        numbers: how many there are to work on, to tell whether threads are worth it.
    """
    rows = len(rowptr) - 1
    threads = min(torch.get_num_threads(), numbers // _WORTH_A_THREAD)
    if threads < 2:
        work(0, rows)
        return
    # A row costs something even without entries.
    cost = rowptr + np.arange(rows + 1)
    bounds = np.searchsorted(cost, np.linspace(0, cost[-1], threads + 1)[1:-1])
    firsts, lasts = [0, *bounds.tolist()], [*bounds.tolist(), rows]
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, firsts, lasts):
            pass
