"""A PDF of what the window shows: the run in words, then each view that has something to show, two on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMarginsF, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from mmgraph.errors import UsageError
from mmgraph_gui.asking.progress import ProgressDialog
from mmgraph_gui.export.view_file import picture_of
from mmgraph_gui.views import View

if TYPE_CHECKING:
    from mmgraph_gui.frame.window import MainWindow

DOTS_PER_INCH = 150
LOOK_MILLISECONDS = 40
HEADING = 0.06
"""Share of a page's height."""
COLUMNS, GAP = 2, 30
SHARPNESS = 2.0


class PdfReport(QObject):
    """Brings one view after the other to the front, waits until it is drawn, and paints it on a page.

    Args:
        window: whose run and step it is about.
        path: the file; it appears when it is complete.
        done: called when it has been written.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, window: MainWindow, path: Path, done: Callable[[], None]) -> None:
        super().__init__(window)
        self._window, self._path, self._done = window, path, done
        self._part = path.with_name(f".{path.name}.part")
        try:
            self._part.write_bytes(b"")
        except OSError as error:
            raise UsageError(f"'{path}' could not be written: {error.strerror}.") from error
        self._left = list(window.area.docks)
        self._written = 0
        self._came_from = window.area.current
        self._run = window.state.path
        self._dialog = ProgressDialog("Writing the report", window)
        self._dialog.cancelled.connect(lambda: self._end(complete=False))
        self._writer = QPdfWriter(str(self._part))
        self._painter = QPainter()
        self._timer = QTimer(self, interval=LOOK_MILLISECONDS)
        self._timer.timeout.connect(self._look)

    def begin(self) -> None:
        """Write the first page and start with the views; returns at once."""
        writer = self._writer
        writer.setResolution(DOTS_PER_INCH)
        writer.setTitle(f"{self._window.state.path.name if self._window.state.path else ''}")
        writer.setCreator("mmgraph")
        writer.setPageLayout(
            QPageLayout(
                QPageSize(QPageSize.PageSizeId.A4),
                QPageLayout.Orientation.Landscape,
                QMarginsF(15, 15, 15, 15),
                QPageLayout.Unit.Millimeter,
            )
        )
        self._painter.begin(writer)
        self._write_facts()
        self._show_next()
        self._timer.start()

    def _show_next(self) -> None:
        if self._left:
            area = self._window.area
            self._dialog.say(
                1 - len(self._left) / len(area.docks), f"Drawing {area.specs[self._left[0]].title} …"
            )
            area.show_view(self._left[0])

    def _look(self) -> None:
        window = self._window
        if window.state.path != self._run:
            self._end(complete=False)
            return
        if not self._left:
            self._end(complete=True)
            return
        view = window.area.views.get(self._left[0])
        if view is not None and (view.is_pending or window.follower.is_busy):
            return
        if view is not None and not view.message:
            self._write_view(view)
        self._left.pop(0)
        self._show_next()

    def _write_facts(self) -> None:
        """What was trained, how, and how far it came."""
        state, painter = self._window.state, self._painter
        described = state.config.get("run", {})
        status = state.status
        rows = [("step shown", f"{state.step:,}")]
        if status is not None:
            rows = [("state", f"{status.state} {status.message}".strip()), *rows]
            rows += [(name, f"{value:.5g}") for name, value in status.metrics.items()]
        options = state.config.get("options", {})
        document = QTextDocument()
        document.setDefaultFont(QFont(painter.font().family(), 9))
        document.documentLayout().setPaintDevice(painter.device())
        document.setPageSize(QRectF(painter.viewport()).size())
        path = state.path
        document.setHtml(
            f"<h1>{_escaped(described.get('title') or described.get('recipe') or '')}</h1>"
            f"<p>{_escaped(path.name if path else '')}, {_escaped(described.get('dataset', ''))}</p>"
            f"<table cellpadding='3'><tr><td>{_table(rows)}</td><td width='40'></td>"
            f"<td>{_table(options.items())}</td></tr></table>"
        )
        document.drawContents(painter)

    def _write_view(self, view: View) -> None:
        """Two views on a page: title and step, and the content as large as fits."""
        painter, page = self._painter, QRectF(self._painter.viewport())
        column = self._written % COLUMNS
        if column == 0:
            self._writer.newPage()
        self._written += 1
        heading, width = page.height() * HEADING, page.width() / COLUMNS - GAP
        left = column * (width + GAP)
        font = QFont(painter.font())
        font.setPointSizeF(12)
        painter.setFont(font)
        text = f"{view.title}, step {self._window.state.step:,}"
        painter.drawText(QRectF(left, 0, width, heading), Qt.AlignmentFlag.AlignVCenter, text)
        picture = picture_of(view, SHARPNESS)
        factor = min(width / picture.width(), (page.height() - heading) / picture.height())
        painter.drawImage(QRectF(left, heading, picture.width() * factor, picture.height() * factor), picture)

    def _end(self, *, complete: bool) -> None:
        self._timer.stop()
        self._painter.end()
        self._dialog.end()
        self._window.area.show_view(self._came_from)
        if complete:
            self._part.replace(self._path)
            self._done()
        else:
            self._part.unlink(missing_ok=True)
        self.deleteLater()


def _table(rows: Iterable[tuple[str, object]]) -> str:
    lines = "".join(
        f"<tr><td>{_escaped(name)}</td><td><b>{_escaped(value)}</b></td></tr>" for name, value in rows
    )
    return f"<table cellpadding='2'>{lines}</table>"


def _escaped(value: object) -> str:
    return str(value).replace("&", "&amp;").replace("<", "&lt;")
