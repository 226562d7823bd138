"""Runs that wait for their turn. The queue lives with the window: what still waits when it closes is not started."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from mmgraph.options import Scalar
from mmgraph.runs import RunSummary
from mmgraph_gui.processes.launcher import Launcher
from mmgraph_gui.runs.runentry import RunEntry

LOOK_MILLISECONDS = 500


@dataclass(frozen=True)
class Waiting:
    """One that waits. `entry` is what the table of runs shows of it."""

    recipe: str
    values: dict[str, Scalar | None]
    root: Path
    entry: RunEntry


class RunQueue(QObject):
    """Starts the next run when no other is being trained: neither by this window, nor any that it lists.

    Args:
        launcher: what starts them.
        is_busy: whether some run is being trained that the launcher did not start.

    Signals:
        changed(list): entries of those that wait, the next one first.
        started(str, Callable): recipe of a run that has been started, and what gives that up until it appears.
    """

    changed = Signal(object)
    started = Signal(str, object)

    def __init__(
        self, launcher: Launcher, is_busy: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._launcher, self._is_busy = launcher, is_busy
        self._waiting: list[Waiting] = []
        self._number = 0
        self._timer = QTimer(self, interval=LOOK_MILLISECONDS)
        self._timer.timeout.connect(self._look)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, recipe: str, values: Mapping[str, Scalar | None], root: Path) -> None:
        """Let a run wait for its turn."""
        self._number += 1
        path = root / f"{recipe} ({self._number})"
        dataset = str(values.get("dataset") or "")
        changes = ", ".join(f"{name} = {value}" for name, value in values.items()) or "default options"
        summary = RunSummary(path, "queued", changes, recipe, dataset)
        self._waiting.append(Waiting(recipe, dict(values), root, RunEntry(summary, time.time())))
        self._timer.start()
        self._tell()

    def cancel(self, path: Path) -> None:
        """Take a run out again."""
        self._waiting = [one for one in self._waiting if one.entry.path != path]
        self._tell()

    def close(self) -> None:
        """Start no more."""
        self._timer.stop()

    def _look(self) -> None:
        if not self._waiting:
            self._timer.stop()
        elif not self._launcher.is_training and not self._is_busy():
            following = self._waiting.pop(0)
            cancel = self._launcher.start(following.recipe, following.values, following.root, awaited=False)
            self.started.emit(following.recipe, cancel)
            self._tell()

    def _tell(self) -> None:
        newest = max((one.entry.created for one in self._waiting), default=0.0)
        places = enumerate(self._waiting, start=1)  # the next one stands first where the newest do
        self.changed.emit([replace(one.entry, place=at, created=newest - at / 1000) for at, one in places])
