"""A plot of curves over steps, with a cross-hair that reads values and a line at the current step."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QGraphicsTextItem

from mmgraph.runs import Series
from mmgraph_gui.theme import Theme


def group_of(tag: str) -> tuple[str, str]:
    """("train", "loss") of "train/loss"; ("", "learning rate") of "learning_rate"."""
    part, _, quantity = tag.rpartition("/")
    return part, quantity.replace("_", " ")


class CurvePlot(pg.PlotItem):  # type: ignore[misc]
    """Curves of one quantity. The title is the legend, and reads the values under the mouse.

    Signals:
        step_chosen(int): the user clicked or dragged to this step.
        hovered(float | None): the mouse is at this step, or has left.
    """

    step_chosen = Signal(int)
    hovered = Signal(object)

    def __init__(self, quantity: str) -> None:
        super().__init__(viewBox=_StepBox())
        self.quantity = quantity
        self._curves: dict[str, Any] = {}
        self._series: dict[str, Series] = {}
        self._colours: dict[str, str] = {}
        self._muted = "#888888"
        self._step = -1
        self._cross_at: float | None = None
        self._title = ""
        self._constant = False
        self._heading = QGraphicsTextItem(self)  # pyqtgraph's own title would widen the plot to fit it
        self._heading.setFont(QApplication.font())
        self.layout.setRowFixedHeight(0, self._heading.boundingRect().height() * 1.6)
        self._bad = pg.ScatterPlotItem(symbol="x", size=11)
        self._bad.setZValue(20)
        self._line = pg.InfiniteLine(angle=90)
        self._cross = pg.InfiniteLine(angle=90)
        for item in (self._bad, self._line, self._cross):
            self.addItem(item, ignoreBounds=item is not self._bad)
        self._cross.hide()
        self.hideButtons()
        self.setMenuEnabled(False)
        self.showGrid(x=True, y=True, alpha=0.18)
        for axis in ("left", "bottom"):
            self.getAxis(axis).enableAutoSIPrefix(False)
            self.getAxis(axis).setStyle(maxTickLevel=0)  # lines of the grid are most of what a repaint costs
        box = self.getViewBox()
        box.setMouseEnabled(x=True, y=False)
        box.setAutoVisible(y=True)
        box.chosen.connect(lambda x: self.step_chosen.emit(round(x)))
        box.pointed.connect(self.hovered.emit)

    def draw(self, curves: dict[str, Series], theme: Theme, *, restyle: bool) -> None:
        """Show these series by part of the data."""
        self._series = curves
        for part in set(self._curves) - set(curves):
            self.removeItem(self._curves.pop(part))
        for part, series in curves.items():
            if part not in self._curves:
                self._curves[part] = self._new_curve()
                restyle = True
            finite = np.isfinite(series.value)
            self._curves[part].setData(series.step[finite].astype(np.float64), series.value[finite])
            self._curves[part].setSymbol("o" if finite.sum() == 1 else None)  # one point makes no line
        if restyle:
            self._style(theme)
        self._fit_constant()
        self._mark_bad()
        self._write_title()

    def set_step(self, step: int) -> None:
        """Move the line of the current step."""
        if step != self._step:
            self._step = step
            self._line.setValue(step)
            self._write_title()

    def set_cross(self, step: float | None) -> None:
        """Show the cross-hair at a step, or hide it."""
        if step == self._cross_at:
            return
        self._cross_at = step
        self._cross.setVisible(step is not None)
        if step is not None:
            self._cross.setValue(step)
        self._write_title()

    def follow_steps_of(self, other: CurvePlot) -> None:
        """Always show the same steps as another plot."""
        self.getViewBox().enableAutoRange(axis="x", enable=False)
        self.setXLink(other)

    def show_all(self) -> None:
        """Fit the whole run into the plot, and keep it so as it grows."""
        self.getViewBox().enableAutoRange(axis="x")

    def readout(self) -> dict[str, float]:
        """The value of each curve at the cross-hair, else at the current step; NaN before its first."""
        at = self._step if self._cross_at is None else self._cross_at
        return {part: _value_at(series, at) for part, series in self._series.items()}

    def _new_curve(self) -> Any:
        curve = pg.PlotDataItem(connect="all", skipFiniteCheck=True)
        curve.setDownsampling(auto=True, method="peak")
        curve.setClipToView(True)
        self.addItem(curve)
        return curve

    def _style(self, theme: Theme) -> None:
        palette = theme.palette
        self._muted, self._title = palette.muted, ""
        self._heading.setDefaultTextColor(QColor(palette.muted))
        for axis in ("left", "bottom"):
            self.getAxis(axis).setPen(palette.grid)
            self.getAxis(axis).setTextPen(palette.muted)
        self._line.setPen(pg.mkPen(palette.foreground, width=1))
        self._cross.setPen(pg.mkPen(palette.muted, width=1, style=Qt.PenStyle.DashLine))
        self._bad.setPen(pg.mkPen(palette.error, width=2))
        self._bad.setBrush(palette.error)
        self._colours = {part: theme.curve(part) for part in self._curves}
        for part, curve in self._curves.items():
            curve.setPen(pg.mkPen(self._colours[part], width=2))
            curve.setSymbolBrush(self._colours[part])
            curve.setSymbolPen(self._colours[part])
            curve.setSymbolSize(7)

    def _fit_constant(self) -> None:
        """Numbers that never change get a range around them; the automatic one would be ±0.5."""
        values = [series.value[np.isfinite(series.value)] for series in self._series.values()]
        low = min((float(part.min()) for part in values if len(part)), default=0.0)
        high = max((float(part.max()) for part in values if len(part)), default=1.0)
        constant = high == low != 0
        if constant != self._constant:
            self._constant = constant
            self.getViewBox().enableAutoRange(axis="y", enable=not constant)
        if constant:
            self.setYRange(low - abs(low) / 2, high + abs(high) / 2, padding=0)

    def _mark_bad(self) -> None:
        """A cross where a stretch of NaN or infinite values begins, at the height of the last finite value."""
        steps, heights = [], []
        for series in self._series.values():
            bad = ~np.isfinite(series.value)
            if not bad.any():
                continue
            starts = np.flatnonzero(bad & ~np.concatenate([[False], bad[:-1]]))
            for start in starts[:500]:
                finite = np.flatnonzero(~bad[:start])
                steps.append(float(series.step[start]))
                heights.append(float(series.value[finite[-1]]) if len(finite) else 0.0)
        if steps or len(self._bad.data):
            self._bad.setData(steps, heights)

    def _write_title(self) -> None:
        values = self.readout()
        bad = sum(int((~np.isfinite(series.value)).sum()) for series in self._series.values())
        head = f"<b>{html.escape(self.quantity)}</b>"
        if self._cross_at is not None:
            head += f" at step {round(self._cross_at):,}"
        if bad:
            head += f" <b>× {bad:,} NaN or infinite</b>"
        parts = []
        for part, value in values.items():
            number = "" if value != value and not _has_nan(self._series[part]) else f" {value:.4g}"
            colour = self._colours.get(part, self._muted)
            parts.append(f"<span style='color:{colour}'>■</span> {html.escape(part)}{number}")
        title = f"{head}<br>{'&nbsp; '.join(parts)}"
        if title != self._title:
            self._title = title
            self._heading.setHtml(title)


class _StepBox(pg.ViewBox):  # type: ignore[misc]
    """Left click or drag chooses a step; the wheel zooms over steps, the middle button pans."""

    chosen = Signal(float)
    pointed = Signal(object)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setAcceptHoverEvents(True)

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self.chosen.emit(self.mapToView(event.pos()).x())

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() == Qt.MouseButton.LeftButton and axis is None:
            event.accept()
            self.chosen.emit(self.mapToView(event.pos()).x())
        else:
            super().mouseDragEvent(event, axis)

    def hoverEvent(self, event: Any) -> None:
        self.pointed.emit(None if event.isExit() else self.mapToView(event.pos()).x())


def _value_at(series: Series, step: float) -> float:
    place = int(np.searchsorted(series.step, step, side="right"))
    return float(series.value[place - 1]) if place else float("nan")


def _has_nan(series: Series) -> bool:
    return bool(np.isnan(series.value).any())
