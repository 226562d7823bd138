"""Writes what a view shows to a file: PNG, SVG where there are vectors, CSV where there is a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QPoint, QRect
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from mmgraph.errors import UsageError
from mmgraph_gui.follower import RunFollower
from mmgraph_gui.raster import Drawing
from mmgraph_gui.views import View


def formats_of(view: View) -> dict[str, str]:
    """File endings a view can be written with, and the filter of a file dialog for each."""
    formats = {".png": "Picture (*.png)"}
    if view.vector_source() is not None:
        formats[".svg"] = "Vectors (*.svg)"
    if view.table() is not None:
        formats[".csv"] = "Table (*.csv)"
    return formats


def export_view(view: View, path: Path, follower: RunFollower, done: Callable[[str], None]) -> None:
    """Write a view; what takes long is done off the UI thread."""
    ending, table = path.suffix.lower(), view.table()
    told = f"Wrote {view.title} to '{path}'."
    if ending == ".svg" and (drawing := view.vector_source()) is not None:
        text = _svg(drawing, view.title)
        follower.do(lambda: path.write_bytes(text), lambda _: done(told))
    elif ending == ".csv" and table is not None:
        columns, rows = table
        follower.do(lambda: _write_csv(columns, rows, path), lambda _: done(told))
    elif ending == ".png":
        image = view.content.grab().toImage()
        follower.do(lambda: _write_png(image, path), lambda _: done(told))
    else:
        known = ", ".join(formats_of(view))
        follower.message.emit(f"{view.title} can be written as {known}, not as '{path.name}'.")


def _svg(drawing: Drawing, title: str) -> bytes:
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(drawing.size)
    generator.setViewBox(QRect(QPoint(0, 0), drawing.size))
    generator.setTitle(title)
    painter = QPainter(generator)
    drawing.paint(painter)
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
