"""Writes what a view shows to a file: PNG at any scale, SVG, CSV where there is a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from mmgraph.errors import UsageError
from mmgraph_gui.drawing.one_line import in_one_line
from mmgraph_gui.drawing.raster import Drawing
from mmgraph_gui.follower import RunFollower
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
    """Write a view; what takes long is done off the UI thread.

    Args:
        scale: of a picture, how many times as large as on the screen.
    """
    ending, table = path.suffix.lower(), view.table()
    told = f"Wrote {view.title} to '{path}'."
    if ending == ".svg":
        drawing = view.vector_source()
        text = (
            _svg(drawing, view, view.colour_key()) if drawing is not None else _svg(_content_of(view), view)
        )
        follower.do(lambda: path.write_bytes(text), lambda _: done(told))
    elif ending == ".csv" and table is not None:
        columns, rows = table
        follower.do(lambda: _write_csv(columns, rows, path), lambda _: done(told))
    elif ending == ".png":
        image = picture_of(view, scale)
        follower.do(lambda: _write_png(image, path), lambda _: done(told))
    else:
        known = ", ".join(formats_of(view))
        follower.message.emit(f"{view.title} can be written as {known}, not as '{path.name}'.")


def _content_of(view: View) -> Drawing:
    """All that is on screen, with its legend: letters and lines as vectors, what is rasterised as pictures."""
    content = view.content

    def paint(painter: QPainter) -> None:
        content.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)

    return Drawing(content.size(), paint)


def _svg(drawing: Drawing, view: View, legend: Sequence[tuple[str, str]] = ()) -> bytes:
    size = QSize(drawing.size)
    if legend:
        metrics = QFontMetricsF(view.font())
        wide = max(metrics.horizontalAdvance(in_one_line(name)) for name, _ in legend) + 3 * DOT
        size = QSize(size.width() + round(wide), max(size.height(), (len(legend) + 1) * LINE))
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(0, 0), size))
    generator.setTitle(view.title)
    painter = QPainter(generator)
    painter.fillRect(QRect(QPoint(0, 0), size), view.content.palette().window())
    drawing.paint(painter)
    painter.setFont(view.font())
    for line, (name, colour) in enumerate(legend):
        left, middle = drawing.size.width() + DOT, (line + 0.8) * LINE
        painter.setPen(QColor(colour))
        painter.setBrush(QColor(colour))
        painter.drawEllipse(QPointF(left, middle), DOT / 2, DOT / 2)
        painter.setPen(view.palette().windowText().color())
        painter.drawText(
            QRectF(left + DOT, middle - LINE, size.width(), 2 * LINE),
            Qt.AlignmentFlag.AlignVCenter,
            in_one_line(name),
        )
    painter.end()
    return bytes(buffer.data().data())


def _write_png(image: QImage, path: Path) -> None:
    if not image.save(str(path)):
        raise UsageError(f"'{path}' could not be written; is its folder there, and may you write to it?")


def _write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
