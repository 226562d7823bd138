"""A person's own item among the points of the plane: a star where it lies."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state.guest import Guest
from mmgraph_gui.views.item_card import paint_picture
from mmgraph_gui.views.points.cloud import PointCloud
from mmgraph_gui.views.points.plane import Plane

RADIUS = 11
PICTURE = 44


class GuestMark(QWidget):
    """Lies over the plane and lets the mouse through; where it is out of sight, at the edge that is nearest to it."""

    def __init__(self, theme: Theme, plane: Plane) -> None:
        super().__init__(plane)
        self._theme, self._plane = theme, plane
        self._guest: Guest | None = None
        self.place: tuple[float, float] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(plane.rect())
        self.hide()
        plane.viewport_changed.connect(self.update)
        plane.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._plane.rect())
        return False

    def show_guest(self, guest: Guest | None, place: tuple[float, float] | None) -> None:
        """Mark a place of the plane; None where it has none."""
        self._guest, self.place = guest, place
        self.setVisible(guest is not None and place is not None)
        self.raise_()
        self.update()

    def pixel(self) -> QPointF | None:
        """Where the star is, in logical pixels."""
        if self.place is None:
            return None
        x, y = self._plane.viewport.to_pixels(np.array([self.place]))[0] / self._plane.ratio
        return QPointF(float(x), float(y))

    def paintEvent(self, event: QPaintEvent) -> None:
        place = self.pixel()
        if place is None or self._guest is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self._theme.palette
        inside = QRectF(self.rect()).adjusted(*(2 * RADIUS,) * 2, *(-2 * RADIUS,) * 2)
        middle = QPointF(
            min(max(place.x(), inside.left()), inside.right()),
            min(max(place.y(), inside.top()), inside.bottom()),
        )
        if middle != place:  # an arrow from the edge to where it is
            away = math.atan2(place.y() - middle.y(), place.x() - middle.x())
            tip, foot = 2 * RADIUS - 2, RADIUS + 2
            arrow = (
                QPointF(middle.x() + far * math.cos(turn), middle.y() + far * math.sin(turn))
                for far, turn in ((tip, away), (foot, away + 0.5), (foot, away - 0.5))
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(palette.accent))
            painter.drawPolygon(QPolygonF(list(arrow)))
        picture = self._guest.picture
        if picture is not None:
            box = QRectF(middle.x() + RADIUS + 4, middle.y() - PICTURE / 2, PICTURE, PICTURE)
            if box.right() > self.width():
                box.moveRight(middle.x() - RADIUS - 4)
            painter.setPen(QPen(QColor(palette.accent), 2))
            painter.setBrush(QColor(palette.background))
            painter.drawRect(box.adjusted(-2, -2, 2, 2))
            paint_picture(painter, box, to_image(picture))
        corners = (
            QPointF(
                middle.x() + (RADIUS if turn % 2 == 0 else RADIUS * 0.45) * math.sin(turn * math.pi / 5),
                middle.y() - (RADIUS if turn % 2 == 0 else RADIUS * 0.45) * math.cos(turn * math.pi / 5),
            )
            for turn in range(10)
        )
        painter.setBrush(QColor(palette.accent))
        painter.setPen(QPen(QColor(palette.background), 2))
        painter.drawPolygon(QPolygonF(list(corners)))
        painter.end()


def mean_of_neighbours(guest: Guest, cloud: PointCloud) -> tuple[float, float] | None:
    """The middle of the points of its nearest neighbours, the nearer the heavier; None where none is shown.

    Those that were found across modalities count alike: how alike they are is no distance.
    """
    near = [(cloud.point_of(row), far) for row, far in guest.neighbours]
    near = near or [(cloud.point_of(row), 1.0) for row, _ in guest.found]
    shown = [
        (cloud.positions[point], far)
        for point, far in near
        if point is not None and np.isfinite(cloud.positions[point]).all()
    ]
    if not shown:
        return None
    places = np.array([place for place, _ in shown], dtype=np.float64)
    distances = np.nan_to_num(np.array([far for _, far in shown]), nan=0.0)
    weights = 1 / np.maximum(distances, 1e-6 * float(distances.max()) + 1e-12)
    x, y = (places * weights[:, None]).sum(axis=0) / weights.sum()
    return float(x), float(y)
