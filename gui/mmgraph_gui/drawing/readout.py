"""The box beside the cross-hair that says what each of many curves is there, highest first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from mmgraph_gui.drawing.theme import Palette

PAD = 6


def paint_readout(
    painter: QPainter,
    area: QRectF,
    x: float,
    read: Sequence[tuple[str, str, float]],
    palette: Palette,
) -> None:
    """Paint it.

    Args:
        area: where the curves are.
        x: where the cross-hair is; the box stands on the side with more room.
        read: colour, name and value of each curve; those without a value there are left out.

    Nothing is painted where names would not fit into half of the plot.
    """
    known = sorted((one for one in read if not math.isnan(one[2])), key=lambda one: -one[2])
    metrics = QFontMetricsF(painter.font())
    line = metrics.height()
    most = max(int((area.height() - 2 * PAD) / line), 1)
    rows = [(colour, f"{value:.4g}", name) for colour, name, value in known]
    if len(rows) > most:
        rows = [*rows[: most - 1], ("", "", f"… and {len(rows) - most + 1} more")]
    if not rows:
        return
    numbers = max(metrics.horizontalAdvance(number) for _, number, _ in rows)
    side = metrics.ascent() * 0.6
    room = area.width() / 2 - side - numbers - 4 * PAD
    if room < metrics.averageCharWidth() * 6:
        return
    names = [metrics.elidedText(name, Qt.TextElideMode.ElideRight, room) for _, _, name in rows]
    wide = side + numbers + max(map(metrics.horizontalAdvance, names)) + 4 * PAD
    left = x + PAD if x < area.center().x() else x - PAD - wide
    box = QRectF(left, area.top() + 2, wide, len(rows) * line + PAD)
    ground = QColor(palette.background)
    ground.setAlphaF(0.92)
    painter.setPen(QPen(QColor(palette.grid), 1))
    painter.setBrush(ground)
    painter.drawRect(box)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QColor(palette.foreground))
    for number, ((colour, value, _), name) in enumerate(zip(rows, names, strict=True)):
        y = box.top() + PAD / 2 + number * line + metrics.ascent()
        if colour:
            painter.fillRect(QRectF(box.left() + PAD, y - side, side, side), QColor(colour))
        painter.drawText(QPointF(box.left() + 2 * PAD + side, y), value)
        painter.drawText(QPointF(box.left() + 3 * PAD + side + numbers, y), name)
