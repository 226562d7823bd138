"""Ground, grid and numbers of a plot over steps, and what happened on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from mmgraph_gui.drawing.plot_area import PlotArea
from mmgraph_gui.drawing.theme import Palette
from mmgraph_gui.drawing.thinning import log_ticks, ticks
from mmgraph_gui.state.milestones import Milestone

GAP = 3
FLAG = 5
"""Half the width of the mark at the top of a milestone."""


def paint_axes(
    painter: QPainter,
    whole: QRect,
    shown: PlotArea,
    palette: Palette,
    *,
    log_x: bool = False,
    log_y: bool = False,
    whole_x: bool = True,
) -> None:
    """Paint them.

    Args:
        whole: the plot with its margins.
        shown: where the curves are, and what it shows.
        log_x, log_y: whether these are decimal logarithms.
        whole_x: whether only whole numbers count from left to right.
    """
    metrics, area, span, limits = QFontMetricsF(painter.font()), shown.box, shown.span, shown.limits
    painter.fillRect(whole, QColor(palette.background))
    grid, text = QPen(QColor(palette.grid), 0), QPen(QColor(palette.muted))
    for value, name in value_ticks(shown, metrics, log=log_y):
        y = area.bottom() - (value - limits[0]) / (limits[1] - limits[0]) * area.height()
        painter.setPen(grid)
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        left = area.left() - GAP - metrics.horizontalAdvance(name)
        painter.setPen(text)
        painter.drawText(QPointF(left, y + metrics.ascent() / 2 - 1), name)
    most = max(int(area.width() / metrics.horizontalAdvance("000,000,0")), 1)
    written = 0.0
    for value, name in log_ticks(*span, most) if log_x else ticks(*span, most, whole=whole_x):
        x = area.left() + (value - span[0]) / (span[1] - span[0]) * area.width()
        painter.setPen(grid)
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        wide = metrics.horizontalAdvance(name)
        left = min(max(x - wide / 2, 0), whole.width() - wide)
        if left >= written:
            painter.setPen(text)
            painter.drawText(QPointF(left, area.bottom() + metrics.height()), name)
            written = left + wide + 2 * GAP


def value_ticks(shown: PlotArea, metrics: QFontMetricsF, *, log: bool) -> list[tuple[float, str]]:
    """The numbers beside the plot, from bottom to top, and how they are written."""
    most = max(int(shown.box.height() / metrics.height() / 1.8), 2)
    return (log_ticks if log else ticks)(*shown.limits, most)


def room_for_values(shown: PlotArea, metrics: QFontMetricsF, *, log: bool) -> float:
    """Pixels that the numbers beside the plot need: at least those of a usual one, so that plots stand in line."""
    names = ["−0.0000", *(name for _, name in value_ticks(shown, metrics, log=log))]
    return max(map(metrics.horizontalAdvance, names)) + 2 * GAP


def paint_milestones(
    painter: QPainter,
    area: QRectF,
    x_of: Callable[[float], float],
    milestones: Iterable[Milestone],
    palette: Palette,
) -> None:
    """Paint a line with a flag at each step at which something happened; growth stands out.

    Args:
        x_of: where a step lies, in logical pixels.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for milestone in milestones:
        x = x_of(milestone.step)
        if not area.left() <= x <= area.right():
            continue
        colour = QColor(palette.foreground if milestone.growth else palette.muted)
        style = Qt.PenStyle.DashLine if milestone.growth else Qt.PenStyle.DotLine
        painter.setPen(QPen(colour, 1.5 if milestone.growth else 1, style))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        corners = QPointF(x - FLAG, area.top()), QPointF(x + FLAG, area.top())
        painter.drawPolygon(QPolygonF([*corners, QPointF(x, area.top() + 1.5 * FLAG)]))
    painter.restore()
