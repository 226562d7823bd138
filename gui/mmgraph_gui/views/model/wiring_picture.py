"""The wiring of a model as boxes in layers, painted from what does not change: on the screen or in a worker."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from mmgraph.analysis.layered import layered_layout
from mmgraph.runs.structure import OUTPUT, Layer, Structure
from mmgraph_gui.drawing.theme import Palette, Theme

WIDTH, HEIGHT, ACROSS, DOWN = 168.0, 44.0, 24.0, 40.0
"""Of a box and of the room between boxes, in pixels at zoom 1."""
READABLE = 0.45
"""Below this zoom boxes are drawn without words."""
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

    def box(self, number: int) -> QRectF:
        """Where a box lies, in pixels at zoom 1."""
        x, y = self.places[number].tolist()
        return QRectF(x * (WIDTH + ACROSS), y * (HEIGHT + DOWN), WIDTH, HEIGHT)

    def seen_in(self, part: QRectF) -> tuple[list[int], list[int]]:
        """Numbers of the boxes, and of the edges, that may be in a part of the picture."""
        corners = self.places * (WIDTH + ACROSS, HEIGHT + DOWN)
        low, high = (part.left(), part.top()), (part.right(), part.bottom())
        boxes = ((corners + np.array([WIDTH, HEIGHT]) >= low) & (corners <= high)).all(axis=1)
        ends = corners[self._ends]  # those that run beside boxes need room
        room = np.array([WIDTH + ACROSS, HEIGHT + DOWN])
        edges = ((ends.max(axis=1) + 2 * room >= low) & (ends.min(axis=1) - room <= high)).all(axis=1)
        return np.flatnonzero(boxes).tolist(), np.flatnonzero(edges).tolist()

    @functools.cached_property
    def _ends(self) -> npt.NDArray[np.int64]:
        return np.array([(a, b) for a, b, _ in self.edges], dtype=np.int64).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class WiringPicture:
    """The part of a wiring that is on a sheet of some size.

    Args:
        layer: whose box is framed.
        zoom, origin: how large it is, and where the place (0, 0) lies on the sheet.
        colours: of the kinds of layers.
    """

    wiring: Wiring
    layer: str
    zoom: float
    origin: QPointF
    size: QSize
    font: QFont
    palette: Palette
    colours: Sequence[str]

    def paint(self, painter: QPainter) -> None:
        """Paint it."""
        painter.fillRect(QRect(QPoint(0, 0), self.size), QColor(self.palette.background))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        painter.translate(self.origin)
        painter.scale(self.zoom, self.zoom)
        seen = QRectF(-self.origin / self.zoom, self.size.toSizeF() / self.zoom)
        font = QFont(self.font)
        font.setPixelSize(12)
        painter.setFont(font)
        boxes, edges = self.wiring.seen_in(seen)
        for number in edges:
            self._paint_edge(painter, *self.wiring.edges[number], seen)
        for number in boxes:
            self._paint_box(painter, self.wiring.names[number], self.wiring.box(number), font)
        painter.restore()

    def _paint_edge(self, painter: QPainter, source: int, target: int, way: str, seen: QRectF) -> None:
        start, end = self.wiring.box(source), self.wiring.box(target)
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
        palette = self.palette
        touched = self.layer in (
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
        if way and self.zoom >= READABLE:
            metrics = QFontMetricsF(painter.font())
            text = metrics.elidedText(way, Qt.TextElideMode.ElideRight, WIDTH)
            middle = path.pointAtPercent(0.5)
            box = QRectF(0, 0, metrics.horizontalAdvance(text) + 8, metrics.height())
            box.moveCenter(middle)
            painter.fillRect(box, QColor(palette.background))
            painter.setPen(QColor(palette.muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_box(self, painter: QPainter, name: str, box: QRectF, font: QFont) -> None:
        palette, layer = self.palette, self.wiring.layer(name)
        chosen = name == self.layer
        painter.setPen(QPen(QColor(palette.accent if chosen else palette.grid), 2.5 if chosen else 1.0))
        # Where there is no room for words, colours tell one kind of layer from another.
        kind = None if layer is None else QColor(self.colours[_family(layer.type)])
        plain = kind is None or self.zoom >= READABLE
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
        if self.zoom < READABLE:
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


def family_colours(theme: Theme) -> tuple[str, ...]:
    """Colours of boxes, by what `FAMILIES` says."""
    return tuple(map(theme.category, range(max(FAMILIES.values()) + 1)))


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
