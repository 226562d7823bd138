"""Icons of the window, drawn in the colours of the theme at any resolution."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from mmgraph_gui.drawing.theme import Palette

SIZES = (16, 24, 32, 48, 64)


@cache
def icon(name: str, palette: Palette) -> QIcon:
    """The icon of that name, with a paler one for what is disabled and one that can be seen on what is on.

    Painted once: views have the same tools, and fifteen pixmaps take 8 ms.
    """
    made = QIcon()
    kinds = (
        (QIcon.Mode.Normal, QIcon.State.Off, palette.foreground),
        (QIcon.Mode.Normal, QIcon.State.On, palette.on_accent),
        (QIcon.Mode.Disabled, QIcon.State.Off, palette.grid),
    )
    drawing = _drawing(name)
    for mode, state, colour in kinds:
        renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", colour).encode()))
        for size in SIZES:
            made.addPixmap(_pixmap(renderer, size), mode, state)
    return made


def dot(colour: str, rim: str = "none") -> QIcon:
    """A filled circle; the rim keeps it apart from whatever it lies on."""
    shape = f'<circle cx="12" cy="12" r="7" fill="{colour}" stroke="{rim}" stroke-width="2.5"/>'
    made, pixmap = QIcon(), _rendered(shape, 32)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # Qt would tint it in a selected row
        made.addPixmap(pixmap, mode)
    return made


@cache
def _drawing(name: str) -> str:
    return files("mmgraph_gui").joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")


def _rendered(shapes: str, size: int) -> QPixmap:
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{shapes}</svg>'
    return _pixmap(QSvgRenderer(QByteArray(text.encode())), size)


def _pixmap(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
