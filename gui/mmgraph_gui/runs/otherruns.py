"""Runs whose curves are drawn beside those of the open one: which they are, their colours, and their numbers."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from mmgraph.errors import MMGraphError
from mmgraph.runs import Cursor, RunReader, Series
from mmgraph_gui.state import AppState, OtherRun, Topic

LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)


class OtherRuns(QObject):
    """Keeps `state.others` up to date. A run keeps its colour for as long as it is drawn.

    Signals:
        changed(): other runs are drawn now, or in other colours.
        failed(str): a run cannot be read any further; what was read of it stays, and one that never could be read goes.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, state: AppState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._slots: dict[Path, int] = {}
        self._series: dict[Path, dict[str, Series]] = {}
        self._lent: Path | None = None  # drawn for no longer than it is the open one
        self._watch: _Watch | None = None
        self._unsubscribe = state.subscribe(self._state_changed)

    @property
    def paths(self) -> frozenset[Path]:
        """The runs that are drawn, the open one among them where there are others."""
        return frozenset(self._slots)

    def slot_of(self, path: Path) -> int | None:
        """Number of the colour of a run; None where it is not drawn."""
        return self._slots.get(path)

    def set(self, path: Path, on: bool) -> None:
        """Draw a run, or no longer."""
        own = self._state.path
        if on and own is not None and not self._slots:
            self._give(own)
        if on and path not in self._slots:
            self._give(path)
        elif not on and path != own:
            self._forget(path)
            if set(self._slots) <= {own}:
                self._slots.clear()
        self._follow()

    def close(self) -> None:
        """Stop the thread."""
        self._unsubscribe()
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _give(self, path: Path) -> None:
        taken = set(self._slots.values())
        self._slots[path] = next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def _forget(self, path: Path) -> None:
        self._slots.pop(path, None)
        self._series.pop(path, None)

    def _follow(self) -> None:
        if self._slots and self._watch is None:
            self._watch = _Watch()
            self._watch.read.connect(self._take)
            self._watch.failed.connect(self._lose)
            self._watch.start()
        if self._watch is not None:
            self._watch.paths = tuple(self._slots)
            self._watch.wake.set()
        self._tell()
        self.changed.emit()

    def _take(self, path: Path, series: dict[str, Series]) -> None:
        if path in self._slots:
            self._series[path] = series
            self._tell()

    def _lose(self, path: Path, text: str) -> None:
        if path in self._slots and path != self._state.path:
            if path not in self._series:
                self.set(path, False)
            self.failed.emit(text)

    def _tell(self) -> None:
        own = self._state.path
        others = tuple(
            OtherRun(path, slot, self._series[path])
            for path, slot in self._slots.items()
            if path != own and path in self._series
        )
        self._state.set_others(others, self._slots.get(own, 0) if own is not None else 0)

    def _state_changed(self, topic: Topic) -> None:
        if topic == "run" and self._slots:
            own = self._state.path
            if self._lent is not None and self._lent != own:
                self._forget(self._lent)
                self._lent = None
            if own is not None and own not in self._slots:
                self._give(own)
                self._lent = own
            self._follow()


class _Watch(QThread):
    """Reads what is new in each run, one after the other."""

    read = Signal(object, object)
    failed = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self.paths: tuple[Path, ...] = ()
        self.wake = threading.Event()
        self.closing = False

    def close(self) -> None:
        self.closing = True
        self.wake.set()
        self.wait()

    def run(self) -> None:
        readers: dict[Path, _Reading] = {}
        while not self.closing:
            self.wake.clear()
            for gone in set(readers) - set(self.paths):
                readers.pop(gone).close()
            for path in self.paths:
                if self.closing:
                    break
                known = readers.setdefault(path, _Reading(path))
                try:
                    if known.look():
                        self.read.emit(path, dict(known.series))
                except (MMGraphError, OSError) as error:
                    known.close()
                    self.failed.emit(path, str(error))
                except Exception as error:
                    _log.exception("the curves of a run could not be read")
                    known.close()
                    self.failed.emit(path, f"'{path}' could not be read ({type(error).__name__}: {error}).")
            self.wake.wait(LOOK_SECONDS)
        for known in readers.values():
            known.close()


class _Reading:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.series: dict[str, Series] = {}
        self._reader: RunReader | None = None
        self._cursor = Cursor()
        self._closed = False
        self._first = True

    def look(self) -> bool:
        """Take in what is new; whether there was anything."""
        if self._closed:
            return False
        self._reader = self._reader or RunReader(self.path)
        update = self._reader.poll(self._cursor)
        self._cursor = update.cursor
        if update.rewound_to is not None:
            self.series = {tag: one.before(update.rewound_to) for tag, one in self.series.items()}
        for tag, later in update.scalars.items():
            earlier = self.series.get(tag)
            self.series[tag] = later if earlier is None else earlier.joined(later)
        new, self._first = self._first or bool(update.scalars) or update.rewound_to is not None, False
        return new

    def close(self) -> None:
        self._closed = True
        if self._reader is not None:
            self._reader.close()
            self._reader = None
