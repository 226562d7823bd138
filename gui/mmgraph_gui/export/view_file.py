"""Writes what a view shows to a file: PNG at any scale, SVG, CSV where there is a table."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QImageWriter, QPainter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from mmgraph.errors import UsageError
from mmgraph.whole_file import whole_file
from mmgraph_gui.asking.progress import Progress, write_csv, write_in_worker
from mmgraph_gui.drawing.one_line import in_one_line
from mmgraph_gui.drawing.raster import Drawing
from mmgraph_gui.reading.follower import RunFollower
from mmgraph_gui.views import View

LINE, DOT = 18, 10
"""Pixels of a line of the legend, and of the dot in it."""


def formats_of(view: View) -> dict[str, str]:
    """File endings a view can be written with, and the filter of a file dialog for each."""
    formats = {".png": "Picture (*.png)", ".svg": "Vectors (*.svg)"}
    if view.table() is not None:
        formats[".csv"] = "Table (*.csv)"
    return formats


def picture_of(view: View, scale: float = 1.0) -> QImage:
    """What a view shows, painted anew at a scale: lines and letters stay sharp."""
    view.finish()
    content = view.content
    ratio = content.devicePixelRatioF() * scale
    image = QImage(content.size() * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(content.palette().window().color())
    content.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    return image


def export_view(
    view: View, path: Path, follower: RunFollower, done: Callable[[str], None], scale: float = 1.0
) -> None:
    """Write a view; what takes long is done off the UI thread, and can be cancelled.

    Args:
        scale: of a picture, how many times as large as on the screen.

    Raises:
        UsageError: it cannot be written as a file of that ending.
    """
    ending, table = path.suffix.lower(), view.table()
    write: Callable[[Path, Progress], object]
    if ending == ".svg":
        drawing = view.vector_source()
        sheet = _Sheet.of(view, view.colour_key() if drawing is not None else ())
        if drawing is None or not drawing.apart:
            write = functools.partial(_write_bytes, _svg(drawing or _content_of(view), sheet))
        else:
            write = functools.partial(_write_svg, drawing, sheet)
    elif ending == ".csv" and table is not None:
        write = functools.partial(write_csv, *table)
    elif ending == ".png":
        write = functools.partial(_write_png, picture_of(view, scale))
    else:
        known = ", ".join(formats_of(view))
        raise UsageError(f"{view.title} can be written as {known}, not as '{path.name}'.")

    def write_whole(progress: Progress) -> None:
        with whole_file(path, UsageError) as part:
            write(part, progress)
            progress()

    write_in_worker(
        view, follower, f"Writing {view.title}", write_whole, lambda: done(f"Wrote {view.title} to '{path}'.")
    )


def _content_of(view: View) -> Drawing:
    """All that is on screen, with its legend: letters and lines as vectors, what is rasterised as pictures."""
    content = view.content

    def paint(painter: QPainter) -> None:
        content.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)

    return Drawing(content.size(), paint)


@dataclass(frozen=True)
class _Sheet:
    """What stands around a drawing: a legend in the letters and colours of the view."""

    title: str
    font: QFont
    ground: QColor
    ink: QColor
    legend: Sequence[tuple[str, str]]
    width: int

    @classmethod
    def of(cls, view: View, key: Sequence[tuple[str, str]]) -> _Sheet:
        legend = [(in_one_line(name), colour) for name, colour in key]
        metrics = QFontMetricsF(view.font())
        widest = max((metrics.horizontalAdvance(name) for name, _ in legend), default=-3 * DOT)
        ground, ink = view.content.palette().window().color(), view.palette().windowText().color()
        return cls(view.title, view.font(), ground, ink, legend, round(widest + 3 * DOT))


def _svg(drawing: Drawing, sheet: _Sheet) -> bytes:
    size = QSize(drawing.size)
    if sheet.legend:
        size = QSize(size.width() + sheet.width, max(size.height(), (len(sheet.legend) + 1) * LINE))
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(0, 0), size))
    generator.setTitle(sheet.title)
    painter = QPainter(generator)
    painter.fillRect(QRect(QPoint(0, 0), size), sheet.ground)
    drawing.paint(painter)
    painter.setFont(sheet.font)
    for line, (name, colour) in enumerate(sheet.legend):
        left, middle = drawing.size.width() + DOT, (line + 0.8) * LINE
        painter.setPen(QColor(colour))
        painter.setBrush(QColor(colour))
        painter.drawEllipse(QPointF(left, middle), DOT / 2, DOT / 2)
        painter.setPen(sheet.ink)
        box = QRectF(left + DOT, middle - LINE, size.width(), 2 * LINE)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
    painter.end()
    return bytes(buffer.data().data())


def _write_svg(drawing: Drawing, sheet: _Sheet, path: Path, progress: Progress) -> None:
    progress(None, "Drawing …")
    path.write_bytes(_svg(drawing, sheet))


def _write_bytes(text: bytes, path: Path, _progress: Progress) -> None:
    path.write_bytes(text)


def _write_png(image: QImage, path: Path, progress: Progress) -> None:
    progress(None, f"Writing a picture of {image.width():,} × {image.height():,} pixels …")
    writer = QImageWriter(str(path), b"PNG")
    if not writer.write(image):
        raise OSError(writer.errorString())
