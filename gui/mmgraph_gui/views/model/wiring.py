"""The wiring of a model as boxes in layers: zoom, move, click."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QScrollBar, QWidget

from mmgraph.analysis.layered import layered_layout
from mmgraph.runs.structure import OUTPUT, Layer, Structure
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.movable import Movable
from mmgraph_gui.drawing.theme import Theme

WIDTH, HEIGHT, ACROSS, DOWN = 168.0, 44.0, 24.0, 40.0
"""Of a box and of the room between boxes, in pixels at zoom 1."""
READABLE = 0.45
"""Below this zoom boxes are drawn without words."""
LARGEST, SMALLEST = 2.5, 0.02
MOST_BOXES = 4000
"""That are laid out and drawn."""
FAMILIES = {
    "conv": 0, "linear": 4, "bilinear": 4, "embedding": 4, "norm": 1, "attention": 6, "transformer": 6, "lstm": 5,
    "gru": 5, "rnn": 5, "recurrent": 5, "pool": 2, "dropout": 2, "gat": 6, "sage": 0, "gcn": 0,
}  # fmt: skip
"""Colour of a box by what the name of its type holds."""


@dataclass(frozen=True, eq=False)
class Wiring:
    """A structure with a place for every box.

    Shapes:
        places (boxes, 2), edges of (box, box, what happens on the way).
    """

    structure: Structure
    names: tuple[str, ...]
    places: npt.NDArray[np.float64]
    edges: tuple[tuple[int, int, str], ...]

    @classmethod
    def of(cls, structure: Structure) -> Wiring:
        """Lay it out; in a worker thread."""
        ends = [name for one in structure.connections for name in (one.source, one.target)]
        names = tuple(dict.fromkeys(ends))
        if len(names) > MOST_BOXES:
            told = f"{len(names):,} boxes are more than a picture can show: the wiring is in the table of connections"
            remark = "  ·  ".join(filter(None, (structure.remark, told)))
            return cls(replace(structure, remark=remark), (), np.zeros((0, 2)), ())
        place = {name: number for number, name in enumerate(names)}
        edges = tuple((place[one.source], place[one.target], one.through) for one in structure.connections)
        return cls(structure, names, layered_layout(len(names), [(a, b) for a, b, _ in edges]), edges)

    def layer(self, name: str) -> Layer | None:
        """What is known of a box; None for operations and the ends."""
        return self._layers.get(name.partition("#")[0])

    @functools.cached_property
    def _layers(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in reversed(self.structure.layers)}


class WiringDiagram(Movable):
    """Draws a wiring; the wheel zooms, dragging moves, F fits it in, Up and Down go from box to box, Page Up and Page
    Down, or the bar at the right, through a deep one.

    Signals:
        chosen(str): a box was clicked or gone to.
        pointed(str): the mouse is on a box, or on none ("").
    """

    chosen = Signal(str)
    pointed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.wiring: Wiring | None = None
        self.layer = ""
        self._zoom, self._origin = 1.0, QPointF(0, 0)
        self._fitted = True
        self.setMinimumSize(160, 120)
        self.bar = named(QScrollBar(Qt.Orientation.Vertical, self), "Place in the wiring", "")
        self.bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.bar.valueChanged.connect(self._scroll)
        self.bar.hide()

    def show_wiring(self, wiring: Wiring | None) -> None:
        """Draw another one."""
        self.wiring = wiring
        self.fit()

    def show_layer(self, name: str) -> None:
        """Frame the box of a layer, and bring it into sight."""
        if name == self.layer:
            return
        self.layer = name
        box = self._box_of(name)  # of a module that runs several times, the first
        if box is not None and not QRectF(self.rect()).contains(box):
            self._origin = self._origin + self._middle() - box.center()
            self._fitted = False
        self._show_place()
        self.update()

    def fit(self) -> None:
        """Show all of it, or, where words could not be read then, its beginning."""
        self._fitted = True
        if self.wiring is None or not len(self.wiring.names):
            self._show_place()
            self.update()
            return
        whole = self._whole()
        zoom = min(self.width() / whole.width(), self.height() / whole.height(), 1.0)
        self._zoom = max(zoom, min(READABLE, self.width() / whole.width()), SMALLEST)
        left = self.width() / 2 - whole.center().x() * self._zoom
        middle = self.height() / 2 - whole.center().y() * self._zoom
        top = -whole.top() * self._zoom
        self._origin = QPointF(left, middle if whole.height() * self._zoom <= self.height() else top)
        self._show_place()
        self.update()

    def look(self) -> tuple[float, QPointF] | None:
        """Zoom, and the place of the wiring in the middle; None where all of it is shown."""
        return None if self._fitted else (self._zoom, (self._middle() - self._origin) / self._zoom)

    def look_at(self, look: tuple[float, QPointF] | None) -> None:
        """Show the part that another diagram shows."""
        if look is None:
            self.fit()
            return
        self._zoom, self._fitted = look[0], False
        self._origin = self._middle() - look[1] * self._zoom
        self._show_place()
        self.update()

    def _scroll(self, top: int) -> None:
        """The bar was moved by hand, or by a key."""
        self._origin, self._fitted = QPointF(self._origin.x(), -top), False
        self._show_place()
        self.update()
        self.looked.emit()

    def _show_place(self) -> None:
        """Set the bar to the part on screen; hidden where all of it is."""
        if self.wiring is None or not len(self.wiring.names):
            self.bar.hide()
            return
        whole, top = self._whole(), round(-self._origin.y())
        first, last = round(whole.top() * self._zoom), round(whole.bottom() * self._zoom)
        deep = last - first > self.height() + 1
        self.bar.blockSignals(True)
        self.bar.setRange(min(first, top), max(last - self.height(), top))
        self.bar.setPageStep(self.height())
        self.bar.setSingleStep(round((HEIGHT + DOWN) * self._zoom))
        self.bar.setValue(top)
        self.bar.blockSignals(False)
        if deep == self.bar.isHidden():
            self.bar.setVisible(deep)

    def _middle(self) -> QPointF:
        return QPointF(self.width() / 2, self.height() / 2)

    def box_at(self, at: QPointF) -> str:
        """The box under a place of the widget, or ""."""
        if self.wiring is not None:
            place = (at - self._origin) / self._zoom
            for number, name in enumerate(self.wiring.names):
                if self._box(number).contains(place):
                    return name
        return ""

    def sizeHint(self) -> QSize:
        return QSize(520, 480)

    def paint_all(self, painter: QPainter) -> None:
        palette = self._theme.palette
        painter.fillRect(self.rect(), QColor(palette.background))
        if self.wiring is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        painter.translate(self._origin)
        painter.scale(self._zoom, self._zoom)
        seen = QRectF(-self._origin / self._zoom, self.rect().size().toSizeF() / self._zoom)
        font = QFont(self.font())
        font.setPixelSize(12)
        painter.setFont(font)
        for source, target, way in self.wiring.edges:
            self._paint_edge(painter, source, target, way, seen)
        for number, name in enumerate(self.wiring.names):
            box = self._box(number)
            if box.intersects(seen):
                self._paint_box(painter, name, box, font)
        painter.restore()

    def _paint_edge(self, painter: QPainter, source: int, target: int, way: str, seen: QRectF) -> None:
        start, end = self._box(source), self._box(target)
        a = QPointF(start.center().x(), start.bottom())
        b = QPointF(end.center().x(), end.top())
        path = QPainterPath(a)
        if b.y() > a.y():
            bend = min((b.y() - a.y()) / 2, DOWN)
            # Long ones run beside the boxes that they pass.
            side = 0.0
            if b.y() - a.y() > HEIGHT + 2 * DOWN and abs(a.x() - b.x()) < WIDTH / 2:
                side = WIDTH / 2 + ACROSS / 2
            if side:
                path.cubicTo(
                    a + QPointF(side, bend),
                    a + QPointF(side, bend),
                    QPointF(a.x() + side, (a.y() + b.y()) / 2),
                )
                path.cubicTo(b + QPointF(side, -bend), b + QPointF(side, -bend), b)
            else:
                path.cubicTo(a + QPointF(0, bend), b - QPointF(0, bend), b)
        else:
            side = WIDTH / 2 + ACROSS
            path.cubicTo(a + QPointF(side, DOWN), b + QPointF(side, -DOWN), b)
        if not path.boundingRect().adjusted(-1, -1, 1, 1).intersects(seen):
            return
        palette = self._theme.palette
        touched = self.wiring is not None and self.layer in (
            self.wiring.names[source],
            self.wiring.names[target],
        )
        colour = QColor(palette.accent if touched else palette.muted)
        painter.setPen(QPen(colour, 2.0 if touched else 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon([b, b + QPointF(-4, -7), b + QPointF(4, -7)])
        if way and self._zoom >= READABLE:
            metrics = QFontMetricsF(painter.font())
            text = metrics.elidedText(way, Qt.TextElideMode.ElideRight, WIDTH)
            middle = path.pointAtPercent(0.5)
            box = QRectF(0, 0, metrics.horizontalAdvance(text) + 8, metrics.height())
            box.moveCenter(middle)
            painter.fillRect(box, QColor(palette.background))
            painter.setPen(QColor(palette.muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_box(self, painter: QPainter, name: str, box: QRectF, font: QFont) -> None:
        assert self.wiring is not None
        palette, layer = self._theme.palette, self.wiring.layer(name)
        chosen = name == self.layer
        painter.setPen(QPen(QColor(palette.accent if chosen else palette.grid), 2.5 if chosen else 1.0))
        # Where there is no room for words, colours tell one kind of layer from another.
        kind = None if layer is None else QColor(self._theme.category(_family(layer.type)))
        plain = kind is None or self._zoom >= READABLE
        painter.setBrush(QColor(palette.raised) if kind is None or plain else kind)
        if layer is None:
            painter.drawRoundedRect(
                box.adjusted(WIDTH / 5, HEIGHT / 5, -WIDTH / 5, -HEIGHT / 5), HEIGHT / 3, HEIGHT / 3
            )
        else:
            painter.drawRoundedRect(box, 5, 5)
        if kind is not None and plain:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(kind)
            painter.drawRoundedRect(QRectF(box.left() + 3, box.top() + 4, 5, box.height() - 8), 2, 2)
        if self._zoom < READABLE:
            return
        room = box.adjusted(14 if layer is not None else 4, 2, -4, -2)
        metrics = QFontMetricsF(font)
        painter.setPen(QColor(palette.foreground))
        if layer is None:
            word = {OUTPUT: "output"}.get(name, name).partition("#")[0]
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, word)
            return
        upper, lower = QRectF(room), QRectF(room)
        upper.setBottom(box.center().y())
        lower.setTop(box.center().y())
        bold = QFont(font)
        bold.setBold(True)
        painter.setFont(bold)
        title = QFontMetricsF(bold).elidedText(name, Qt.TextElideMode.ElideLeft, room.width())
        painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter, title)
        painter.setFont(font)
        painter.setPen(QColor(palette.muted))
        # Of what runs again only the first shape is known.
        shape = "" if "#" in name else shape_text(layer, self.wiring.structure.items)
        text = f"{layer.type}  {shape}".rstrip()
        painter.drawText(
            lower,
            Qt.AlignmentFlag.AlignVCenter,
            metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width()),
        )

    def _box(self, number: int) -> QRectF:
        assert self.wiring is not None
        x, y = self.wiring.places[number]
        return QRectF(x * (WIDTH + ACROSS), y * (HEIGHT + DOWN), WIDTH, HEIGHT)

    def _box_of(self, name: str) -> QRectF | None:
        if self.wiring is None or name not in self.wiring.names:
            return None
        box = self._box(self.wiring.names.index(name))
        return QRectF(box.topLeft() * self._zoom + self._origin, box.size() * self._zoom)

    def _whole(self) -> QRectF:
        assert self.wiring is not None
        right, bottom = self.wiring.places.max(axis=0)
        return QRectF(0, 0, right * (WIDTH + ACROSS) + WIDTH, bottom * (HEIGHT + DOWN) + HEIGHT).adjusted(
            -2 * ACROSS, -ACROSS, 2 * ACROSS, ACROSS
        )

    # -- mouse and keys ----------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        return self.wiring is None

    def zoom(self, at: QPointF, factor: float) -> None:
        zoom = min(max(self._zoom * factor, SMALLEST), LARGEST)
        self._origin = at - (at - self._origin) * (zoom / self._zoom)
        self._zoom, self._fitted = zoom, False
        self._show_place()

    def shift(self, by: QPointF) -> None:
        self._origin, self._fitted = self._origin + by, False
        self._show_place()

    def point_at(self, at: QPointF | None) -> None:
        name = "" if at is None else self.box_at(at)
        self.setCursor(Qt.CursorShape.PointingHandCursor if name else Qt.CursorShape.ArrowCursor)
        self.pointed.emit(name)

    def click_at(self, at: QPointF) -> None:
        if name := self.box_at(at):
            self.chosen.emit(name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        wide = self.bar.sizeHint().width()
        self.bar.setGeometry(self.width() - wide, 0, wide, self.height())
        if self._fitted:
            self.fit()
        self._show_place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() in moves and self.wiring is not None and self.wiring.names:
            names = self.wiring.names
            place = names.index(self.layer) + moves[Qt.Key(event.key())] if self.layer in names else 0
            self.chosen.emit(names[min(max(place, 0), len(names) - 1)])
        elif event.key() == Qt.Key.Key_PageUp:
            self.bar.triggerAction(QScrollBar.SliderAction.SliderPageStepSub)
        elif event.key() == Qt.Key.Key_PageDown:
            self.bar.triggerAction(QScrollBar.SliderAction.SliderPageStepAdd)
        else:
            super().keyPressEvent(event)


def shape_text(layer: Layer, items: int | None) -> str:
    """ "n × 16 × 28 × 28": what a layer gives, with n for the rows of the batch."""
    if layer.output is None:
        return ""
    lengths = [str(length) for length in layer.output]
    if lengths and items is not None and layer.output[0] == items:
        lengths[0] = "n"
    return " × ".join(lengths)


def _family(kind: str) -> int:
    lower = kind.lower()
    return next((colour for part, colour in FAMILIES.items() if part in lower), 3)
