"""Sort more edges than fit into memory: buckets by target on disk, each sorted on its own.

A bucket that is still too large, as around a node with very many edges, is split again by target and source. Edges
with equal target and source need no sorting: they are in the order they came.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

SPLITS = 128
"""Files that are open at a time."""
SORTING = 4
"""How many times the size of its records sorting a bucket takes."""
Records = NDArray[np.void]


def record_type(weighted: bool, weight: np.dtype[Any]) -> np.dtype[Any]:
    """Target, source, position in the file and weight of an edge."""
    fields: list[tuple[str, Any]] = [("row", np.uint32), ("col", np.uint32), ("order", np.int64)]
    return np.dtype([*fields, ("value", weight)] if weighted else fields)


class Buckets:
    """Files of records whose keys lie in consecutive ranges.

    Args:
        folder: for the files.
        name: how their names begin.
        starts: where the ranges begin.

    Shapes:
        starts (buckets,) uint64.
    """

    def __init__(self, folder: Path, name: str, starts: NDArray[np.uint64]) -> None:
        self.starts = starts
        self.paths = [folder / f"{name}.{i}" for i in range(len(starts))]
        self._files: list[IO[bytes]] = []
        try:
            for path in self.paths:
                self._files.append(path.open("wb"))
        except OSError:
            self.close()
            raise

    def add(self, records: Records) -> None:
        """Append records to their buckets, in the order they are in."""
        bucket = np.searchsorted(self.starts, keys(records), "right") - 1
        order = np.argsort(bucket, kind="stable")
        ends = np.searchsorted(bucket[order], np.arange(len(self.paths) + 1))
        for i in np.unique(bucket).tolist():
            records[order[ends[i] : ends[i + 1]]].tofile(self._files[i])

    def in_order(self, high: int, kind: np.dtype[Any], memory: int) -> Iterator[Records]:
        """All records, sorted; `high` is above all keys. Close first."""
        ends = [*map(int, self.starts), high]
        for path, (low, end) in zip(self.paths, pairwise(ends), strict=True):
            yield from in_order(path, low, end, kind, memory)

    def close(self) -> None:
        for file in self._files:
            file.close()


def keys(records: Records) -> NDArray[np.uint64]:
    """What records are sorted by: target, then source."""
    target: NDArray[np.uint64] = records["row"].astype(np.uint64) << np.uint64(32)
    target |= records["col"]
    return target


def even_ranges(counts: NDArray[np.int64], bins: NDArray[np.uint64], most: int) -> NDArray[np.uint64]:
    """Where ranges of at most `most` records each begin, as far as the bins of a histogram and SPLITS allow.

    Shapes:
        counts (bins,), bins (bins,) uint64: where they begin.
    """
    # Each range has more than `most` together with the first bin of the next, so there are at most SPLITS.
    most = max(most, -(-int(counts.sum()) * 2 // SPLITS))
    starts, held = [0], 0
    for bin_, count in enumerate(counts.tolist()):
        if bin_ and held + count > most:
            starts.append(bin_)
            held = 0
        held += count
    return bins[starts]


def in_order(path: Path, low: int, high: int, kind: np.dtype[Any], memory: int) -> Iterator[Records]:
    """The records of a file with keys from low to below high, sorted, in pieces; the file is deleted.

    Args:
        memory: bytes that may be held.
    """
    size = path.stat().st_size
    if size * SORTING <= memory:
        records: Records = np.fromfile(path, kind)
        path.unlink()
        # Equal keys keep the order they came in.
        yield records[np.argsort(keys(records), kind="stable")]
        return
    at_a_time = max(1, memory // SORTING // kind.itemsize)
    if high - low == 1:
        yield from _pieces(path, kind, at_a_time)
        path.unlink()
        return
    bins = min(4 * SPLITS, high - low)
    # With Python's integers, for 2⁶⁴ is one too many for NumPy's.
    starts = np.array([low + (high - low) * i // bins for i in range(bins)], np.uint64)
    counts = np.zeros(bins, np.int64)
    for records in _pieces(path, kind, at_a_time):
        counts += np.bincount(np.searchsorted(starts, keys(records), "right") - 1, minlength=bins)
    parts = Buckets(path.parent, path.name, even_ranges(counts, starts, at_a_time))
    try:
        for records in _pieces(path, kind, at_a_time):
            parts.add(records)
    finally:
        parts.close()
    path.unlink()
    yield from parts.in_order(high, kind, memory)


def _pieces(path: Path, kind: np.dtype[Any], at_a_time: int) -> Iterator[Records]:
    with path.open("rb") as file:
        while len(records := np.fromfile(file, kind, at_a_time)):
            yield records
