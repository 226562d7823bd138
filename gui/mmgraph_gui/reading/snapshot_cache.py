"""Snapshots read lately, kept up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph.runs.schema import SNAPSHOT_FOLDER
from mmgraph.runs.snapshot import read_indexed

CACHE_BYTES = 256 * 2**20


class SnapshotCache:
    """Loads snapshots from any thread; the least recently used leave when it is full."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Path, int], Snapshot] = OrderedDict()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self.nbytes = 0

    def load(self, run: Path, info: SnapshotInfo) -> Snapshot:
        """The snapshot, from memory or from the run folder.

        Raises:
            RunDamagedError: its file is missing or cut short.
        """
        key = (run, info.id)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        path = run / SNAPSHOT_FOLDER / Path(info.file).name
        snapshot = read_indexed(path, info)
        with self._lock:
            if key not in self._kept and snapshot.nbytes <= self._limit:
                self._kept[key] = snapshot
                self.nbytes += snapshot.nbytes
            while self.nbytes > self._limit:
                _, oldest = self._kept.popitem(last=False)
                self.nbytes -= oldest.nbytes
        return snapshot
