"""A copy of runs on another machine that is kept up to date: what the window reads of them, never written to there.

The numbers of a run and its log are copied twice; as long as the log was not begun anew in between, the later copies
belong together. They become one file without a log, which takes the place of the one before in a single step, after
the arrays that it names have arrived.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import shutil
import sqlite3
import threading
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_dir
from PySide6.QtCore import QThread, Signal

from mmgraph.errors import MMGraphError, RunError
from mmgraph_gui.remote.address import Address, Fetcher

SECONDS = 3.0
DATABASE = "run.db"

_log = logging.getLogger(__name__)


class Mirror(QThread):
    """Copies again and again, a few seconds after it has done so.

    Args:
        address: where the runs are.
        cache: folder for copies; by default that of the user.

    Signals:
        ready(Path): all of it has been copied for the first time, to this folder.
        failed(str): it could not be copied; told once, and tried again.
        recovered(): it could be copied again.
    """

    ready = Signal(object)
    failed = Signal(str)
    recovered = Signal()

    def __init__(self, address: Address, cache: Path | None = None) -> None:
        super().__init__()
        self.address = address
        known = hashlib.sha256(address.text.encode()).hexdigest()[:12]
        base = (cache or Path(user_cache_dir("mmgraph", appauthor=False), "mirrors")) / known
        self._staging = base / "staging"
        self._lock = FileLock(base / "lock", thread_local=False)
        self.folder = base / "runs" / address.name
        self._fetcher = Fetcher(address)
        self._wake = threading.Event()
        self._published: dict[Path, object] = {}

    def covers(self, path: Path | None) -> bool:
        """Whether a path lies in the copy."""
        return path is not None and path.absolute().is_relative_to(self.folder.absolute())

    def close(self) -> None:
        """Stop, and wait for it."""
        self._fetcher.stop.set()
        self._wake.set()
        self.wait()

    def run(self) -> None:
        was_ready, trouble = False, ""
        while not self._fetcher.stop.is_set():
            try:
                self._copy()
                if not was_ready:
                    was_ready = True
                    self.ready.emit(self.folder)
                if trouble:
                    trouble = ""
                    self.recovered.emit()
            except (MMGraphError, OSError) as error:
                if not self._fetcher.stop.is_set() and str(error) != trouble:
                    trouble = str(error)
                    self.failed.emit(trouble)
            except Exception as error:
                _log.exception("copying runs failed")
                self.failed.emit(f"'{self.address.text}' cannot be copied ({type(error).__name__}: {error}).")
                return
            self._wake.wait(SECONDS)

    def _copy(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return  # another window copies the same
        try:
            self._fetcher.databases(self._staging)
            before = {path: _generation(path) for path in self._databases()}
            self._fetcher.databases(self._staging)
            sound = [path for path in self._databases() if before.get(path) == _generation(path)]
            if not self._databases():
                raise RunError(
                    f"'{self.address.text}' holds no runs: there is no file {DATABASE} in or below it."
                )
            self._fetcher.files(self.folder)
            for path in sound:
                self._publish(path)
            self._forget_deleted()
        finally:
            self._lock.release()

    def _databases(self) -> list[Path]:
        return [path for pattern in (DATABASE, f"*/{DATABASE}") for path in self._staging.glob(pattern)]

    def _publish(self, database: Path) -> None:
        """Put one file in the place of the numbers of a run, if they have changed."""
        stamp = _stamp(database)
        if self._published.get(database) == stamp:
            return
        folder = self.folder / database.parent.relative_to(self._staging)
        folder.mkdir(parents=True, exist_ok=True)
        whole = folder / f".{DATABASE}"
        with contextlib.suppress(FileNotFoundError):
            Path(f"{whole}-wal").unlink()
        shutil.copyfile(database, whole)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{database}-wal", f"{whole}-wal")
        try:
            with contextlib.closing(sqlite3.connect(whole, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError as error:
            if not isinstance(error, sqlite3.OperationalError):
                whole.replace(folder / DATABASE)  # damaged there too: the window says so
                self._published[database] = stamp
            return
        whole.replace(folder / DATABASE)
        self._published[database] = stamp

    def _forget_deleted(self) -> None:
        """Runs that are gone there go here."""
        there = {path.parent.name for path in self._staging.glob(f"*/{DATABASE}")}
        for path in self.folder.glob(f"*/{DATABASE}"):
            if path.parent.name not in there:
                shutil.rmtree(path.parent, ignore_errors=True)


def _generation(database: Path) -> bytes:
    """What tells a log from the one before it: the salt in its header; without a log, the file's count of changes."""
    for path, size in ((Path(f"{database}-wal"), 32), (database, 100)):
        with contextlib.suppress(OSError), path.open("rb") as file:
            if header := file.read(size):
                return header
    return b""


def _stamp(database: Path) -> object:
    stamps = []
    for path in (database, Path(f"{database}-wal")):
        with contextlib.suppress(OSError):
            stat = path.stat()
            stamps.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(stamps)
