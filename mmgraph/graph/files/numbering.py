"""Ids that are whole numbers: the nodes they stand for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DENSE = 4
"""A range of ids with at most so many numbers per edge is searched as a table, else sorted."""


class Numbered(NamedTuple):
    """Ends as node numbers, how many nodes there are, and their ids in ascending order; None where id is number."""

    ends: NDArray[np.int64]
    num_nodes: int
    node_ids: NDArray[np.int64] | None


def numbered(ids: NDArray[np.int64]) -> Numbered:
    """Number the ids that occur, the smallest first.

    Shapes:
        ids (E, 2).
    """
    if not len(ids):
        return Numbered(ids, 0, None)
    low, high = int(ids.min()), int(ids.max())
    if high - low < DENSE * len(ids) + 1024:
        there = np.zeros(high - low + 1, np.bool_)
        there[ids.ravel() - low] = True
        known = np.flatnonzero(there) + low
        if low == 0 and len(known) == high + 1:
            return Numbered(ids, high + 1, None)
        place = np.cumsum(there) - 1
        return Numbered(place[ids - low], len(known), known)
    known, ends = np.unique(ids, return_inverse=True)
    return Numbered(ends.reshape(ids.shape).astype(np.int64), len(known), known)
