"""Files are written in a worker thread; after half a second a dialog says how far it is, and has Cancel."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QProgressBar, QVBoxLayout, QWidget

from mmgraph.errors import MMGraphError
from mmgraph_gui.accessible import named
from mmgraph_gui.bars.statusline import duration
from mmgraph_gui.reading.follower import Job, RunFollower

SHOWN_AFTER_MILLISECONDS = 500
PARTS = 1000
ROWS_AT_ONCE = 1000
FORETOLD_SECONDS = 1.0
"""From so short a beginning no time left can be told."""


class Cancelled(MMGraphError):
    """Nobody waits for the file any more."""


class Said(NamedTuple):
    """How far it is.

    Args:
        share: from 0 to 1; None where that is not known.
        text: what is being done.
    """

    share: float | None
    text: str


class Progress:
    """What a worker calls now and then: tells how far it is, and ends the work where it was cancelled."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, share: float | None = None, text: str = "") -> None:
        """Say how far it is.

        Raises:
            Cancelled: nobody waits any more; let it pass, so that what is half written goes.
        """
        if self._job.cancelled:
            raise Cancelled("It was cancelled.")
        self._job.report(Said(share, text))


class ProgressDialog(QDialog):
    """Appears half a second after it was made.

    Signals:
        cancelled(): somebody does not want to wait any longer; it has closed.
    """

    cancelled = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.label = QLabel(f"{title} …")
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setMinimumWidth(self.fontMetrics().averageCharWidth() * 52)
        self.bar = named(QProgressBar(), title, "")
        self.bar.setRange(0, 0)
        self.left = QLabel(" ")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        for widget in (self.label, self.bar, self.left, buttons):
            layout.addWidget(widget)
        self._began = time.monotonic()
        self._appear = QTimer(self, singleShot=True, interval=SHOWN_AFTER_MILLISECONDS)
        self._appear.timeout.connect(self.show)
        self._appear.start()

    def say(self, share: float | None, text: str = "") -> None:
        """Show how far it is."""
        if text:
            self.label.setText(text)
        if share is None:
            self.bar.setRange(0, 0)
            return
        self.bar.setRange(0, PARTS)
        self.bar.setValue(round(share * PARTS))
        taken = time.monotonic() - self._began
        if share > 0 and taken > FORETOLD_SECONDS:
            self.left.setText(f"{duration(taken * (1 - share) / share)} left")

    def end(self) -> None:
        """It is done, or has failed."""
        self._appear.stop()
        self.hide()
        self.deleteLater()

    def reject(self) -> None:
        """Cancel, by button, key or the frame of the window."""
        self.end()
        self.cancelled.emit()


def write_in_worker(
    parent: QWidget,
    follower: RunFollower,
    title: str,
    write: Callable[[Progress], object],
    done: Callable[[], object],
) -> None:
    """Have files written in a worker thread; returns at once.

    It goes on when another run is opened or the window closed. What fails becomes the message of the follower.

    Args:
        parent: over whose window the dialog appears.
        title: such as "Writing the report".
        write: called in the worker; must not touch widgets or the state. It calls what it is given now and then, and
            once more before its files take their names (see `whole_file`).
        done: called in the UI thread when all has been written.
    """
    dialog, key = ProgressDialog(title, parent.window()), object()

    def deliver(result: Any) -> None:
        if isinstance(result, Said):
            dialog.say(*result)
        else:
            dialog.end()
            done()

    def fail(text: str) -> None:
        dialog.end()
        follower.message.emit(text)

    dialog.cancelled.connect(lambda: follower.cancel(key))
    follower.ask(key, (), lambda job, _: (write(Progress(job)), None)[1], deliver, fail, long=True, kept=True)


def write_csv(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    path: Path,
    progress: Progress,
    *,
    total: int | None = None,
) -> None:
    """Write a table, row by row.

    Args:
        total: number of rows, where it is known.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for number, row in enumerate(rows):
            writer.writerow(row)
            if number % ROWS_AT_ONCE == 0:
                progress(number / total if total else None, f"{number:,} rows written")
