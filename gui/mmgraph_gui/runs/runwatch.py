"""The thread that looks for runs: those of a folder, and those opened from elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QThread, Signal

from mmgraph.runs import find_runs, is_run, summarise
from mmgraph_gui.runs.runentry import EntryReader, RunEntry

REFRESH_SECONDS = 2.0
MOST_LOOKED_AT = 20
"""So many of the newest runs of a folder are asked whether they are running."""


class RunWatch(QThread):
    """Looks every two seconds, and whenever it is woken.

    Signals:
        found(list): every entry, newest run first.
        none_readable(str): why the folder cannot be looked into; empty where it can.
    """

    found = Signal(object)
    none_readable = Signal(str)

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root.absolute()
        self.extra: tuple[Path, ...] = ()
        self.closing = False
        self.wake = threading.Event()
        self._entries = EntryReader()

    def run(self) -> None:
        while not self.closing:
            self.wake.clear()
            self.none_readable.emit(_why_unreadable(self.root))
            self.found.emit(self._look())
            self.wake.wait(REFRESH_SECONDS)

    def close(self) -> None:
        """Stop, and wait for it."""
        self.closing = True
        self.wake.set()
        self.wait()

    def _look(self) -> list[RunEntry]:
        paths = find_runs(self.root)
        listed = {path.resolve() for path in paths}
        extra = [path for path in self.extra if is_run(path) and path.resolve() not in listed]
        return [self._entries.read(path) for path in [*extra, *paths] if not self.closing]


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


def run_to_open(folder: Path) -> Path | None:
    """The run that somebody who gives a folder most likely wants: its only one, else the newest that is running."""
    runs = find_runs(folder)
    if len(runs) == 1:
        return runs[0]
    return next((run for run in runs[:MOST_LOOKED_AT] if summarise(run).is_live), None)


def _why_unreadable(root: Path) -> str:
    try:
        next(root.iterdir(), None)
    except FileNotFoundError:
        return ""  # it is made with the first run
    except OSError as error:
        return f"'{root}' cannot be looked into ({error.strerror or error})."
    return ""
