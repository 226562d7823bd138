"""Batches made in the background, a few ahead of the one that is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from mmgraph.errors import InputError

T = TypeVar("T")


def prefetched(make: Callable[[int], T], positions: Iterable[int], ahead: int) -> Iterator[T]:
    """make(position) for each position, in order, made by one thread beside the caller.

    At most `ahead` results wait. An error of `make` is raised where its result would have come. When the iterator is
    exhausted, closed or dropped, what has not begun is not begun, and the thread has ended.

    Args:
        make: gives a result; it must not need the caller's thread.
        positions: what to call it with.
        ahead: how many results may wait; 0 makes each when it is asked for, without a thread.

    Raises:
        InputError: ahead < 0.
    """
    if ahead < 0:
        raise InputError(f"Expected to fetch ≥ 0 batches ahead, but got {ahead}.")
    return _in_background(make, positions, ahead) if ahead else map(make, positions)


def _in_background(make: Callable[[int], T], positions: Iterable[int], ahead: int) -> Iterator[T]:
    pending: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(1, thread_name_prefix="mmgraph-prefetch")
    try:
        for position in positions:
            pending.append(pool.submit(make, position))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
