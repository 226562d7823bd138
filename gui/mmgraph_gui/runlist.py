"""The runs of a folder and those opened from elsewhere, read anew every two seconds off the UI thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, QThread, Signal
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QMenu, QVBoxLayout, QWidget

from mmgraph.errors import MMGraphError
from mmgraph.runs import RunReader, Status, chief_score, find_runs, is_run
from mmgraph_gui.icon import dot
from mmgraph_gui.statusline import state_colour
from mmgraph_gui.theme import Theme

REFRESH_SECONDS = 2.0
NARROWEST = 180
COLOUR_ROLE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class RunEntry:
    """What the list says of one run."""

    path: Path
    recipe: str
    state: str
    metric: str
    heartbeat: float
    resumable: bool

    @property
    def is_live(self) -> bool:
        """Whether a process is writing it."""
        return self.state in ("running", "paused")


class RunList(QWidget):
    """Click or Enter opens a run; the menu of the right button resumes or deletes it.

    Signals:
        chosen(Path): open this run.
        resume_wanted(Path), delete_wanted(Path): from the menu.
    """

    chosen = Signal(object)
    resume_wanted = Signal(object)
    delete_wanted = Signal(object)

    def __init__(self, root: Path, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._current: Path | None = None
        self.entries: list[RunEntry] = []
        self.list = QListWidget()
        self.list.setAccessibleName("Runs")
        self.list.setUniformItemSizes(True)
        self.list.setMinimumWidth(NARROWEST)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.list.itemActivated.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        self.hint = QLabel(wordWrap=True)
        self.hint.setMargin(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.hint)
        theme.changed.connect(self._fill)
        self._worker = _Worker(root)
        self._worker.found.connect(self._take)
        self._worker.start()

    @property
    def root(self) -> Path:
        """The folder whose runs are listed."""
        return self._worker.root

    def set_root(self, root: Path) -> None:
        """List the runs of another folder."""
        self._worker.root = root
        self.refresh()

    def show_run(self, path: Path | None) -> None:
        """Mark the open run, and list it wherever it lies."""
        self._current = path
        if path is not None:
            self._worker.extra = (path, *(known for known in self._worker.extra if known != path))[:20]
        self._mark()
        self.refresh()

    def refresh(self) -> None:
        """Read the folder now."""
        self._worker.wake.set()

    def close_worker(self) -> None:
        """Stop the thread."""
        self._worker.closing = True
        self._worker.wake.set()
        self._worker.wait()

    def _take(self, entries: list[RunEntry]) -> None:
        if entries != self.entries or any(entry.is_live for entry in entries) or not entries:
            self.entries = entries
            self._fill()

    def _fill(self) -> None:
        while self.list.count() > len(self.entries):
            self.list.takeItem(self.list.count() - 1)
        for number, entry in enumerate(self.entries):
            item = self.list.item(number)
            if item is None:
                item = QListWidgetItem()
                self.list.addItem(item)
                item.setSizeHint(QSize(0, 3 * self.fontMetrics().lineSpacing() + 12))
            state = ", ".join(part for part in (entry.state, age(entry.heartbeat)) if part)
            colour = state_colour(entry.state, self._theme.palette)
            self._write(item, f"{entry.path.name}\n{state}\n{entry.metric}", entry, colour)
        self.hint.setText("" if self.entries else f"No runs in '{self.root}' yet. Start one with Ctrl+N.")
        self.hint.setVisible(not self.entries)
        self._mark()

    def _write(self, item: QListWidgetItem, text: str, entry: RunEntry, colour: str) -> None:
        """Only what has changed: every change lays the whole list out again."""
        if text != item.text() or str(entry.path) != item.data(Qt.ItemDataRole.UserRole):
            item.setText(text)
            item.setToolTip(f"{entry.recipe or 'run'}: {entry.state}\n{entry.path}")
            item.setData(Qt.ItemDataRole.UserRole, str(entry.path))
        if colour != item.data(COLOUR_ROLE):
            item.setData(COLOUR_ROLE, colour)
            item.setIcon(dot(colour, self._theme.palette.background))

    def _mark(self) -> None:
        for number in range(self.list.count()):
            item = self.list.item(number)
            if self._current is not None and item.data(Qt.ItemDataRole.UserRole) == str(self._current):
                self.list.setCurrentItem(item)
                return
        self.list.setCurrentItem(None)  # type: ignore[call-overload]

    def _choose(self, item: QListWidgetItem) -> None:
        path = Path(item.data(Qt.ItemDataRole.UserRole))
        if path != self._current:
            self.chosen.emit(path)

    def _show_menu(self, place: QPoint) -> None:
        item = self.list.itemAt(place)
        if item is not None:
            menu = self.menu_of(self.entries[self.list.row(item)])
            menu.exec(self.list.viewport().mapToGlobal(place))
            menu.deleteLater()

    def menu_of(self, entry: RunEntry) -> QMenu:
        """The menu of the right button on a run."""
        menu = QMenu(self)
        menu.addAction("Open").triggered.connect(lambda: self.chosen.emit(entry.path))
        resume = menu.addAction("Resume training")
        resume.setEnabled(entry.resumable and not entry.is_live)
        resume.triggered.connect(lambda: self.resume_wanted.emit(entry.path))
        menu.addSeparator()
        delete = menu.addAction("Delete…")
        delete.setEnabled(not entry.is_live)
        delete.triggered.connect(lambda: self.delete_wanted.emit(entry.path))
        return menu


class _Worker(QThread):
    found = Signal(object)

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.extra: tuple[Path, ...] = ()
        self.closing = False
        self.wake = threading.Event()
        self._known: dict[Path, tuple[tuple[int, ...], RunEntry]] = {}

    def run(self) -> None:
        while not self.closing:
            self.wake.clear()
            self.found.emit(self._look())
            self.wake.wait(REFRESH_SECONDS)

    def _look(self) -> list[RunEntry]:
        paths = find_runs(self.root)
        listed = {path.resolve() for path in paths}
        extra = [path for path in self.extra if is_run(path) and path.resolve() not in listed]
        return [self._entry(path) for path in [*extra, *paths] if not self.closing]

    def _entry(self, path: Path) -> RunEntry:
        """The entry of a run, read again only where its files have changed or a process writes it."""
        stamp = tuple(_changed(path / name) for name in ("run.db", "run.db-wal"))
        known = self._known.get(path)
        if known and known[0] == stamp and not known[1].is_live:
            return known[1]
        entry = read_entry(path)
        self._known[path] = (stamp, entry)
        return entry


def read_entry(path: Path) -> RunEntry:
    """What the list says of a run; one that cannot be read is listed as damaged."""
    try:
        with RunReader(path) as reader:
            status = reader.status()
            recipe = str(reader.config.get("run", {}).get("recipe", ""))
            resumable = bool(reader.checkpoints()) and recipe not in ("", "watch")
            return RunEntry(path, recipe, status.state, headline(status), status.heartbeat, resumable)
    except (MMGraphError, OSError):
        return RunEntry(path, "", "damaged", "", 0.0, False)


def headline(status: Status) -> str:
    """The one number that says most of a run."""
    score = chief_score(status.metrics)
    return f"{score[0].replace('/', ' ')} {score[1]:.4g}" if score is not None else ""


def age(then: float) -> str:
    """How long ago, in words."""
    seconds = time.time() - then
    if then <= 0 or seconds < 10:
        return ""
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word} ago"
    return f"{int(seconds)} s ago"


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def runs_among(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """(runs, folders of runs) that dropped or given paths stand for: a run, a file in one, or a folder of runs."""
    runs, folders = [], []
    for path in paths:
        for candidate in (path, *path.parents[:2]):
            if is_run(candidate):
                runs.append(candidate)
                break
        else:
            if path.is_dir() and find_runs(path):
                folders.append(path)
    return runs, folders
