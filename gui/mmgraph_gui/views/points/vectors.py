"""Points as circles, for files of vectors: drawn from a scene alone, so that a worker thread can do it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from mmgraph_gui.views.points.image import PointScene, dot_style


def paint_points(painter: QPainter, *, scene: PointScene, under: Callable[[QPainter], object]) -> None:
    """Paint what the plane shows.

    Args:
        under: paints what lies under the circles.
    """
    viewport, cloud = scene.viewport, scene.cloud
    painter.fillRect(QRectF(0, 0, viewport.width, viewport.height), QColor(*scene.ground))
    under(painter)
    painter.setPen(Qt.PenStyle.NoPen)
    radius = dot_style(len(cloud), 1.0)[0] * scene.ratio * cloud.dot_size
    hidden = cloud.hidden(scene.colouring, scene.hidden)
    colours = cloud.colours(scene.colouring, scene.paint, scene.plain, scene.ground)
    chosen = cloud.chosen(scene.selection)
    pixels = viewport.to_pixels(cloud.without(hidden).positions)
    for point in np.flatnonzero(np.isfinite(pixels).all(axis=1)).tolist():
        colour = QColor(*(int(part) for part in colours[point]))
        colour.setAlphaF(0.9 if chosen is None or chosen[point] else 0.2)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(*pixels[point]), radius, radius)
