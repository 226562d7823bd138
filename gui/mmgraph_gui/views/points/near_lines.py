"""Lines from a point to those nearest to it, with the distances written at them as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from mmgraph_gui.drawing.theme import Palette

RING = 6
AT = (0.5, 0.65, 0.8, 0.35)
"""Shares of the way at which a distance may stand, the best first; it may stand behind the end too."""


def paint_near(
    painter: QPainter,
    room: QRectF,
    places: npt.NDArray[np.float64],
    texts: Sequence[str],
    palette: Palette,
) -> list[QRectF]:
    """Paint them.

    Args:
        room: in which text may stand.
        places: of the point, then of those near it, the nearest first; NaN for those without a place.
        texts: about each of those near it; none where nothing is to be written.

    Returns:
        Where texts stand. What would cover another one is left out, the nearest first served.
    """
    if not np.isfinite(places[0]).all():
        return []
    accent, start = QColor(palette.accent), QPointF(*places[0])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(accent, 1.4))
    for place in places[1:][np.isfinite(places[1:]).all(axis=1)].tolist():
        painter.drawLine(start, QPointF(*place))
        painter.drawEllipse(QPointF(*place), RING, RING)
    boxes: list[QRectF] = []
    metrics, ground = QFontMetricsF(painter.font()), QColor(palette.background)
    ground.setAlphaF(0.85)
    for place, text in zip(places[1:].tolist(), texts, strict=False):
        if not text or not np.isfinite(place).all():
            continue
        box = _free(
            room, boxes, places[0], np.array(place), metrics.horizontalAdvance(text) + 6, metrics.height()
        )
        if box is not None:
            boxes.append(box)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(box, 3, 3)
            painter.setPen(QColor(palette.foreground))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    return boxes


def _free(
    room: QRectF,
    taken: Sequence[QRectF],
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    width: float,
    height: float,
) -> QRectF | None:
    """A box on the way, or behind its end, that covers no other and neither end."""
    way = end - start
    length = float(np.hypot(*way))
    unit = way / length if length > 0 else np.array([1.0, 0.0])
    half = float(np.abs(unit) @ (width / 2, height / 2)) + RING + 2
    along = [share * length for share in AT if half <= share * length <= length - half]
    for reach in (*along, length + half):
        x, y = start + unit * reach
        box = QRectF(x - width / 2, y - height / 2, width, height)
        if room.contains(box) and not any(box.intersects(other) for other in taken):
            return box
    return None
