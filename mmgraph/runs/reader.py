"""The reading side of a run folder, live or after training. NumPy only."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmgraph.errors import RunDamagedError, UnknownNameError
from mmgraph.runs import schema
from mmgraph.runs.folder import read_config
from mmgraph.runs.items import ItemSet, read_items
from mmgraph.runs.snapshot import Array, Snapshot, SnapshotInfo, read_snapshot

HEARTBEAT_SECONDS = 10.0
"""A running run whose writer has been silent for longer than this counts as interrupted."""

_CHUNK = 20_000


@dataclass(frozen=True)
class Series:
    """One recorded number over training, sorted by the order of recording.

    Shapes:
        step int64 (n,), epoch, wall_time and value float64 (n,).

    Units:
        wall_time in seconds since 1970 (UTC).
    """

    step: Array
    epoch: Array
    wall_time: Array
    value: Array

    def __len__(self) -> int:
        return len(self.step)

    def before(self, step: int) -> Series:
        """The part up to and including a step."""
        keep = self.step <= step
        return Series(self.step[keep], self.epoch[keep], self.wall_time[keep], self.value[keep])

    def joined(self, later: Series) -> Series:
        """This series followed by a later part of it."""
        return Series(
            *(np.concatenate([getattr(self, name), getattr(later, name)]) for name in _SERIES_FIELDS)
        )


_SERIES_FIELDS = ("step", "epoch", "wall_time", "value")
EMPTY_SERIES = Series(np.zeros(0, np.int64), *(np.zeros(0) for _ in range(3)))


@dataclass(frozen=True)
class Event:
    """One line of a run's log."""

    id: int
    step: int | None
    wall_time: float
    level: str
    kind: str
    message: str


