"""Curves with their axes and what stands over them, painted from what does not change: on the screen or in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from mmgraph_gui.drawing.across import Across
from mmgraph_gui.drawing.axes import paint_axes, paint_milestones
from mmgraph_gui.drawing.curve_set import Mark, Thinned
from mmgraph_gui.drawing.legend_words import GAP
from mmgraph_gui.drawing.plot_area import PlotArea
from mmgraph_gui.drawing.theme import Palette
from mmgraph_gui.state.milestones import Milestone

LINE = 2
THIN_FROM = 9
"""So many curves in one plot are drawn with thin lines."""
FAINT = 0.35
"""How much of a curve is left beside its smoothed one."""
REACH = 6
"""Pixels around the curves in which marks at the end of the axes are whole."""


@dataclass(frozen=True, eq=False)
class CurvePicture:
    """Axes, milestones and curves.

    Args:
        whole: the plot with its margins; area is where the curves are.
        log: whether heights are logarithms.
        thinned, marks, best: the points of each curve, where it is no number, and its best.
        colours: of each curve.
        aside: curves that are drawn thinner than others.
    """

    whole: QRect
    area: PlotArea
    font: QFont
    palette: Palette
    across: Across
    log: bool
    milestones: Sequence[Milestone]
    thinned: Thinned
    marks: Sequence[Mark]
    best: Mapping[str, Mark]
    colours: Mapping[str, str]
    aside: frozenset[str]

    def x_of(self, step: float) -> float:
        """Where a step lies, in logical pixels; −1 where it has no place."""
        place = self.across.place(step)
        return self.area.x_of(place) if np.isfinite(place) else -1.0

    def paint(self, painter: QPainter, line: Callable[[QPainter, QPolygonF, QColor, float], None]) -> None:
        """Paint it; `line` paints one curve."""
        painter.setFont(self.font)
        paint_axes(
            painter,
            self.whole,
            self.area,
            self.palette,
            log_x=self.across.log,
            log_y=self.log,
            whole_x=self.across.kind == "step",
        )
        paint_milestones(painter, self.area.box, self.x_of, self.milestones, self.palette)
        painter.save()
        painter.setClipRect(self.area.box)
        thin = len(self.thinned.shown) >= THIN_FROM
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not thin)
        for points, kept in ((self.thinned.faint, FAINT), (self.thinned.shown, 1.0)):
            for key, (x, y) in points.items():
                if len(x) == 1:  # one point makes no line
                    continue
                colour = QColor(self.colours[key])
                colour.setAlphaF(kept)
                width = 1.0 if thin or key in self.aside or kept < 1 else LINE
                line(painter, self.area.polygon(x, y), colour, width)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_marks(painter)
        painter.restore()

    def _paint_marks(self, painter: QPainter) -> None:
        """Single points, the best and what is no number: whole also where they lie at the end of the axes."""
        palette, area, (first, last) = self.palette, self.area, self.area.span
        painter.setClipRect(area.box.adjusted(-REACH, -REACH, REACH, REACH))
        for key, (x, y) in self.thinned.shown.items():
            if len(x) == 1 and first <= x[0] <= last:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self.colours[key]))
                painter.drawEllipse(area.polygon(x, y).at(0), 3.5, 3.5)
        if marks := [mark for mark in self.marks if first <= mark[0] <= last]:
            painter.setPen(QPen(QColor(palette.error), 2))
            x, y = np.array(marks, dtype=np.float64).T
            for place in area.polygon(x, y).toList():
                for across in (QPointF(4, 4), QPointF(4, -4)):
                    painter.drawLine(place - across, place + across)
        for key, point in self.best.items():
            if not first <= point[0] <= last:
                continue
            x, y = np.array([point], dtype=np.float64).T
            place = area.polygon(x, y).at(0)
            painter.setPen(QPen(QColor(palette.background), 1.5))
            painter.setBrush(QColor(self.colours[key]))
            painter.drawEllipse(place, 5, 5)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(palette.background))
            painter.drawEllipse(place, 1.8, 1.8)


@dataclass(frozen=True, eq=False)
class CurvePointers:
    """What moves over the curves: the line of the step, the cross-hair, and the words above.

    Args:
        step, cross: places; None where there is none.
        legend: colour and words of each entry.
    """

    area: PlotArea
    font: QFont
    palette: Palette
    step: float | None
    cross: float | None
    heading: str
    legend: Sequence[tuple[str, str]]

    def paint(self, painter: QPainter) -> None:
        """Paint it over the curves."""
        palette, area, (first, last) = self.palette, self.area.box, self.area.span
        for place, colour, style in (
            (self.step, palette.foreground, Qt.PenStyle.SolidLine),
            (self.cross, palette.muted, Qt.PenStyle.DashLine),
        ):
            if place is not None and first <= place <= last:
                x = self.area.x_of(place)
                painter.setPen(QPen(QColor(colour), 1, style))
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        metrics = QFontMetricsF(self.font)
        bold = QFont(self.font)
        bold.setBold(True)
        painter.setPen(QColor(palette.muted))
        painter.setFont(bold)
        painter.drawText(QPointF(area.left(), metrics.ascent() + 1), self.heading)
        painter.setFont(self.font)
        x, y, side = area.left(), metrics.height() + metrics.ascent() + 1, metrics.ascent() * 0.6
        for colour, words in self.legend:
            painter.fillRect(QRectF(x, y - side, side, side), QColor(colour))
            painter.drawText(QPointF(x + side + 4, y), words)
            x += side + 4 + metrics.horizontalAdvance(words) + GAP
