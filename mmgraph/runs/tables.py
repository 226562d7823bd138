"""What is recorded, as rows of `run.db`."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmgraph.runs.snapshot import Snapshot

Scalars = tuple[int, float | None, float, tuple[tuple[str, float | None], ...]]
"""step, epoch, wall time, and (tag, value) pairs."""


@dataclass
class Batch:
    """What one transaction writes. Events are rows (step, wall time, level, kind, message); answers are
    rows (wall time, step, answer, number of the command)."""

    scalars: list[Scalars] = field(default_factory=list)
    events: list[tuple[int | None, float, str, str, str]] = field(default_factory=list)
    answers: list[tuple[float, int, str, int]] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.scalars or self.events or self.answers or self.status)


@dataclass(frozen=True)
class Capture:
    """Snapshots taken together, waiting to be written."""

    step: int
    epoch: float | None
    wall_time: float
    snapshots: Sequence[Snapshot]
    nbytes: int


class Tables:
    """One session of writing to `run.db`; each method is one transaction."""

    def __init__(self, connection: sqlite3.Connection, start_step: int | None) -> None:
        """Begin a session at `start_step`; at the last recorded step by default, so that all before it counts."""
        self._connection = connection
        self._tags: dict[str, int] = dict(connection.execute("SELECT tag, id FROM tags").fetchall())
        now, pid, host = time.time(), os.getpid(), socket.gethostname()
        with self._transaction():
            if "device_memory" not in {row[1] for row in connection.execute("PRAGMA table_info(status)")}:
                connection.execute("ALTER TABLE status ADD COLUMN device_memory INTEGER")
            if start_step is None:
                start_step = connection.execute(
                    "SELECT max(ifnull(max(step), 0), (SELECT ifnull(max(step), 0) FROM snapshots), "
                    "(SELECT ifnull(max(step), 0) FROM status)) FROM scalars"
                ).fetchone()[0]
            self.session = int(
                connection.execute(
                    "INSERT INTO sessions (start_step, wall_time, pid, host) VALUES (?, ?, ?, ?)",
                    (start_step, now, pid, host),
                ).lastrowid
                or 1
            )
            if self.session > 1:  # a run that others see already may get a command before its first session
                connection.execute(
                    "UPDATE commands SET answered_at = ?, "
                    "answer = 'too late: the process it was meant for had ended' WHERE answered_at IS NULL",
                    (now,),
                )
            connection.execute(
                "INSERT INTO status (id, state, step, pid, host, heartbeat) VALUES (1, 'running', ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = 'running', message = '', step = excluded.step, "
                "pid = excluded.pid, host = excluded.host, heartbeat = excluded.heartbeat",
                (start_step, pid, host, now),
            )
            self.heartbeat = now
            self.dropped = int(connection.execute("SELECT dropped FROM status").fetchone()[0])

    def write(self, batch: Batch) -> None:
        """Write a batch, and that the process is alive."""
        connection = self._connection
        with self._transaction():
            connection.executemany(
                "INSERT INTO scalar_rows (session, step, epoch, wall_time, tag, value) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (self.session, step, epoch, wall_time, self._tag_number(tag), value)
                    for step, epoch, wall_time, values in batch.scalars
                    for tag, value in values
                ],
            )
            connection.executemany(
                "INSERT INTO events (session, step, wall_time, level, kind, message) VALUES (?, ?, ?, ?, ?, ?)",
                [(self.session, *event) for event in batch.events],
            )
            connection.executemany(
                "UPDATE commands SET answered_at = ?, answered_step = ?, answer = ? WHERE id = ?",
                batch.answers,
            )
            self.heartbeat = time.time()
            fields = {**batch.status, "heartbeat": self.heartbeat}
            assignments = ", ".join(f"{name} = ?" for name in fields)
            connection.execute(f"UPDATE status SET {assignments} WHERE id = 1", tuple(fields.values()))

    def index(self, capture: Capture, file: str) -> None:
        """Make the snapshots of a capture visible, whose file is in place."""
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO snapshot_rows (session, step, epoch, wall_time, kind, layer, axes, shape, dtype, "
                "file, items, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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

    def close(self) -> None:
        """Move all that is in SQLite's log into `run.db`, so that the file alone can be copied, and let go of it."""
        try:
            self._connection.execute("PRAGMA busy_timeout = 1000")  # a reader may be at it
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass  # the log stays beside the file, as it was
        finally:
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; when it fails, the known tags too are as before."""
        known = dict(self._tags)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._tags = known
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _tag_number(self, tag: str) -> int:
        if tag not in self._tags:
            number = self._connection.execute("INSERT INTO tags (tag) VALUES (?)", (tag,)).lastrowid
            self._tags[tag] = int(number or 0)
        return self._tags[tag]
