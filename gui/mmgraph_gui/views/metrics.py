"""Metrics: the recorded numbers over training, one plot per quantity."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from mmgraph.runs import Series
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.across import KINDS, Across, start_of
from mmgraph_gui.drawing.curve import Curve
from mmgraph_gui.drawing.curves import CurvePlot, group_of, joined
from mmgraph_gui.drawing.raster import Drawing
from mmgraph_gui.drawing.readout import Readout
from mmgraph_gui.state import AppState
from mmgraph_gui.state.milestones import Milestone, milestones
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.shortened import ShortBox

FIRST_GROUPS = ("loss", "accuracy")
HELD = ("learning rate",)
"""Quantities that stay as they are until they are set anew."""
HINT = (
    "Click: go to step. Wheel: zoom (Ctrl: values). Shift-drag: zoom to a box. Middle button: move. ◉ best."
)
MILESTONE_HINT = "Point at ▼: events."
OTHERS_HINT = "Thick: validation, thin: train."
SMOOTHEST = 99
COLUMNS = ("tag", "step", "epoch", "wall_time", "value")
COLUMNS_FROM = 4
"""So many plots stand in two columns."""


@dataclass(frozen=True)
class MetricsLook:
    """How one looks at curves.

    Args:
        kind, log_x, log_y: the axes.
        span: first and last place; None for the whole run.
        limits: of each quantity whose values somebody zoomed into.
    """

    kind: str
    log_x: bool
    log_y: bool
    span: tuple[float, float] | None
    limits: dict[str, tuple[float, float]]


class MetricsView(View):
    """Curves of the same quantity share a plot; clicking or dragging in a plot moves the step."""

    name: ClassVar[str] = "metrics"
    look_kind: ClassVar[Any] = MetricsLook
    title: ClassVar[str] = "Metrics"
    topics: ClassVar[frozenset[str]] = frozenset({"run", "status", "scalars", "step", "events", "others"})

    def build(self) -> None:
        self.plots: dict[str, CurvePlot] = {}
        self.milestones: list[Milestone] = []
        self._stale: list[str] = []
        self._zoomed: tuple[float, float] | None = None
        self._curves: dict[str, list[Curve]] = {}
        self._across, self._whole = Across(), (0.0, 1.0)
        self.filled: tuple[float, float] | None = None
        self._beside: MetricsView | None = None
        self.canvas = QWidget()
        self.canvas.setAccessibleName("Curves of the recorded numbers")
        self.grid = QGridLayout(self.canvas)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setSpacing(0)
        self.kind = named(ShortBox(), "Along what", "Along what the curves are drawn")
        for kind, title in KINDS.items():
            self.kind.addItem(title, kind)
        self.kind.currentIndexChanged.connect(self._change_axis)
        self.log_x = self._switch("log x", "Logarithmic axis of steps")
        self.log_x.toggled.connect(self._change_axis)
        self.log_y = self._switch("log y", "Logarithmic axis of values: what is not above zero is left out")
        self.log_y.toggled.connect(self._change_values)
        self.smoothing = named(
            QSlider(Qt.Orientation.Horizontal),
            "Smoothing",
            "Exponential moving average, corrected for its start; the raw curve stays in the background",
        )
        self.smoothing.setRange(0, SMOOTHEST)
        self.smoothing.setMinimumWidth(50)
        self.smoothing.setMaximumWidth(110)
        self.smoothing.valueChanged.connect(self._smooth)
        self.weight = QLabel()
        self.weight.setMinimumWidth(self.fontMetrics().horizontalAdvance("smooth 0.00"))
        self.whole = named(
            QPushButton("Whole run"), "Show the whole run", "Zoom out to the whole run (double click)"
        )
        self.whole.clicked.connect(self._zoom_out)
        self.hint = QLabel(HINT, wordWrap=True)
        for widget in (self.kind, self.log_x, self.log_y, self.weight, self.smoothing):
            self.controls.addWidget(widget)
        self.controls.addStretch(1)
        self.controls.addWidget(self.whole)
        self._smooth(0)
        self.choosers.add("smoothing", self.smoothing)
        area = named(QScrollArea(widgetResizable=True), "Plots", "")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(self.canvas)
        self.setFocusProxy(area)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area, 1)
        layout.addWidget(self.hint)
        self.readout = Readout(self.theme, self.content)

    def render_state(self, changed: Changed) -> None:
        state = self.state
        if changed & {"run", "events"}:
            happened = milestones(state.events)
            if happened != self.milestones:
                self.milestones, changed = happened, changed | {"milestones"}
        if changed & {"run", "milestones", "others"}:
            hints = (HINT, MILESTONE_HINT if self.milestones else "", OTHERS_HINT if state.others else "")
            self.hint.setText(" ".join(hint for hint in hints if hint))
        if "theme" in changed:
            self.hint.setStyleSheet(f"color: {self.theme.palette.muted}")
        if self.state.path is None:
            self.show_message(
                "Start a new run (Ctrl+N), or open one: drop its folder here, or pick it from the list on the left."
            )
            return
        if not self.state.series and not self.state.others:
            status = self.state.status
            waiting = status is None or status.is_live
            self.show_message("Waiting for the first numbers …" if waiting else self.told_missing("numbers"))
            return
        self.show_content()
        if "run" in changed:
            self._zoomed = None
        if changed & {"run", "scalars", "others", "axis"}:
            self._curves = curves_of(state)
            self._across = Across.of(self.kind.currentData(), self.log_x.isChecked(), state.series.values())
            filled = span_of(self._across, self._curves)
            if filled != self.filled:
                self.filled = filled
                self._tell_beside()
        beside = self._beside
        self._whole = joined(self.filled or (0.0, 1.0), None if beside is None else beside.filled)
        if list(self._curves) != list(self.plots):
            self._lay_out(list(self._curves))
        for plot in self.plots.values():
            plot.set_step(state.step)
        if changed & {"run", "scalars", "others", "theme", "zoom", "milestones", "axis", "look"}:
            self._stale += [name for name in self.plots if name not in self._stale]
        if (
            self._stale
        ):  # one plot at each rendering, so that the window stays quick; those that wait keep their turn
            name = self._stale.pop(0)
            other = None if beside is None else beside.plots.get(name)
            self.plots[name].set_reach(None if other is None else other.filled)
            self.plots[name].draw(
                self._curves[name],
                self._zoomed or self._whole,
                self.milestones,
                across=self._across,
                log=self.log_y.isChecked(),
                smoothing=self.smoothing.value() / 100,
            )
            self.plots[name].point_again()
            if self.plots[name].curves.is_partial:
                self._stale.insert(0, name)
        if self._stale:
            self.request_render("more")

    def table(self) -> Table | None:
        state = self.state
        if not state.series:
            return None
        if not state.others or state.path is None:
            return COLUMNS, (row for _, *row in _rows("", dict(state.series)))
        runs = [(state.path.name, state.series), *((other.path.name, other.series) for other in state.others)]
        rows = [_rows(name, dict(series)) for name, series in runs]
        return ("run", *COLUMNS), itertools.chain.from_iterable(rows)

    def look(self) -> MetricsLook:
        limits = {name: plot.wanted_limits for name, plot in self.plots.items()}
        return MetricsLook(
            self.kind.currentData(),
            self.log_x.isChecked(),
            self.log_y.isChecked(),
            self._zoomed,
            {name: ends for name, ends in limits.items() if ends is not None},
        )

    def look_at(self, look: MetricsLook) -> None:
        self.kind.setCurrentIndex(self.kind.findData(look.kind))
        self.log_x.setChecked(look.log_x)
        self.log_y.setChecked(look.log_y)
        self._zoomed = look.span
        for name, plot in self.plots.items():
            plot.show_limits(look.limits.get(name))
        self.request_render("zoom")

    def vector_source(self) -> Drawing | None:
        if not self.plots:
            return None
        ground = QColor(self.theme.palette.background)
        parts = [
            (plot.mapTo(self.canvas, QPoint(0, 0)).toPointF(), plot.vectors()) for plot in self.plots.values()
        ]
        return Drawing(
            self.canvas.size(),
            functools.partial(paint_beside, whole=self.canvas.rect(), ground=ground, parts=parts),
            apart=True,
        )

    def _lay_out(self, names: list[str]) -> None:
        """A plot for each quantity, in order."""
        for name in set(self.plots) - set(names):
            plot = self.plots.pop(name)
            self.grid.removeWidget(plot)
            plot.deleteLater()
        self._stale = names.copy()
        plots = {name: self.plots.get(name) or self._made(name) for name in names}
        self.plots = plots
        columns = 1 if len(names) < COLUMNS_FROM else 2
        for row in range(self.grid.rowCount()):
            self.grid.setRowStretch(row, 0)
        for number, (name, plot) in enumerate(plots.items()):
            self.grid.addWidget(plot, number // columns, number % columns)
            if number % columns == 0:
                self.grid.setRowStretch(number // columns, 3 if name in FIRST_GROUPS else 2)

    def _switch(self, text: str, name: str) -> QToolButton:
        button = named(QToolButton(), name)
        button.setCheckable(True)
        button.setText(text)
        return button

    def _made(self, name: str) -> CurvePlot:
        plot = CurvePlot(name, self.theme)
        plot.step_chosen.connect(self.state.set_step)
        plot.hovered.connect(functools.partial(self._show_cross, plot))
        plot.span_wanted.connect(self._zoom)
        plot.limits_wanted.connect(self.looked)
        plot.whole_wanted.connect(self._zoom_out)
        plot.ranged.connect(self._tell_beside)
        return plot

    def share_axes(self, beside: MetricsView | None) -> None:
        """Give every plot the axes that hold its curves and those of the same quantity in another view, too."""
        self._beside = beside
        self.request_render("zoom")

    def _tell_beside(self) -> None:
        if self._beside is not None:
            self._beside.request_render("zoom")

    def _show_cross(self, pointed: CurvePlot, place: float | None) -> None:
        for plot in self.plots.values():
            plot.set_cross(place)
        at = pointed.mapTo(self.content, pointed.mouse)
        self.readout.show_values(at, [] if place is None else pointed.untold())

    def _zoom(self, low: float, high: float) -> None:
        whole = low <= self._whole[0] and high >= self._whole[1]
        self._zoomed = None if whole else (low, high)
        self.request_render("zoom")
        self.looked.emit()

    def _zoom_out(self) -> None:
        self._zoomed = None
        for plot in self.plots.values():
            plot.show_limits(None)
        self.request_render("zoom")
        self.looked.emit()

    def _change_axis(self) -> None:
        self._zoomed = None
        self.request_render("axis")
        self.looked.emit()

    def _change_values(self) -> None:
        for plot in self.plots.values():
            plot.show_limits(None)
        self.request_render("look")
        self.looked.emit()

    def _smooth(self, value: int) -> None:
        self.weight.setText(f"smooth {value / 100:.2f}" if value else "smooth")
        self.request_render("look")


def paint_beside(
    painter: QPainter,
    *,
    whole: QRect,
    ground: QColor,
    parts: Sequence[tuple[QPointF, Callable[[QPainter], None]]],
) -> None:
    """Paint plots, each at its place."""
    painter.fillRect(whole, ground)
    for place, paint in parts:
        painter.save()
        painter.translate(place)
        paint(painter)
        painter.restore()


def curves_of(state: AppState) -> dict[str, list[Curve]]:
    """Curves by quantity: of the open run, and of those that are drawn beside it, each in a colour of its own."""
    several = bool(state.others) and state.path is not None
    runs: list[tuple[Path, int, dict[str, Series]]] = []
    if state.path is not None:
        runs.append((state.path, state.slot, state.series))
    runs += [(other.path, other.slot, other.series) for other in state.others]
    names = [path.name for path, _, _ in runs]
    found: dict[str, list[Curve]] = {}
    for path, slot, series in runs:
        start = start_of(series.values())
        name = path.name if names.count(path.name) == 1 else f"{path.parent.name}/{path.name}"
        if not series:
            continue
        longest = max(series.values(), key=len)
        for quantity, parts in grouped(series).items():
            for part, numbers in parts.items():
                drawn = held(numbers, longest) if quantity in HELD else numbers
                curve = Curve(part, drawn, start, name if several else "", slot if several else None)
                found.setdefault(quantity, []).append(curve)
    return {name: found[name] for name in _ordered(found)}


def held(series: Series, longest: Series) -> Series:
    """A number that was recorded only when it changed, as the steps it went in, up to the end of the run."""
    if not 0 < len(series) < len(longest):
        return series
    once = np.repeat(np.arange(len(series)), 2)[
        1:
    ]  # 0, 1, 1, 2, 2 …: at each change the value before it as well
    before = np.repeat(np.arange(len(series)), 2)[:-1]
    told = (series.step[once], series.epoch[once], series.wall_time[once], series.value[before])
    if longest.step[-1] <= series.step[-1]:
        return Series(*told)
    last = (longest.step[-1:], longest.epoch[-1:], longest.wall_time[-1:], series.value[-1:])
    return Series(*(np.concatenate(parts) for parts in zip(told, last, strict=True)))


def span_of(across: Across, curves: dict[str, list[Curve]]) -> tuple[float, float]:
    """First and last place of all curves, with room between them where they are the same."""
    low, high = float("inf"), float("-inf")
    for curve in itertools.chain.from_iterable(curves.values()):
        places = across.places_of(curve.series, curve.start)
        places = places[np.isfinite(places)]
        if len(places):
            low, high = min(low, float(places.min())), max(high, float(places.max()))
    if high < low:
        return 0.0, 1.0
    return (low, high) if high > low else (low - 1, high + 1)


def grouped(series: dict[str, Series]) -> dict[str, dict[str, Series]]:
    """Series by quantity and then by part: {"loss": {"train": …, "validation": …}, …}, loss and accuracy first."""
    groups: dict[str, dict[str, Series]] = {}
    for tag in series:
        part, quantity = group_of(tag)
        groups.setdefault(quantity, {})[part] = series[tag]
    return {name: groups[name] for name in _ordered(groups)}


def _ordered(names: Iterable[str]) -> list[str]:
    known = set(names)
    return [*(name for name in FIRST_GROUPS if name in known), *sorted(known - set(FIRST_GROUPS))]


def _rows(run: str, series: dict[str, Series]) -> Iterator[tuple[object, ...]]:
    for tag, values in series.items():
        columns = (values.step, values.epoch, values.wall_time, values.value)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            yield run, tag, *row
