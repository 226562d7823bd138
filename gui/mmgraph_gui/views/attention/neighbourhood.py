"""Draws what one node attends to: itself in the middle, its neighbours around it, lines as wide as their weight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.item_card import Description, paint_card, paint_picture
from mmgraph_gui.views.picking import mode_of

MOST_NEIGHBOURS = 24
WIDEST_LINE = 12.0
MOST_NAMED, WIDEST_NAME = 12, 130


@dataclass(frozen=True, eq=False)
class Neighbour:
    """One end of an edge into the target.

    Args:
        node: its row.
        weight: attention on it, under the chosen head.
        colour: of its class.
        description: what is known of it.
        picture: its thumbnail, if it has one.
    """

    node: int
    weight: float
    colour: str
    description: Description
    picture: QImage | None


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """A target, with its weight on itself (NaN without a self-loop), and those it attends to, strongest first."""

    target: Neighbour
    neighbours: tuple[Neighbour, ...]


class NeighbourhoodPicture(Painted):
    """The picture of a neighbourhood.

    Signals:
        hovered(node), clicked(node, mode)
    """

    hovered = Signal(object)
    clicked = Signal(int, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 140)
        self._shown: Neighbourhood | None = None
        self._hovered: int | None = None
        self._at = QPointF()

    def show_neighbourhood(self, shown: Neighbourhood | None) -> None:
        """Draw another neighbourhood."""
        self._shown = shown
        self.update()

    def mark(self, node: int | None) -> None:
        """Ring a node."""
        if node != self._hovered:
            self._hovered = node
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, 420)

    # -- geometry ------------------------------------------------------------------------------------------

    def places(self) -> list[tuple[Neighbour, QRectF]]:
        """Every node with the square it is drawn in; the target first."""
        if self._shown is None:
            return []
        count = max(len(self._shown.neighbours), 1)
        room = min(self.width(), self.height())
        smallest = 20.0 if self._shown.target.picture is not None else 46.0  # room for a number
        side = min(64.0, max(smallest, room * 0.75 * math.pi / count * 0.55))
        radius_x = (self.width() - side) / 2 - 34
        radius_y = (self.height() - side) / 2 - 8 - 2 * self.fontMetrics().lineSpacing()
        middle = QPointF(self.width() / 2, self.height() / 2)
        own = min(88.0, max(side * 1.3, 40.0))
        found = [(self._shown.target, _square(middle, own))]
        for number, neighbour in enumerate(self._shown.neighbours):
            angle = 2 * math.pi * number / count - math.pi / 2
            at = middle + QPointF(max(radius_x, 40) * math.cos(angle), max(radius_y, 36) * math.sin(angle))
            found.append((neighbour, _square(at, side)))
        return found

    def node_at(self, at: QPointF) -> int | None:
        """The node drawn at a place."""
        for neighbour, box in self.places():
            if box.contains(at):
                return neighbour.node
        return None

    # -- painting ------------------------------------------------------------------------------------------

    def paint_over(self, painter: QPainter) -> None:
        if self._hovered is not None and self.underMouse():
            for neighbour, _ in self.places():
                if neighbour.node == self._hovered:
                    card = (neighbour.description, neighbour.picture)
                    paint_card(painter, self._theme, self._at, QRectF(self.rect()), *card)
                    break

    def paint_all(self, painter: QPainter) -> None:
        palette = self._theme.palette
        painter.fillRect(self.rect(), QColor(palette.background))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places = self.places()
        if not places:
            return
        (target, middle), *others = places
        weights = [neighbour.weight for neighbour, _ in places if math.isfinite(neighbour.weight)]
        strongest = max(weights, default=0.0) or 1.0
        for neighbour, box in reversed(others):
            self._paint_line(painter, box.center(), middle.center(), neighbour.weight / strongest)
        self._paint_own_ring(painter, middle, target.weight / strongest)
        for neighbour, box in places:
            self._paint_node(painter, neighbour, box)
        named = len(others) <= MOST_NAMED
        for neighbour, box in others:
            text = _number(neighbour.weight)
            if named and neighbour.picture is None and neighbour.description.label:
                text = f"{neighbour.description.label}\n{text}"
            self._write(painter, text, box.center().x(), box.bottom() + 4)
        if math.isfinite(target.weight):
            text = f"itself {_number(target.weight)}"
            if target.picture is None and target.description.label:
                text = f"{target.description.label}\n{text}"
            self._write(painter, text, middle.center().x(), middle.bottom() + 17)

    def _write(self, painter: QPainter, text: str, x: float, top: float) -> None:
        """Write text below a node; lines behind it are blanked out."""
        metrics, lines = painter.fontMetrics(), text.split("\n")
        lines = [metrics.elidedText(line, Qt.TextElideMode.ElideRight, WIDEST_NAME) for line in lines]
        text = "\n".join(lines)
        width = max(metrics.horizontalAdvance(line) for line in lines) + 6
        left = min(max(x - width / 2, 0), max(self.width() - width, 0))
        box = QRectF(left, top, width, metrics.lineSpacing() * len(lines))
        painter.fillRect(box, QColor(self._theme.palette.background))
        painter.setPen(QColor(self._theme.palette.foreground))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_line(self, painter: QPainter, start: QPointF, end: QPointF, share: float) -> None:
        if not math.isfinite(share):
            painter.setPen(QPen(QColor(self._theme.palette.error), 1.5, Qt.PenStyle.DotLine))
            painter.drawLine(start, end)
            return
        colour = QColor(self.line_colour(share))
        painter.setPen(QPen(colour, max(0.8, self._widest() * share), c=Qt.PenCapStyle.FlatCap))
        painter.drawLine(start, end)

    def _widest(self) -> float:
        """Width of the strongest line: thinner where there are many, so that they can be told apart."""
        count = len(self._shown.neighbours) if self._shown is not None else 1
        return min(WIDEST_LINE, 120 / max(count, 1))

    def _paint_own_ring(self, painter: QPainter, middle: QRectF, share: float) -> None:
        if math.isfinite(share):
            width = max(0.8, self._widest() * share)
            painter.setPen(QPen(QColor(self.line_colour(share)), width))
            painter.setBrush(QColor(self._theme.palette.background))
            spread = 3 + width / 2
            painter.drawRoundedRect(middle.adjusted(-spread, -spread, spread, spread), 6, 6)

    def _paint_node(self, painter: QPainter, neighbour: Neighbour, box: QRectF) -> None:
        palette = self._theme.palette
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(neighbour.colour))
        painter.drawRoundedRect(box, 4, 4)
        inner = box.adjusted(3, 3, -3, -3)
        if neighbour.picture is not None:
            painter.fillRect(inner, QColor("#000000"))
            paint_picture(painter, inner, neighbour.picture)
        else:
            text = str(neighbour.node)
            painter.fillRect(inner, QColor(palette.background))
            painter.setPen(QColor(palette.foreground))
            text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(inner.width()))
            painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, text)
        if neighbour.node == self._hovered:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(palette.foreground), 2))
            painter.drawRoundedRect(box.adjusted(-2, -2, 2, 2), 5, 5)

    def line_colour(self, share: float) -> str:
        """From the colour of grid lines to the accent."""
        faint, strong = QColor(self._theme.palette.grid), QColor(self._theme.palette.accent)
        share = min(max(share, 0.0), 1.0) ** 0.7
        parts = (
            round((1 - share) * a + share * b)
            for a, b in zip(faint.getRgb()[:3], strong.getRgb()[:3], strict=True)  # type: ignore[index]
        )
        return "#" + "".join(f"{part:02x}" for part in parts)

    # -- mouse ---------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._at = event.position()
        self.hovered.emit(self.node_at(self._at))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        node = self.node_at(event.position())
        if node is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(node, mode_of(event.modifiers()))

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None)


def edges_into(
    edge_index: npt.NDArray[np.integer], weights: npt.NDArray[np.floating], node: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], float]:
    """Sources of the edges into a node, strongest first, their weights, and the weight of the self-loop.

    Shapes:
        edge_index (2, edges), weights (edges,) -> sources (k,), weights (k,), NaN where there is no loop.
    """
    into = np.flatnonzero(edge_index[1] == node)
    sources, values = edge_index[0, into].astype(np.int64), weights[into].astype(np.float64)
    loop = sources == node
    own = float(values[loop].sum()) if loop.any() else float("nan")
    sources, values = sources[~loop], values[~loop]
    order = np.lexsort((sources, -np.nan_to_num(values, nan=np.inf)))
    return sources[order], values[order], own


def _square(middle: QPointF, side: float) -> QRectF:
    return QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side)


def _number(weight: float) -> str:
    return f"{weight:.3f}" if math.isfinite(weight) else "not finite"