@dataclass(frozen=True)
class Status:
    """Where a run stands. `state` is running, paused, finished, stopped, failed, or interrupted: the process
    that wrote it is gone without a word."""

    state: str
    message: str = ""
    step: int = 0
    epoch: float = 0.0
    total_steps: int | None = None
    seconds: float = 0.0
    seconds_left: float | None = None
    steps_per_second: float | None = None
    learning_rate: float | None = None
    dropped: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    pid: int | None = None
    host: str | None = None
    heartbeat: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether a process is writing the run now."""
        return self.state in schema.RUNNING_STATES


@dataclass(frozen=True)
class Cursor:
    """How far a reader has read; start with `Cursor()`."""

    scalars: int = 0
    events: int = 0
    snapshots: int = 0
    session: int = 0


@dataclass(frozen=True)
class Update:
    """What is new in a run since a cursor.

    `rewound_to`: where not None, the run was resumed from that step: forget what you hold of later steps,
    then add what this update brings.
    """

    cursor: Cursor
    status: Status
    scalars: dict[str, Series]
    events: tuple[Event, ...]
    snapshots: tuple[SnapshotInfo, ...]
    rewound_to: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing but the status can have changed."""
        return not (self.scalars or self.events or self.snapshots or self.rewound_to is not None)


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
        self._connection = schema.connect(self.folder, read_only=True)
        self.config = read_config(self.folder)

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return self.folder.resolve().name

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> RunReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def status(self) -> Status:
        """Where the run stands now."""
        rows = self._query(
            "SELECT state, message, step, epoch, total_steps, seconds, seconds_left, steps_per_second, "
            "learning_rate, dropped, metrics, pid, host, heartbeat FROM status"
        )
        row = next(rows, None)
        if row is None:
            return Status("interrupted", "the run was made but never started")
        values = list(row)
        values[10] = json.loads(values[10])
        status = Status(*values)
        if status.is_live and _is_gone(status):
            return Status("interrupted", "the process that wrote this run is gone", *values[2:])
        return status

    def poll(self, cursor: Cursor | None = None) -> Update:
        """Everything that is new since a cursor; everything there is without one."""
        cursor = cursor or Cursor()
        status = self.status()  # first, so that a finished run is never read short of its end
        sessions = list(self._query("SELECT id, start_step FROM sessions ORDER BY id"))
        resumed = [start for number, start in sessions if number > cursor.session > 0]
        rewound_to = min(resumed, default=None)
        scalars, last_scalar = self._scalars_after(cursor.scalars, dict(sessions))
        events = tuple(
            Event(*row)
            for row in self._query(
                "SELECT id, step, wall_time, level, kind, message FROM events WHERE id > ? ORDER BY id",
                (cursor.events,),
            )
        )
        snapshots = tuple(
            self._snapshot_rows("SELECT * FROM snapshots WHERE id > ? ORDER BY id", (cursor.snapshots,))
        )
        new = Cursor(
            last_scalar,
            events[-1].id if events else cursor.events,
            snapshots[-1].id if snapshots else cursor.snapshots,
            sessions[-1][0] if sessions else 0,
        )
        return Update(new, status, scalars, events, snapshots, rewound_to)

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

    def snapshots(
        self, *, kind: str | None = None, layer: str | None = None, step: int | None = None
    ) -> list[SnapshotInfo]:
        """The index of snapshots, in order of steps."""
        conditions = {"kind": kind, "layer": layer, "step": step}
        given = {name: value for name, value in conditions.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given) or "1"
        return list(
            self._snapshot_rows(
                f"SELECT * FROM snapshots WHERE {where} ORDER BY step, id", tuple(given.values())
            )
        )

    def load(self, info: SnapshotInfo) -> Snapshot:
        """Read the array of a snapshot.

        Raises:
            RunDamagedError: its file is missing or cut short.
        """
        path = self.folder / schema.SNAPSHOT_FOLDER / Path(info.file).name
        return read_snapshot(path, f"{info.kind}/{info.layer}")

    def item_names(self) -> list[str]:
        """Names of the item sets."""
        folder = self.folder / schema.ITEM_FOLDER
        return sorted(path.stem for path in folder.glob("*.safetensors") if not path.name.startswith("."))

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

    def _query(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            cursor = self._connection.execute(sql, values)
            while rows := cursor.fetchmany(_CHUNK):  # in parts, so that other threads get their turn
                yield from rows
        except sqlite3.Error as error:
            raise RunDamagedError(
                f"'{self.folder / schema.DATABASE_FILE}' could not be read ({error})."
            ) from error

    def _scalars_after(
        self, last: int, sessions: dict[int, int], only_tag: int | None = None
    ) -> tuple[dict[str, Series], int]:
        ends = _superseded_after(sessions)
        parts: dict[int, list[Array]] = {}
        cursor = self._connection.execute(
            "SELECT id, session, tag, step, epoch, wall_time, value FROM scalar_rows "
            "WHERE id > ? AND tag = ifnull(?, tag) ORDER BY id",
            (last, only_tag),
        )
        try:
            while rows := cursor.fetchmany(_CHUNK):
                block = np.array(rows, dtype=np.float64)  # None becomes NaN
                last = int(block[-1, 0])
                if ends:
                    limits = np.array([ends.get(int(number), np.inf) for number in block[:, 1]])
                    block = block[block[:, 3] <= limits]
                for tag in np.unique(block[:, 2]):
                    parts.setdefault(int(tag), []).append(block[block[:, 2] == tag, 3:])
        except sqlite3.Error as error:
            raise RunDamagedError(
                f"'{self.folder / schema.DATABASE_FILE}' could not be read ({error})."
            ) from error
        names = dict(self._query("SELECT id, tag FROM tags")) if parts else {}
        scalars = {}
        for tag, blocks in parts.items():
            block = np.concatenate(blocks)
            scalars[names[tag]] = Series(
                block[:, 0].astype(np.int64), *(block[:, i].copy() for i in (1, 2, 3))
            )
        return scalars, last

    def _snapshot_rows(self, sql: str, values: tuple[Any, ...]) -> Iterator[SnapshotInfo]:
        for row in self._query(sql, values):
            number, _, step, epoch, wall_time, kind, layer, axes, shape, dtype, file, items, nbytes = row
            yield SnapshotInfo(
                number,
                step,
                float("nan") if epoch is None else epoch,
                wall_time,
                kind,
                layer,
                tuple(json.loads(axes)),
                tuple(json.loads(shape)),
                dtype,
                file,
                items,
                nbytes,
            )


def _superseded_after(sessions: dict[int, int]) -> dict[int, float]:
    """Last step of each session that still counts, where a later session started before its end."""
    ends: dict[int, float] = {}
    lowest = float("inf")
    for number in sorted(sessions, reverse=True):
        if lowest < float("inf"):
            ends[number] = lowest
        lowest = min(lowest, sessions[number])
    return ends


def _is_gone(status: Status) -> bool:
    if time.time() - status.heartbeat > HEARTBEAT_SECONDS:
        return True
    if status.host == socket.gethostname() and status.pid and os.name == "posix":
        try:
            os.kill(status.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
    return False
