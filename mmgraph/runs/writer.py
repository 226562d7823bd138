"""The writing side of a run folder: a queue and one thread, so that training never waits for a disk or a viewer."""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import socket
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mmgraph.errors import NotARunError, RunBusyError, RunError
from mmgraph.runs import schema
from mmgraph.runs.commands import Command
from mmgraph.runs.folder import create_folder
from mmgraph.runs.items import ItemSet, write_items
from mmgraph.runs.snapshot import Snapshot, snapshot_file_name, write_snapshots

FLUSH_SECONDS = 0.2
QUEUE_BYTES = 256 * 2**20

_STATUS_FIELDS = frozenset(
    (
        "state",
        "message",
        "step",
        "epoch",
        "total_steps",
        "seconds",
        "seconds_left",
        "steps_per_second",
        "learning_rate",
        "metrics",
    )
)


@dataclass
class _Capture:
    step: int
    epoch: float | None
    wall_time: float
    snapshots: Sequence[Snapshot]
    nbytes: int
    written: threading.Event = field(default_factory=threading.Event)


class RunWriter:
    """Writes one run folder. Scalars and events are never dropped; snapshots are, when the disk falls behind.

    One process writes a run at a time; any number read it meanwhile.

        with RunWriter.create(Path("runs"), "my-run", {"recipe": "mine"}) as run:
            run.scalars(1, {"train/loss": 0.7})
            run.snapshots(1, [Snapshot("embedding", "fc", vectors)])

    What was recorded is on disk within `FLUSH_SECONDS` and survives the death of the process.

    Raises:
        RunBusyError: another process is writing this run.
        RunReadOnlyError: the folder cannot be written to.
        RunError: the disk is full or failed; raised by the call after the failure.
    """

    def __init__(self, folder: Path | str, *, start_step: int = 0, queue_bytes: int = QUEUE_BYTES) -> None:
        self.folder = Path(folder)
        self._lock = _acquire(self.folder)
        try:
            self._commands = schema.connect(self.folder, read_only=False)
            _prepare(self._commands)
            now, pid, host = time.time(), os.getpid(), socket.gethostname()
            cursor = self._commands.execute(
                "INSERT INTO sessions (start_step, wall_time, pid, host) VALUES (?, ?, ?, ?)",
                (start_step, now, pid, host),
            )
            self.session = int(cursor.lastrowid or 1)
            self._commands.execute(
                "UPDATE commands SET answered_at = ?, answer = 'too late: the process it was meant for had ended' "
                "WHERE answered_at IS NULL",
                (now,),
            )
            self._commands.execute(
                "INSERT INTO status (id, state, step, pid, host, heartbeat) VALUES (1, 'running', ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = 'running', message = '', step = excluded.step, "
                "pid = excluded.pid, host = excluded.host, heartbeat = excluded.heartbeat",
                (start_step, pid, host, now),
            )
        except sqlite3.OperationalError as error:
            self._lock.release()
            raise schema.write_failure(self.folder, error) from error
        except BaseException:
            self._lock.release()
            raise
        self._queue_bytes = queue_bytes
        self._rows: deque[tuple[Any, ...]] = deque()
        self._captures: deque[_Capture] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._written = 0
        self._status: dict[str, Any] = {}
        self._mutex = threading.Lock()
        self._wake = threading.Event()
        self._idle = threading.Condition()
        self._busy = False
        self._closing = False
        self._failure: BaseException | None = None
        self._data_version = -1
        self._thread = threading.Thread(
            target=self._work, name=f"mmgraph-writer-{self.folder.name}", daemon=True
        )
        self._thread.start()
        atexit.register(self.close)

    @classmethod
    def create(
        cls, root: Path | str, name: str, config: Mapping[str, Any], *, queue_bytes: int = QUEUE_BYTES
    ) -> RunWriter:
        """Make a new run folder `root/name` (`name-2`, `name-3` … where taken) and open it.

        Args:
            root: the folder that holds runs; made if missing.
            name: name of the run, used as folder name.
            config: what config.toml shall hold; nested mappings become tables, None is left out.
        """
        folder = create_folder(Path(root), name, config)
        return cls(folder, queue_bytes=queue_bytes)

    # -- what training calls ---------------------------------------------------------------------------

    def scalars(self, step: int, values: Mapping[str, float], *, epoch: float | None = None) -> None:
        """Record numbers at a step; NaN and infinities are kept as such."""
        self._check()
        self._rows.append(("scalars", step, epoch, time.time(), values))

    def event(self, message: str, *, level: str = "info", kind: str = "log", step: int | None = None) -> None:
        """Record a line of text: `level` is info, warning or error; `kind` says what it is about."""
        self._check()
        self._rows.append(("event", step, time.time(), level, kind, message))

    def snapshots(
        self, step: int, snapshots: Sequence[Snapshot], *, epoch: float | None = None, wait: bool = False
    ) -> bool:
        """Record arrays at a step; False if they were dropped because the disk is behind.

        Args:
            wait: wait until they are written (for the last step) instead of ever dropping them.
        """
        self._check()
        if not snapshots:
            return True
        nbytes = sum(snapshot.nbytes for snapshot in snapshots)
        with self._mutex:
            full = self._waiting_bytes + nbytes > self._queue_bytes and self._waiting_bytes > 0
            if full and not wait:
                self._dropped += 1
            else:
                capture = _Capture(step, epoch, time.time(), snapshots, nbytes)
                self._captures.append(capture)
                self._waiting_bytes += nbytes
        if full and not wait:
            self.event(
                f"Dropped the snapshots of step {step}: {self._waiting_bytes / 2**20:.0f} MiB are still waiting "
                "for the disk.",
                level="warning",
                kind="dropped",
                step=step,
            )
            return False
        self._wake.set()
        if wait:
            self.flush()
        return True

    def items(self, items: ItemSet) -> None:
        """Write down what the rows of embeddings are."""
        self._check()
        try:
            write_items(self.folder, items)
        except OSError as error:
            raise schema.write_failure(self.folder, error) from error

    def status(self, **fields: Any) -> None:
        """Set where the run stands: any of state, message, step, epoch, total_steps, seconds, seconds_left,
        steps_per_second, learning_rate, metrics (a mapping)."""
        unknown = fields.keys() - _STATUS_FIELDS
        if unknown:
            raise TypeError(f"a run's status has no field {', '.join(sorted(unknown))}")
        self._check()
        with self._mutex:
            self._status.update(fields)

    def commands(self) -> list[Command]:
        """Commands that nobody has answered yet. Costs about 3 µs when there is nothing new."""
        version = self._commands.execute("PRAGMA data_version").fetchone()[0]
        if version == self._data_version:
            return []
        self._data_version = version
        rows = self._commands.execute(
            "SELECT id, name, argument FROM commands WHERE answered_at IS NULL ORDER BY id"
        ).fetchall()
        return [Command(*row) for row in rows]

    def answer(self, command: Command, answer: str, *, step: int) -> None:
        """Say what became of a command."""
        self._check()
        self._commands.execute(
            "UPDATE commands SET answered_at = ?, answered_step = ?, answer = ? WHERE id = ?",
            (time.time(), step, answer, command.id),
        )
        self.event(f"{command.name}: {answer}", kind="command", step=step)

    def flush(self) -> None:
        """Wait until everything recorded so far is on disk."""
        with self._idle:
            while (self._rows or self._captures or self._busy or self._status) and self._thread.is_alive():
                self._wake.set()
                self._idle.wait(0.05)
        self._check()

    def close(self, state: str | None = None, message: str = "") -> None:
        """Write what is left, set the final state, and let others write the run. Closing twice does no harm."""
        if self._closing:
            return
        if state is not None and self._failure is None:
            self.status(state=state, message=message)
        self._closing = True
        self._wake.set()
        self._thread.join()
        self._commands.close()
        self._lock.release()
        atexit.unregister(self.close)
        if self._failure is not None:
            raise schema.write_failure(self.folder, self._failure) from self._failure

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.close("finished")
        else:
            with contextlib.suppress(RunError):  # the error on its way out came first
                self.close("stopped" if isinstance(error, KeyboardInterrupt) else "failed", str(error))

    def _check(self) -> None:
        if self._failure is not None:
            raise schema.write_failure(self.folder, self._failure) from self._failure
        if self._closing:
            raise RunError(f"The run '{self.folder.name}' is closed; open it again with RunWriter(folder).")

    # -- the thread ------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            connection = schema.connect(self.folder, read_only=False)
            try:
                _prepare(connection)
                tags = {tag: number for number, tag in connection.execute("SELECT id, tag FROM tags")}
                while True:
                    self._wake.wait(FLUSH_SECONDS)
                    self._wake.clear()
                    closing = self._closing
                    with self._idle:
                        self._busy = True
                    self._write_pending(connection, tags)
                    with self._idle:
                        self._busy = False
                        self._idle.notify_all()
                    if closing and not (self._rows or self._captures or self._status):
                        break
            finally:
                connection.close()
        except BaseException as error:  # raised again by the next call of the training thread
            self._failure = error
        finally:
            with self._idle:
                self._busy = False
                self._idle.notify_all()

    def _write_pending(self, connection: sqlite3.Connection, tags: dict[str, int]) -> None:
        while self._captures:
            capture = self._captures[0]
            name = snapshot_file_name(capture.step, self.session, self._written)
            self._written += 1
            write_snapshots(self.folder / schema.SNAPSHOT_FOLDER / name, capture.step, capture.snapshots)
            self._write_rows(connection, tags, capture, name)
            with self._mutex:
                self._captures.popleft()
                self._waiting_bytes -= capture.nbytes
        self._write_rows(connection, tags, None, "")

    def _write_rows(
        self, connection: sqlite3.Connection, tags: dict[str, int], capture: _Capture | None, file: str
    ) -> None:
        rows = [self._rows.popleft() for _ in range(len(self._rows))]
        with self._mutex:
            status, self._status = self._status, {}
            dropped = self._dropped
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._insert_scalars(connection, tags, [row[1:] for row in rows if row[0] == "scalars"])
            connection.executemany(
                "INSERT INTO events (session, step, wall_time, level, kind, message) VALUES (?, ?, ?, ?, ?, ?)",
                [(self.session, *row[1:]) for row in rows if row[0] == "event"],
            )
            if capture is not None:
                self._insert_snapshots(connection, capture, file)
            fields = {**status, "dropped": dropped, "heartbeat": time.time()}
            if "metrics" in fields:
                fields["metrics"] = json.dumps(fields["metrics"])
            assignments = ", ".join(f"{name} = ?" for name in fields)
            connection.execute(f"UPDATE status SET {assignments} WHERE id = 1", tuple(fields.values()))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _insert_scalars(
        self, connection: sqlite3.Connection, tags: dict[str, int], rows: list[tuple[Any, ...]]
    ) -> None:
        def tag_number(tag: str) -> int:
            if tag not in tags:
                tags[tag] = int(
                    connection.execute("INSERT INTO tags (tag) VALUES (?)", (tag,)).lastrowid or 0
                )
            return tags[tag]

        connection.executemany(
            "INSERT INTO scalar_rows (session, step, epoch, wall_time, tag, value) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (self.session, step, epoch, wall_time, tag_number(tag), _storable(value))
                for step, epoch, wall_time, values in rows
                for tag, value in values.items()
            ],
        )

    def _insert_snapshots(self, connection: sqlite3.Connection, capture: _Capture, file: str) -> None:
        connection.executemany(
            "INSERT INTO snapshot_rows (session, step, epoch, wall_time, kind, layer, axes, shape, dtype, file, "
            "items, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    self.session,
                    capture.step,
                    capture.epoch,
                    capture.wall_time,
                    snapshot.kind,
                    snapshot.layer,
                    json.dumps(snapshot.axes),
                    json.dumps(snapshot.array.shape),
                    str(snapshot.array.dtype),
                    file,
                    snapshot.items,
                    snapshot.nbytes,
                )
                for snapshot in capture.snapshots
            ],
        )


def _storable(value: Any) -> float | None:
    number = float(value)
    return None if math.isnan(number) else number


def _acquire(folder: Path) -> FileLock:
    if not (folder / schema.DATABASE_FILE).is_file():
        raise NotARunError(f"'{folder}' is not a run folder: it holds no {schema.DATABASE_FILE}.")
    lock = FileLock(folder / schema.LOCK_FILE, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunBusyError(
            f"Another process is writing the run '{folder}'. Stop it first "
            f"('mmgraph runs send {folder} stop'), or start a new run."
        ) from error
    except OSError as error:
        raise schema.write_failure(folder, error) from error
    return lock


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")  # stays as it was where the file system cannot do it
    connection.execute("PRAGMA synchronous = NORMAL")
