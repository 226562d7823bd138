"""The reading side of a run folder, live or after training. NumPy only."""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmgraph.errors import RunDamagedError, UnknownNameError
from mmgraph.runs import schema
from mmgraph.runs.connection import Reading
from mmgraph.runs.folder import read_config
from mmgraph.runs.items import ItemSet, item_names, item_path, read_items
from mmgraph.runs.records import EMPTY_SERIES, Cursor, Event, Outline, Series, Status, Update
from mmgraph.runs.snapshot import Array, Snapshot, SnapshotInfo, read_indexed

HEARTBEAT_SECONDS = 10.0
"""A running run whose writer has been silent for longer than this counts as interrupted."""
STARVED_SECONDS = 60.0
"""So long a writer on this machine may be silent while its process is there: it may not get the processor."""

_CHUNK = 20_000


class RunReader:
    """Reads a run folder; never writes to it.

        run = RunReader("runs/digits-graph-20260101-120000")
        run.series("validation/accuracy").value
        for info in run.snapshots(kind="embedding"):
            vectors = run.load(info).array

    A reader belongs to one thread at a time.

    Raises:
        NotARunError, RunSchemaError, RunDamagedError: see `mmgraph.errors`.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._reading = Reading(self.folder)
        self._heartbeat, self._heartbeat_seen = 0.0, 0.0
        try:
            self.config = read_config(self.folder)
        except RunDamagedError:
            self.close()
            raise

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return self.folder.resolve().name

    def close(self) -> None:
        """Let go of the file."""
        self._reading.close()

    def __enter__(self) -> RunReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def status(self) -> Status:
        """Where the run stands now."""
        self._refresh()
        return self._status()

    def poll(self, cursor: Cursor | None = None, between: Callable[[], object] | None = None) -> Update:
        """Everything that is new since a cursor; everything there is without one.

        Args:
            between: called between parts of the recorded numbers; what it raises ends the reading.
        """
        cursor = cursor or Cursor()
        self._refresh()
        list(self._query("BEGIN"))  # all of the update shows one state of the run
        try:
            return self._update(cursor, between)
        finally:
            if self._reading.connection.in_transaction:
                self._reading.connection.execute("ROLLBACK")

    def tags(self) -> list[str]:
        """Names of all recorded numbers."""
        return [tag for (tag,) in self._query("SELECT tag FROM tags ORDER BY id")]

    def series(self, tag: str) -> Series:
        """One recorded number over all steps.

        Raises:
            UnknownNameError: nothing was recorded under that name.
        """
        known = {name: number for number, name in self._query("SELECT id, tag FROM tags")}
        if tag not in known:
            raise UnknownNameError.of("recorded number", tag, known)
        sessions = dict(self._query("SELECT id, start_step FROM sessions"))
        scalars, _ = self._scalars_after(0, sessions, known[tag])
        return scalars.get(tag, EMPTY_SERIES)

    def outline(self, tag: str, columns: int) -> Outline:
        """Lowest and highest of one recorded number in each of so many equal parts of its steps; parts without any are
        left out. SQLite works it out, so it costs a fraction of reading the numbers, and other threads go on meanwhile.
        """
        of_tag = (
            "SELECT r.id, r.step, r.value FROM scalar_rows r JOIN tags t ON t.id = r.tag WHERE t.tag = ? "
            "AND r.value BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308 "
            "AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id > r.session AND s.start_step < r.step)"
        )
        rows = list(
            self._query(
                f"WITH r AS MATERIALIZED ({of_tag}), span AS (SELECT min(step) first, max(step) last FROM r) "
                "SELECT min(value), max(value) FROM r, span "
                "GROUP BY (step - first) * ? / (last - first + 1) ORDER BY min(step)",
                (tag, columns),
            )
        )
        last = next(self._query(f"{of_tag} ORDER BY r.id DESC LIMIT 1", (tag,)), None)
        return Outline(
            tuple(low for low, _ in rows),
            tuple(high for _, high in rows),
            math.nan if last is None else float(last[2]),
        )

    def snapshots(
        self, *, kind: str | None = None, layer: str | None = None, step: int | None = None
    ) -> list[SnapshotInfo]:
        """The index of snapshots, in order of steps."""
        conditions = {"kind": kind, "layer": layer, "step": step}
        given = {name: value for name, value in conditions.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given) or "1"
        return list(self._snapshot_rows(f"{where} ORDER BY step, id", tuple(given.values())))

    def load(self, info: SnapshotInfo) -> Snapshot:
        """Read the array of a snapshot.

        Raises:
            RunDamagedError: its file is missing or cut short.
        """
        path = self.folder / schema.SNAPSHOT_FOLDER / Path(info.file).name
        return read_indexed(path, info)

    def item_names(self) -> list[str]:
        """Names of the item sets."""
        return item_names(self.folder)

    def item_file(self, name: str = "items") -> Path:
        """Where an item set lies; its time of change says when to read it again."""
        return item_path(self.folder, name)

    def items(self, name: str = "items") -> ItemSet:
        """One item set.

        Raises:
            RunDamagedError: its file is missing or cut short.
        """
        return read_items(self.folder, name)

    def checkpoints(self) -> list[Path]:
        """Checkpoint files, by name."""
        folder = self.folder / schema.CHECKPOINT_FOLDER
        return sorted(path for path in folder.glob("*.safetensors") if not path.name.startswith("."))

    # -- reading tables ----------------------------------------------------------------------------------

    def _refresh(self) -> None:
        self._reading.refresh()

    def _status(self) -> Status:
        # Runs of before GPU memory was recorded lack its column.
        known = {row[1] for row in self._query("PRAGMA table_info(status)")}
        memory = "device_memory" if "device_memory" in known else "NULL"
        rows = self._query(
            "SELECT state, message, step, epoch, total_steps, seconds, seconds_left, steps_per_second, "
            f"learning_rate, dropped, metrics, pid, host, heartbeat, {memory} FROM status"
        )
        row = next(rows, None)
        if row is None:
            created = next(self._query("SELECT value FROM meta WHERE key = 'created'"), ("0",))[0]
            if abs(time.time() - float(created)) < STARVED_SECONDS:
                return Status("running", "starting")
            return Status("interrupted", "the run was made but never started")
        values = list(row)
        try:
            values[10] = dict(json.loads(values[10]))
        except (TypeError, ValueError) as error:
            raise self._damaged(error) from error
        status = Status(*values)
        if status.is_live and self._is_gone(status):
            return Status("interrupted", "the process that wrote this run is gone", *values[2:])
        return status

    def _is_gone(self, status: Status) -> bool:
        # Clocks of two machines differ: once two heartbeats were seen, only our own clock counts.
        now = time.monotonic()
        if status.heartbeat != self._heartbeat:
            age = 0.0 if self._heartbeat else max(time.time() - status.heartbeat, 0.0)
            self._heartbeat, self._heartbeat_seen = status.heartbeat, now - age
        silent = now - self._heartbeat_seen
        if status.host == socket.gethostname() and status.pid and os.name == "posix":
            with contextlib.suppress(PermissionError):
                try:
                    os.kill(status.pid, 0)
                except ProcessLookupError:
                    return True
            return silent > STARVED_SECONDS
        return silent > HEARTBEAT_SECONDS

    def _update(self, cursor: Cursor, between: Callable[[], object] | None) -> Update:
        status = self._status()
        sessions = dict(self._query("SELECT id, start_step FROM sessions ORDER BY id"))
        resumed = [start for number, start in sessions.items() if number > cursor.session > 0]
        scalars, last_scalar = self._scalars_after(cursor.scalars, sessions, None, between)
        events = tuple(
            Event(*row)
            for row in self._query(
                "SELECT id, step, wall_time, level, kind, message FROM events WHERE id > ? ORDER BY id",
                (cursor.events,),
            )
        )
        snapshots = tuple(self._snapshot_rows("id > ? ORDER BY id", (cursor.snapshots,)))
        new = Cursor(
            last_scalar,
            events[-1].id if events else cursor.events,
            snapshots[-1].id if snapshots else cursor.snapshots,
            max(sessions, default=0),
        )
        return Update(new, status, scalars, events, snapshots, min(resumed, default=None))

    def _query(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        for rows in self._query_blocks(sql, values):
            yield from rows

    def _query_blocks(self, sql: str, values: tuple[Any, ...]) -> Iterator[list[tuple[Any, ...]]]:
        try:
            cursor = self._reading.connection.execute(sql, values)
            while rows := cursor.fetchmany(_CHUNK):  # in parts, so that other threads get their turn
                yield rows
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> RunDamagedError:
        return RunDamagedError(f"'{self._reading.path}' could not be read ({error}).")

    def _scalars_after(
        self,
        last: int,
        sessions: dict[int, int],
        only_tag: int | None = None,
        between: Callable[[], object] | None = None,
    ) -> tuple[dict[str, Series], int]:
        numbers, ends = np.array(sorted(sessions)), _last_steps(sessions)
        parts: dict[int, list[Array]] = {}
        for rows in self._query_blocks(
            "SELECT id, session, tag, step, epoch, wall_time, value FROM scalar_rows WHERE id > ? "
            + ("ORDER BY id" if only_tag is None else "AND tag = ? ORDER BY id"),
            (last,) if only_tag is None else (last, only_tag),
        ):
            try:
                block = np.array(rows, dtype=np.float64)  # None becomes NaN
            except (TypeError, ValueError) as error:
                raise self._damaged(error) from error
            last = int(block[-1, 0])
            if len(numbers) > 1:
                block = block[block[:, 3] <= ends[np.searchsorted(numbers, block[:, 1])]]
            for tag in np.unique(block[:, 2]):
                parts.setdefault(int(tag), []).append(block[block[:, 2] == tag, 3:])
            if between is not None:
                between()
        names = dict(self._query("SELECT id, tag FROM tags")) if parts else {}
        scalars = {}
        for tag, blocks in parts.items():
            block = np.concatenate(blocks)
            scalars[names[tag]] = Series(
                block[:, 0].astype(np.int64), *(block[:, i].copy() for i in (1, 2, 3))
            )
        return scalars, last

    def _snapshot_rows(self, where: str, values: tuple[Any, ...]) -> Iterator[SnapshotInfo]:
        rows = self._query(
            "SELECT id, step, epoch, wall_time, kind, layer, axes, shape, dtype, file, items, bytes "
            f"FROM snapshots WHERE {where}",
            values,
        )
        for number, step, epoch, wall_time, kind, layer, axes, shape, dtype, file, items, nbytes in rows:
            try:
                names, sizes = tuple(json.loads(axes)), tuple(json.loads(shape))
            except (TypeError, ValueError) as error:
                raise self._damaged(error) from error
            yield SnapshotInfo(
                number,
                step,
                float("nan") if epoch is None else epoch,
                wall_time,
                kind,
                layer,
                names,
                sizes,
                dtype,
                file,
                items,
                nbytes,
            )


def _last_steps(sessions: dict[int, int]) -> Array:
    """Up to which step each session counts, in order of their numbers: as far as no later one began before."""
    starts = [sessions[number] for number in sorted(sessions)]
    later = [*starts[1:], np.inf, np.inf]  # one more, for rows of a session that is not listed
    return np.minimum.accumulate(np.array(later, dtype=np.float64)[::-1])[::-1]
