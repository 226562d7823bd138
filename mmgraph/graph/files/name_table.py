"""Names of nodes, numbered in the order they come."""

from __future__ import annotations

import secrets
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmgraph.graph.files.edge_kernels import number_names, place_names


class NameTable:
    """A hash table from names to numbers, both without a Python object per name."""

    def __init__(self) -> None:
        self._seed = np.uint64(
            secrets.randbits(64)
        )  # so that nobody can write a file of names that all collide
        self._table = np.full(1 << 12, -1, np.int64)
        self._hashes = np.empty(1 << 11, np.uint64)
        self._ends = np.empty(1 << 11, np.int64)
        self._quoted = np.empty(1 << 11, np.bool_)
        self._pool = np.empty(1 << 15, np.uint8)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(
            array.nbytes for array in (self._table, self._hashes, self._ends, self._quoted, self._pool)
        )

    def numbers(self, data: NDArray[np.uint8], bounds: NDArray[np.int32]) -> NDArray[np.int64]:
        """The numbers of the first two fields of every row, (R, 2)."""
        self._make_room(2 * len(bounds), len(data))
        out = np.empty((len(bounds), 2), np.int64)
        self._count = number_names(
            data, bounds, self._seed, self._table, self._hashes, self._ends, self._quoted, self._pool,
            self._count, out,
        )  # fmt: skip
        return out

    def names(self) -> list[str]:
        """All names, by number; a pair of quotes within a name that had quotes around it is one."""
        pool = self._pool.tobytes()
        ends = [0, *self._ends[: self._count].tolist()]
        names = [pool[low:high].decode() for low, high in pairwise(ends)]
        for i in np.flatnonzero(self._quoted[: self._count]).tolist():
            names[i] = names[i].replace('""', '"')
        return names

    def _make_room(self, names: int, size: int) -> None:
        used = int(self._ends[self._count - 1]) if self._count else 0
        self._pool = _grown(self._pool, used + size)
        self._hashes = _grown(self._hashes, self._count + names)
        self._ends = _grown(self._ends, self._count + names)
        self._quoted = _grown(self._quoted, self._count + names)
        if 2 * (self._count + names) > len(self._table):
            self._table = np.full(2 << (2 * (self._count + names)).bit_length(), -1, np.int64)
            place_names(self._table, self._hashes, self._count)


def _grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    if size <= len(array):
        return array
    larger = np.empty(max(size, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger
