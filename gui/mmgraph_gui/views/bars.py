"""Draws how values are spread: one see-through outline of bars per row, over one axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.drawing.thinning import ticks

LEFT, RIGHT, TOP, BOTTOM = 12, 16, 30, 40
TICKS = 6


@dataclass(frozen=True, eq=False)
class Histogram:
    """Shares per bin.

    Args:
        names: of the rows.
        axis: what the bins are of.

    Shapes:
        shares (rows, bins), edges (bins + 1,) ascending.
    """

    shares: npt.NDArray[np.float64]
    edges: npt.NDArray[np.float64]
    names: tuple[str, ...]
    axis: str

    def describe(self, place: int) -> list[str]:
        """A bin in words."""
        shares = zip(self.names, self.shares[:, place], strict=True)
        return [
            f"{self.axis} {self.edges[place]:.3g} to {self.edges[place + 1]:.3g}",
            *(f"{name} {share:.1%}" for name, share in shares),
        ]


@dataclass(frozen=True)
class Level:
    """A value to point out on the axis.

    Args:
        row: the row in whose colour it is drawn; None for what belongs to none, which is dashed.
    """

    value: float
    name: str
    row: int | None = None


class Bars(Painted):
    """The picture of a histogram.

    Signals:
        pointed(bin): the mouse is over a bin; None where it is over none.
    """

    pointed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.shown: Histogram | None = None
        self.levels: tuple[Level, ...] = ()
        self.setMouseTracking(True)
        self.setMinimumSize(160, 120)

    def show_histogram(self, histogram: Histogram | None) -> None:
        """Draw another one."""
        self.shown = histogram
        self.update()

    def show_levels(self, levels: Iterable[Level]) -> None:
        """Point out these values."""
        self.levels = tuple(levels)
        self.update()

    def colour(self, row: int) -> str:
        """Of a row; two rows have the colours of classes that everybody can tell apart."""
        return self._theme.category(row)

    def sizeHint(self) -> QSize:
        return QSize(480, 320)

    def paint_all(self, painter: QPainter) -> None:
        palette = self._theme.palette
        painter.fillRect(self.rect(), QColor(palette.background))
        shown, inside = self.shown, self._inside()
        if shown is None or inside.width() <= 0 or inside.height() <= 0:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        highest = float(np.nanmax(shown.shares, initial=0.0)) or 1.0
        for row in range(len(shown.shares)):
            outline = self._outline(shown, row, inside, highest)
            colour = QColor(self.colour(row))
            painter.setPen(QPen(colour, 1.5))
            colour.setAlphaF(0.35)
            painter.setBrush(colour)
            painter.drawPolygon(outline)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint_levels(painter, shown, inside)
        self._paint_axis(painter, shown, inside)
        self._paint_names(painter, shown)

    def _paint_axis(self, painter: QPainter, shown: Histogram, inside: QRectF) -> None:
        palette, metrics = self._theme.palette, painter.fontMetrics()
        painter.setPen(QPen(QColor(palette.muted), 1))
        painter.drawLine(inside.bottomLeft(), inside.bottomRight())
        low, high = float(shown.edges[0]), float(shown.edges[-1])
        painter.setPen(QColor(palette.muted))
        for value, name in ticks(low, high, TICKS):
            x = inside.left() + (value - low) / (high - low) * inside.width()
            painter.drawLine(QPointF(x, inside.bottom()), QPointF(x, inside.bottom() + 4))
            box = QRectF(x - 40, inside.bottom() + 5, 80, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)
        box = QRectF(inside.left(), inside.bottom() + 5 + metrics.height(), inside.width(), metrics.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown.axis)

    def _paint_levels(self, painter: QPainter, shown: Histogram, inside: QRectF) -> None:
        """Upright lines with their names below each other; what lies beyond the bins stands at their end."""
        palette, metrics = self._theme.palette, painter.fontMetrics()
        low, high = float(shown.edges[0]), float(shown.edges[-1])
        for number, level in enumerate(self.levels):
            if not math.isfinite(level.value):
                continue
            share = min(max((level.value - low) / ((high - low) or 1.0), 0.0), 1.0)
            x = inside.left() + share * inside.width()
            colour = QColor(palette.foreground if level.row is None else self.colour(level.row))
            style = Qt.PenStyle.DashLine if level.row is None else Qt.PenStyle.SolidLine
            painter.setPen(QPen(colour, 1.5 if level.row is None else 2.5, style))
            top = TOP + number * metrics.height()
            painter.drawLine(QPointF(x, top + 2), QPointF(x, inside.bottom()))
            wide = metrics.horizontalAdvance(level.name)
            left = x + 5 if x + 5 + wide <= self.width() else x - 5 - wide
            place = QRectF(left, top, wide, metrics.height())
            painter.fillRect(place.adjusted(-2, 0, 2, 0), QColor(palette.background))
            painter.setPen(QColor(palette.foreground))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, level.name)

    def _paint_names(self, painter: QPainter, shown: Histogram) -> None:
        metrics, x = painter.fontMetrics(), float(LEFT)
        for row, name in enumerate(shown.names):
            painter.fillRect(QRectF(x, 10, 9, 9), QColor(self.colour(row)))
            painter.setPen(QColor(self._theme.palette.foreground))
            width = metrics.horizontalAdvance(name)
            painter.drawText(QRectF(x + 14, 4, width + 4, 20), Qt.AlignmentFlag.AlignVCenter, name)
            x += width + 34

    def _outline(self, shown: Histogram, row: int, inside: QRectF, highest: float) -> QPolygonF:
        low, high = float(shown.edges[0]), float(shown.edges[-1])
        x = inside.left() + (shown.edges - low) / ((high - low) or 1.0) * inside.width()
        y = inside.bottom() - np.nan_to_num(shown.shares[row]) / highest * inside.height()
        points = [QPointF(x[0], inside.bottom())]
        for place in range(len(y)):
            points += [QPointF(x[place], y[place]), QPointF(x[place + 1], y[place])]
        return QPolygonF([*points, QPointF(x[-1], inside.bottom())])

    def _inside(self) -> QRectF:
        top = TOP + len(self.levels) * self.fontMetrics().height()
        return QRectF(LEFT, top, self.width() - LEFT - RIGHT, self.height() - top - BOTTOM)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        inside, shown = self._inside(), self.shown
        if shown is None or not inside.contains(event.position()):
            self.pointed.emit(None)
            return
        share = (event.position().x() - inside.left()) / inside.width()
        self.pointed.emit(min(int(share * shown.shares.shape[1]), shown.shares.shape[1] - 1))

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit(None)
