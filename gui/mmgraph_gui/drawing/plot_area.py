"""Where a plot has its curves, and which places and values lie there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import shiboken6
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from mmgraph_gui.drawing.across import Span
from mmgraph_gui.drawing.thinning import Numbers


@dataclass(frozen=True)
class PlotArea:
    """A box on screen with the places from left to right and the values from bottom to top.

    Units: the box in logical pixels.
    """

    box: QRectF
    span: Span
    limits: Span

    def x_of(self, place: float) -> float:
        """Where a place lies."""
        low, high = self.span
        return self.box.left() + (place - low) / max(high - low, 1e-12) * self.box.width()

    def place_at(self, x: float) -> float:
        """The place that lies there."""
        low, high = self.span
        return low + (x - self.box.left()) / max(self.box.width(), 1) * (high - low)

    def value_at(self, y: float) -> float:
        """The value that lies there."""
        low, high = self.limits
        return low + (self.box.bottom() - y) / max(self.box.height(), 1) * (high - low)

    def polygon(self, places: Numbers, values: Numbers) -> QPolygonF:
        """Points on screen, written straight into Qt's memory.

        Shapes:
            places, values (n,).
        """
        box, (left, right), (low, high) = self.box, self.span, self.limits
        polygon = QPolygonF()
        polygon.resize(len(places))
        if len(places):
            memory = cast("Any", shiboken6).VoidPtr(polygon.data(), len(places) * 16, True)
            points = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)
            x = np.subtract(places, left, dtype=np.float64)
            y = np.subtract(values, low, dtype=np.float64)
            x *= box.width() / max(right - left, 1e-12)
            y *= -box.height() / max(high - low, 1e-300)
            np.add(x, box.left(), out=points[:, 0])
            np.add(y, box.bottom(), out=points[:, 1])
        return polygon


def pen_line(painter: QPainter, points: QPolygonF, colour: QColor, width: float) -> None:
    """A line as Qt strokes it: what vectors are made of."""
    painter.setPen(QPen(colour, width))
    painter.drawPolyline(points)


def brush_line(painter: QPainter, points: QPolygonF, colour: QColor, width: float) -> None:
    """A thick line drawn as thin ones side by side: Qt takes 50 times as long to stroke one of many points."""
    ratio = painter.deviceTransform().m11()
    painter.setPen(QPen(colour, 0))
    wide = max(round(width * ratio), 1)
    if wide == 1:
        painter.drawPolyline(points)
        return
    for right in range(wide):
        # The diagonals of a square brush cover it in any direction.
        for down in {right, wide - 1 - right}:
            shift = QPointF(right, down) / ratio
            painter.translate(shift)
            painter.drawPolyline(points)
            painter.translate(-shift)
