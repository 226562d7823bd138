"""The queue between training and the disk, and the one thread that empties it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from mmgraph.errors import RunError
from mmgraph.runs.schema import SNAPSHOT_FOLDER, write_failure
from mmgraph.runs.snapshot import snapshot_file_name, write_snapshots
from mmgraph.runs.tables import Batch, Capture, Tables

FLUSH_SECONDS = 0.2
BEAT_SECONDS = 1.0


class WriteQueue:
    """Rows and captures on their way to a run folder.

    Each round of the thread writes all rows that wait in one transaction, then the file of one capture, then
    its index entry: rows never wait for more than one capture, and no snapshot is listed before its file is
    in place.

    Args:
        folder: of the run.
        tables: where rows go; closed by the thread.
        on_end: called by the thread when the last thing is written.
    """

    def __init__(self, folder: Path, tables: Tables, on_end: Callable[[], None]) -> None:
        self.folder = folder
        self.waiting_bytes = 0
        self._tables, self._on_end = tables, on_end
        self._pid = os.getpid()
        # All that follows, and waiting_bytes, is read and written under this condition. Its lock may be
        # taken again by the thread that holds it: a signal handler may record too.
        self._changed = threading.Condition()
        self._pending = Batch()
        self._captures: deque[Capture] = deque()
        self._rounds_begun = self._rounds_done = 0
        self._captures_added = self._captures_done = 0
        self._hurry = False
        self._closing = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=f"mmgraph-writer-{folder.name}", daemon=True)
        self._thread.start()

    @property
    def is_ours(self) -> bool:
        """Whether this is the process that made the queue: a forked child has its locks, but not its thread."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raise what went wrong before.

        Raises:
            RunError: writing failed, the queue is closed, or this is a forked process.
        """
        if not self.is_ours:
            raise RunError(
                f"The run '{self.folder.name}' is written by process {self._pid}, which this process was forked "
                "from; record in that one."
            )
        if self._failure is not None:
            raise write_failure(self.folder, self._failure) from self._failure
        if self._closing:
            raise RunError(f"The run '{self.folder.name}' is closed; open it again with RunWriter(folder).")

    @contextlib.contextmanager
    def open(self) -> Iterator[Batch]:
        """The rows that wait, to add to them while the thread is kept away."""
        self.check()
        with self._changed:
            self.check()
            yield self._pending

    def add(self, capture: Capture) -> None:
        """Queue a capture; while the queue is `open`."""
        self._captures.append(capture)
        self.waiting_bytes += capture.nbytes
        self._captures_added += 1
        self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all that was added before is on disk."""
        with self.open():
            rounds, captures = self._rounds_begun + 1, self._captures_added
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: (
                    (self._rounds_done >= rounds and self._captures_done >= captures)
                    or self._failure is not None
                )
            )
            if self._failure is not None:
                raise write_failure(self.folder, self._failure) from self._failure

    def close(self, last: dict[str, str]) -> None:
        """Take nothing more, write what waits and the `last` status, end the thread. A second time it only waits.

        Raises:
            RunError: something could not be written.
        """
        with self._changed:
            first = not self._closing
            if first:
                self._pending.status.update(last)
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        if first and self._failure is not None:
            raise write_failure(self.folder, self._failure) from self._failure

    def _work(self) -> None:
        try:
            while self._round():
                pass
        except BaseException as error:  # raised again by the next call of the training thread
            self._give_up(error)
        finally:
            self._tables.close()
            self._on_end()

    def _round(self) -> bool:
        with self._changed:
            idle = not self._changed.wait_for(
                lambda: self._hurry or self._captures or self._closing, FLUSH_SECONDS
            )
            self._hurry = False
            closing = self._closing
            batch, self._pending = self._pending, Batch()
            capture = self._captures[0] if self._captures else None
            self._rounds_begun += 1
        if batch or not idle or time.time() - self._tables.heartbeat > BEAT_SECONDS:
            self._patiently(lambda: self._tables.write(batch))
        if capture is not None:
            name = snapshot_file_name(capture.step, self._tables.session, self._captures_done)
            write_snapshots(self.folder / SNAPSHOT_FOLDER / name, capture.step, capture.snapshots)
            self._patiently(lambda: self._tables.index(capture, name))
        with self._changed:
            self._rounds_done = self._rounds_begun
            if capture is not None:
                self._captures.popleft()
                self._captures_done += 1
                self.waiting_bytes -= capture.nbytes
            self._changed.notify_all()
        return capture is not None or not closing  # once closing, nothing is added

    def _patiently(self, write: Callable[[], None]) -> None:
        """Write, again and again while somebody else keeps the database locked; once when closing."""
        while True:
            try:
                return write()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or self._closing:
                    raise

    def _give_up(self, error: BaseException) -> None:
        """Save what can still be saved, and let the next call of the training thread raise."""
        failure = write_failure(self.folder, error)
        with self._changed:
            self._failure = error
            batch, self._pending = self._pending, Batch()
            self._changed.notify_all()
        batch.events.append((None, time.time(), "error", "failed", str(failure)))
        batch.status.update(state="failed", message=str(failure))
        with contextlib.suppress(sqlite3.Error):
            self._tables.write(batch)
