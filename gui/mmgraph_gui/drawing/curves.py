"""A plot of curves, with a cross-hair that reads values and a line at the current step.

Painted by hand: axes and curves once, into a picture, and what moves over it at each repaint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.across import Across, Span
from mmgraph_gui.drawing.axes import room_for_values
from mmgraph_gui.drawing.curve import Curve
from mmgraph_gui.drawing.curve_picture import CurvePicture, CurvePointers
from mmgraph_gui.drawing.curve_set import CurveSet, Points, Thinned
from mmgraph_gui.drawing.legend_words import run_words, value_words
from mmgraph_gui.drawing.plot_area import PlotArea, brush_line, pen_line
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state.milestones import Milestone, nearest_milestone

GAP = 6
REACH = 6
"""Pixels between the mouse and a milestone that it is pointing at."""


def group_of(tag: str) -> tuple[str, str]:
    """("train", "loss") of "train/loss"; ("", "learning rate") of "learning_rate"."""
    part, _, quantity = tag.rpartition("/")
    return part, quantity.replace("_", " ")


def joined(one: Span, other: Span | None) -> Span:
    """The span that holds both."""
    return one if other is None else (min(one[0], other[0]), max(one[1], other[1]))


class CurvePlot(QWidget):
    """Curves of one quantity. The heading is the legend, and reads the values under the mouse.

    Places are where numbers lie along the axis: steps, epochs or seconds, or their logarithms.

    Signals:
        step_chosen(int): the user clicked or dragged to this step.
        hovered(float | None): the mouse is at this place, or has left.
        span_wanted(float, float): the user zoomed or moved to these places.
        limits_wanted(): the user zoomed to other values.
        whole_wanted(): the user asked for the whole run.
        ranged(): the values of its curves fill another range, `filled`.
    """

    step_chosen = Signal(int)
    hovered = Signal(object)
    span_wanted = Signal(float, float)
    limits_wanted = Signal()
    whole_wanted = Signal()
    ranged = Signal()

    def __init__(self, quantity: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quantity = quantity
        self._theme = theme
        self.curves, self._thinned = CurveSet(quantity), Thinned()
        self.milestones: list[Milestone] = []
        self._span: Span = (0.0, 1.0)
        self._limits: Span = (0.0, 1.0)
        self._wanted_limits: Span | None = None
        self._left: float | None = None
        self.filled: Span | None = None
        self._reach: Span | None = None
        self._step: float = -1
        self._cross: float | None = None
        self._picture: QPixmap | None = None
        self.mouse = QPoint()
        self._grip: QPointF | None = None
        self._pointed: QPointF | None = None
        self._box: QRectF | None = None
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(140, 140)
        named(self, f"Plot of {quantity}", "").setToolTip("")

    # -- content -----------------------------------------------------------------------------------------

    def draw(
        self,
        curves: Sequence[Curve],
        span: Span,
        milestones: list[Milestone] | None = None,
        *,
        across: Across | None = None,
        log: bool = False,
        smoothing: float = 0.0,
    ) -> None:
        """Show these curves from one place to another, and what happened on the way.

        Args:
            across: along what; steps by default.
            log: whether heights are logarithms; what is not above zero is left out.
            smoothing: weight of the past in the smoothed curve; 0 draws none.

        Where there are many long curves, some may be left for the next call, so that the window stays quick:
        `curves.is_partial` says so.
        """
        self.curves.update(curves, across or Across(), log=log, smoothing=smoothing)
        self._span = span
        if milestones is not None and milestones != self.milestones:
            self.milestones = milestones
            self.setAccessibleDescription("; ".join(known.text.replace("\n", ": ") for known in milestones))
        self.repaint_all()

    def point_again(self) -> None:
        """Move the cross-hair to what lies under the mouse now: the axes have moved, the mouse has not."""
        if self._pointed is not None:
            self._point(self._pointed)

    def repaint_all(self) -> None:
        """Draw the curves again too: size, colours or data have changed."""
        self._picture = None
        self.update()

    @property
    def wanted_limits(self) -> Span | None:
        """The values that somebody zoomed to; None where all are shown."""
        return self._wanted_limits

    def show_limits(self, limits: Span | None) -> None:
        """Show these values, or with None the whole range again."""
        if limits != self._wanted_limits:
            self._wanted_limits = limits
            self.repaint_all()

    def set_reach(self, reach: Span | None) -> None:
        """Values that are on screen too, because a plot beside this one has them."""
        if reach != self._reach:
            self._reach = reach
            self.repaint_all()

    def set_step(self, step: int) -> None:
        """Move the line of the current step."""
        if step != self._step:
            self._step = step
            self.update()

    def set_cross(self, place: float | None) -> None:
        """Show the cross-hair at a place, or hide it."""
        if place != self._cross:
            self._cross = place
            self.update()

    def readout(self) -> dict[str, float]:
        """The value of each curve at the cross-hair, else at the current step; NaN before its first."""
        at = self.curves.across.place(self._step) if self._cross is None else self._cross
        return self.curves.values_at(at)

    def untold(self) -> list[tuple[str, str, float]]:
        """Colour, name and value of each curve under the mouse, where the legend does not say all of them."""
        legend, read = self.legend(), self.readout()
        told = not self.curves.is_overlaid and all(
            legend.get(key, "").startswith(key) and (legend[key] != key or np.isnan(value))
            for key, value in read.items()
        )
        return [] if told else [
            (self.colour_of(curve), f"{curve.part} {curve.run}".strip(), read[key])
            for key, curve in self.curves.by_key.items()
        ]  # fmt: skip

    def colour_of(self, curve: Curve) -> str:
        """Colour of a curve: that of its run where several are drawn, else that of its part."""
        return self._theme.curve(curve.part) if curve.slot is None else self._theme.run(curve.slot)

    def legend(self) -> dict[str, str]:
        """What stands beside the colour of each curve: name and value, or one of them where there is little room.

        Where several runs are drawn, each run stands there once, as far as there is room.
        """
        metrics, room = QFontMetricsF(self.font()), self._area().box.width()
        if self.curves.is_overlaid:
            runs = {curve.run: key for key, curve in reversed(self.curves.by_key.items())}
            return run_words([(key, run) for run, key in reversed(runs.items())], metrics, room)
        return value_words(self.readout(), metrics, room, told=bool(self.curves.bad))

    def heading(self) -> str:
        """What stands in bold above the curves."""
        at = "" if self._cross is None else f" at {self.curves.across.words(self._cross)}"
        bad = self.curves.bad
        return f"{self.quantity}{at}" + (f"  × {bad:,} NaN or infinite" if bad else "")

    def shown(self) -> dict[str, Points]:
        """The points that are drawn of each curve."""
        if self._picture is None:
            self._thin()
        return self._thinned.shown

    @property
    def limits(self) -> Span:
        """Lowest and highest value of the axis, or their logarithms."""
        self.shown()
        return self._limits

    @property
    def span(self) -> Span:
        """First and last place on screen."""
        return self._span

    def x_of(self, step: float) -> float:
        """Where a step lies, in logical pixels; −1 where it has no place."""
        place = self.curves.across.place(step)
        return self._area().x_of(place) if np.isfinite(place) else -1.0

    def _thin(self) -> None:
        """Choose the points to draw and the range of values that they fill."""
        columns = max(round(self._area().box.width()), 1)
        self._thinned = self.curves.thin(self._span, columns)
        filled = self._thinned.limits(self.curves.marks)
        if filled != self.filled:
            self.filled = filled
            self.ranged.emit()
        self._limits = self._wanted_limits or joined(filled, self._reach)
        self._left = None
        self._left = room_for_values(self._area(), QFontMetricsF(self.font()), log=self.curves.log)

    # -- painting ----------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.size() != self.size() * ratio:
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._thin()
            painter = QPainter(self._picture)
            self._drawn().paint(painter, brush_line)
            painter.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        self._pointers().paint(painter)
        if self._box is not None:
            painter.setPen(QPen(QColor(self._theme.palette.accent), 1, Qt.PenStyle.DashLine))
            painter.drawRect(self._box.intersected(self._area().box))
        painter.end()

    def vectors(self) -> Callable[[QPainter], None]:
        """What paints all of it as vectors, as it is now, in whichever thread."""
        self.shown()
        drawn, over = self._drawn(), self._pointers()

        def paint(painter: QPainter) -> None:
            drawn.paint(painter, pen_line)
            over.paint(painter)

        return paint

    def _drawn(self) -> CurvePicture:
        curves, several = self.curves.by_key, len(self.curves.parts) > 1
        return CurvePicture(
            self.rect(),
            self._area(),
            self.font(),
            self._theme.palette,
            self.curves.across,
            self.curves.log,
            tuple(self.milestones),
            self._thinned,
            self.curves.marks,
            self.curves.best,
            {key: self.colour_of(curve) for key, curve in curves.items()},
            frozenset(
                key
                for key, curve in curves.items()
                if several and curve.slot is not None and curve.part == "train"
            ),
        )

    def _pointers(self) -> CurvePointers:
        curves = self.curves.by_key
        return CurvePointers(
            self._area(),
            self.font(),
            self._theme.palette,
            self.curves.across.place(self._step),
            self._cross,
            self.heading(),
            [(self.colour_of(curves[key]), words) for key, words in self.legend().items() if words],
        )

    def _area(self) -> PlotArea:
        """Where the curves are, and what it shows."""
        metrics = QFontMetricsF(self.font())
        left = metrics.horizontalAdvance("−0.0000") + GAP if self._left is None else self._left
        top = 2 * metrics.height() + GAP
        below = metrics.height() + GAP
        box = QRectF(left, top, max(self.width() - left - GAP, 1), max(self.height() - top - below, 1))
        return PlotArea(box, self._span, self._limits)

    # -- mouse -------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grip = event.position()
        if event.button() == Qt.MouseButton.LeftButton:
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._box = QRectF(event.position(), event.position())
            else:
                self._choose(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._box is not None and self._grip is not None:
            self._box = QRectF(self._grip, event.position()).normalized()
            self.update()
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event)
        elif event.buttons() & Qt.MouseButton.MiddleButton and self._grip is not None:
            self._pan(self._grip, event.position())
            self._grip = event.position()
        self.mouse, self._pointed = event.position().toPoint(), event.position()
        self._point(event.position())

    def _point(self, at: QPointF) -> None:
        inside = self._area().box.contains(at)
        place = self._area().place_at(at.x())
        self.hovered.emit(place if inside else None)
        step = self.curves.across.step(place)
        reach = abs(self.curves.across.step(self._area().place_at(at.x() + REACH)) - step)
        near = nearest_milestone(self.milestones, step, reach) if inside else None
        self.setToolTip(near.text if near is not None else "")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        box, self._box = self._box, None
        if box is None:
            return
        box = box.intersected(self._area().box)
        self.update()
        if box.width() > REACH and box.height() > REACH:
            self._wanted_limits = self._area().value_at(box.bottom()), self._area().value_at(box.top())
            self._show(self._area().place_at(box.left()), self._area().place_at(box.right()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.whole_wanted.emit()

    def leaveEvent(self, event: object) -> None:
        self._pointed = None
        self.hovered.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        factor = 0.999 ** event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            at = self._area().value_at(event.position().y())
            low, high = (at + (end - at) * factor for end in self.limits)
            if high - low > 1e-12 * max(abs(low), abs(high), 1e-300):
                self.show_limits((low, high))
                self.limits_wanted.emit()
        else:
            at = self._area().place_at(event.position().x())
            low, high = (at + (end - at) * factor for end in self._span)
            if high - low >= (
                2 if self.curves.across.kind == "step" and not self.curves.across.log else 1e-6
            ):
                self._show(low, high)
        event.accept()

    def _pan(self, start: QPointF, end: QPointF) -> None:
        if self._wanted_limits is not None:
            by = self._area().value_at(start.y()) - self._area().value_at(end.y())
            self._wanted_limits = self._limits[0] + by, self._limits[1] + by
        across = self._area().place_at(start.x()) - self._area().place_at(end.x())
        self._show(self._span[0] + across, self._span[1] + across)

    def _show(self, low: float, high: float) -> None:
        """Show these places at once; the other plots follow."""
        self._span = low, high
        self.repaint_all()
        self.span_wanted.emit(low, high)

    def _choose(self, event: QMouseEvent) -> None:
        self.step_chosen.emit(round(self.curves.across.step(self._area().place_at(event.position().x()))))
