"""A plot of curves over steps, with a cross-hair that reads values and a line at the current step.

Painted by hand: axes and curves once, into a picture, and what moves over it at each repaint.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from mmgraph.runs import Series
from mmgraph_gui.accessible import named
from mmgraph_gui.axes import paint_axes, paint_milestones
from mmgraph_gui.milestones import Milestone, nearest_milestone
from mmgraph_gui.theme import Theme
from mmgraph_gui.thinning import Numbers, padded, thin

LINE = 2
MOST_MARKS = 500
GAP = 6
LEGEND_GAP = 12
REACH = 6
"""Pixels between the mouse and a milestone that it is pointing at."""


def group_of(tag: str) -> tuple[str, str]:
    """("train", "loss") of "train/loss"; ("", "learning rate") of "learning_rate"."""
    part, _, quantity = tag.rpartition("/")
    return part, quantity.replace("_", " ")


class CurvePlot(QWidget):
    """Curves of one quantity. The heading is the legend, and reads the values under the mouse.

    Signals:
        step_chosen(int): the user clicked or dragged to this step.
        hovered(float | None): the mouse is at this step, or has left.
        span_wanted(float, float): the user zoomed or moved to these steps.
    """

    step_chosen = Signal(int)
    hovered = Signal(object)
    span_wanted = Signal(float, float)

    def __init__(self, quantity: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quantity = quantity
        self._theme = theme
        self._series: dict[str, Series] = {}
        self._finite: dict[str, tuple[Numbers, Numbers]] = {}
        self._marks: list[tuple[float, float]] = []
        self._bad = 0
        self.milestones: list[Milestone] = []
        self._span = (0.0, 1.0)
        self._limits = (0.0, 1.0)
        self._shown: dict[str, tuple[Numbers, Numbers]] = {}
        self._step: float = -1
        self._cross: float | None = None
        self._picture: QPixmap | None = None
        self._grip: QPointF | None = None
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(140, 110)
        named(self, f"Plot of {quantity}", "").setToolTip("")

    # -- content -----------------------------------------------------------------------------------------

    def draw(
        self, curves: dict[str, Series], span: tuple[float, float], milestones: list[Milestone] | None = None
    ) -> None:
        """Show these series, by part of the data, from one step to another, and what happened on the way."""
        known = self._series
        if curves.keys() != known.keys() or any(
            known[part] is not numbers for part, numbers in curves.items()
        ):
            self._series = curves
            self._finite, self._marks, self._bad = {}, [], 0
            for part, series in curves.items():
                self._take(part, series)
        self._span = span
        if milestones is not None and milestones != self.milestones:
            self.milestones = milestones
            self.setAccessibleDescription("; ".join(known.text.replace("\n", ": ") for known in milestones))
        self.repaint_all()

    def repaint_all(self) -> None:
        """Draw the curves again too: size, colours or data have changed."""
        self._picture = None
        self.update()

    def set_step(self, step: int) -> None:
        """Move the line of the current step."""
        if step != self._step:
            self._step = step
            self.update()

    def set_cross(self, step: float | None) -> None:
        """Show the cross-hair at a step, or hide it."""
        if step != self._cross:
            self._cross = step
            self.update()

    def readout(self) -> dict[str, float]:
        """The value of each curve at the cross-hair, else at the current step; NaN before its first."""
        at = self._step if self._cross is None else self._cross
        return {part: _value_at(series, at) for part, series in self._series.items()}

    def legend(self) -> dict[str, str]:
        """What stands beside the colour of each curve: name and value, or one of them where there is little room."""
        metrics, read = QFontMetricsF(self.font()), self.readout()
        room = self._area().width() + LEGEND_GAP - len(read) * (metrics.ascent() * 0.6 + 4 + LEGEND_GAP)
        words: dict[str, str] = {}
        for named_, digits in ((True, 4), (True, 3), (False, 4), (False, 3), (True, 0)):
            words = {
                part: _worded(part if named_ else "", value, digits, told=bool(self._bad))
                for part, value in read.items()
            }
            if sum(map(metrics.horizontalAdvance, words.values())) <= room:
                break
        return words

    def heading(self) -> str:
        """What stands in bold above the curves."""
        at = "" if self._cross is None else f" at step {round(self._cross):,}"
        return f"{self.quantity}{at}" + (f"  × {self._bad:,} NaN or infinite" if self._bad else "")

    def shown(self) -> dict[str, tuple[Numbers, Numbers]]:
        """The points that are drawn of each curve."""
        if self._picture is None:
            self._thin()
        return self._shown

    @property
    def marks(self) -> list[tuple[float, float]]:
        """(step, value) where stretches of NaN or infinite values begin, at the height of the last finite one."""
        return self._marks

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest value of the axis."""
        self.shown()
        return self._limits

    def x_of(self, step: float) -> float:
        """Where a step lies, in logical pixels."""
        area, (low, high) = self._area(), self._span
        return area.left() + (step - low) / max(high - low, 1e-12) * area.width()

    def _step_at(self, x: float) -> float:
        area, (low, high) = self._area(), self._span
        return low + (x - area.left()) / max(area.width(), 1) * (high - low)

    def _take(self, part: str, series: Series) -> None:
        finite = np.isfinite(series.value)
        steps = series.step.astype(np.float64)
        if finite.all():
            self._finite[part] = steps, series.value
            return
        self._finite[part] = steps[finite], series.value[finite]
        self._bad += int((~finite).sum())
        starts = np.flatnonzero(~finite & np.concatenate([[True], finite[:-1]]))[:MOST_MARKS]
        last = np.maximum.accumulate(np.where(finite, np.arange(len(finite)), -1))[starts]
        heights = np.where(last >= 0, series.value[last], 0.0)
        self._marks += list(zip(steps[starts].tolist(), heights.tolist(), strict=True))

    def _thin(self) -> None:
        """Choose the points to draw and the range of values that they fill."""
        columns = max(round(self._area().width()), 1)
        self._shown = {
            part: thin(*numbers, *self._span, columns)
            for part, numbers in self._finite.items()
            if len(numbers[0])
        }
        values = [y for _, y in self._shown.values() if len(y)]
        marks = [height for _, height in self._marks]
        low = min([float(y.min()) for y in values] + marks, default=0.0)
        high = max([float(y.max()) for y in values] + marks, default=1.0)
        self._limits = padded(low, high)

    # -- painting ----------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.size() != self.size() * ratio:
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._thin()
            painter = QPainter(self._picture)
            painter.setFont(self.font())
            self._paint_ground(painter)
            self._paint_curves(painter, self._brush_line)
            painter.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        self._paint_pointers(painter)
        painter.end()

    def paint_vectors(self, painter: QPainter) -> None:
        """Paint all of it as vectors."""
        self._thin()
        painter.setFont(self.font())
        self._paint_ground(painter)
        self._paint_curves(painter, _pen_line)
        self._paint_pointers(painter)

    def _paint_ground(self, painter: QPainter) -> None:
        palette = self._theme.palette
        paint_axes(painter, self.rect(), self._area(), self._span, self._limits, palette)
        paint_milestones(painter, self._area(), self._span, self.milestones, palette)

    def _area(self) -> QRectF:
        """Where the curves are."""
        metrics = QFontMetricsF(self.font())
        left, top = metrics.horizontalAdvance("−0.0000") + GAP, 2 * metrics.height() + GAP
        below = metrics.height() + GAP
        return QRectF(left, top, max(self.width() - left - GAP, 1), max(self.height() - top - below, 1))

    def _paint_curves(self, painter: QPainter, line: Callable[[QPainter, QPolygonF, QColor], None]) -> None:
        area, (low, high) = self._area(), self._limits
        painter.save()
        painter.setClipRect(area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

        def points(x: Numbers, y: Numbers) -> list[QPointF]:
            across = area.left() + (x - self._span[0]) * (
                area.width() / max(self._span[1] - self._span[0], 1e-12)
            )
            down = area.bottom() - (y - low) * (area.height() / (high - low))
            return list(map(QPointF, across.tolist(), down.tolist()))

        for part, (x, y) in self._shown.items():
            colour = QColor(self._theme.curve(part))
            if len(x) == 1:  # one point makes no line
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawEllipse(points(x, y)[0], 3.5, 3.5)
            else:
                line(painter, QPolygonF(points(x, y)), colour)
        if self._marks:
            painter.setPen(QPen(QColor(self._theme.palette.error), 2))
            for place in points(*np.array(self._marks).T):
                for across in (QPointF(4, 4), QPointF(4, -4)):
                    painter.drawLine(place - across, place + across)
        painter.restore()

    def _brush_line(self, painter: QPainter, points: QPolygonF, colour: QColor) -> None:
        """A thick line drawn as thin ones side by side: Qt takes 50 times as long to stroke one of many points."""
        ratio = self.devicePixelRatioF()
        painter.setPen(QPen(colour, 0))
        wide = max(round(LINE * ratio), 1)
        for right in range(wide):
            for down in {
                right,
                wide - 1 - right,
            }:  # the diagonals of a square brush cover it in any direction
                shift = QPointF(right, down) / ratio
                painter.translate(shift)
                painter.drawPolyline(points)
                painter.translate(-shift)

    def _paint_pointers(self, painter: QPainter) -> None:
        palette, area = self._theme.palette, self._area()
        for step, colour, style in (
            (self._step, palette.foreground, Qt.PenStyle.SolidLine),
            (self._cross, palette.muted, Qt.PenStyle.DashLine),
        ):
            if step is not None and self._span[0] <= step <= self._span[1]:
                painter.setPen(QPen(QColor(colour), 1, style))
                painter.drawLine(
                    QPointF(self.x_of(step), area.top()), QPointF(self.x_of(step), area.bottom())
                )
        metrics = QFontMetricsF(self.font())
        bold = QFont(self.font())
        bold.setBold(True)
        painter.setPen(QColor(palette.muted))
        painter.setFont(bold)
        painter.drawText(QPointF(area.left(), metrics.ascent() + 1), self.heading())
        painter.setFont(self.font())
        x, y, side = area.left(), metrics.height() + metrics.ascent() + 1, metrics.ascent() * 0.6
        for part, words in self.legend().items():
            painter.fillRect(QRectF(x, y - side, side, side), QColor(self._theme.curve(part)))
            painter.drawText(QPointF(x + side + 4, y), words)
            x += side + 4 + metrics.horizontalAdvance(words) + LEGEND_GAP

    # -- mouse -------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grip = event.position()
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event)
        elif event.buttons() & Qt.MouseButton.MiddleButton and self._grip is not None:
            by = self._step_at(self._grip.x()) - self._step_at(event.position().x())
            self._grip = event.position()
            self.span_wanted.emit(self._span[0] + by, self._span[1] + by)
        inside = self._area().contains(event.position())
        step = self._step_at(event.position().x())
        self.hovered.emit(step if inside else None)
        reach = self._step_at(event.position().x() + REACH) - step
        near = nearest_milestone(self.milestones, step, reach) if inside else None
        self.setToolTip(near.text if near is not None else "")

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        factor = 0.999 ** event.angleDelta().y()
        at = self._step_at(event.position().x())
        low, high = (at + (end - at) * factor for end in self._span)
        if high - low >= 2:
            self.span_wanted.emit(low, high)
        event.accept()

    def _choose(self, event: QMouseEvent) -> None:
        self.step_chosen.emit(round(self._step_at(event.position().x())))


def _pen_line(painter: QPainter, points: QPolygonF, colour: QColor) -> None:
    painter.setPen(QPen(colour, LINE))
    painter.drawPolyline(points)


def _worded(part: str, value: float, digits: int, *, told: bool) -> str:
    """Name and value of a curve; of NaN only where it is `told`, of no digits the name alone."""
    number = "" if not digits or (np.isnan(value) and not told) else f"{value:.{digits}g}"
    return " ".join(word for word in (part, number) if word)


def _value_at(series: Series, step: float) -> float:
    place = int(np.searchsorted(series.step, step, side="right"))
    return float(series.value[place - 1]) if place else float("nan")
