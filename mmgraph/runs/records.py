"""What a reader gives of a run: its status, curves, log, and what is new."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mmgraph.runs.schema import RUNNING_STATES
from mmgraph.runs.snapshot import Array, SnapshotInfo


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
class Outline:
    """A curve in a few parts: the lowest and highest finite value of each, and the last of all (NaN without any)."""

    lows: tuple[float, ...]
    highs: tuple[float, ...]
    last: float


@dataclass(frozen=True)
class Status:
    """Where a run stands. `state` is running, paused, finished, stopped, failed, or interrupted: the process
    that wrote it is gone without a word. `device_memory` is what the model's tensors take on a GPU, in bytes."""

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
    device_memory: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether a process is writing the run now."""
        return self.state in RUNNING_STATES


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
