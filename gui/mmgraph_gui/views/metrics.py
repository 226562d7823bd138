"""Metrics: the recorded numbers over training, one plot per quantity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from mmgraph.runs import Series
from mmgraph_gui.accessible import named
from mmgraph_gui.curves import CurvePlot, group_of
from mmgraph_gui.milestones import Milestone, milestones
from mmgraph_gui.raster import Drawing
from mmgraph_gui.views import Changed, Table, View

FIRST_GROUPS = ("loss", "accuracy")
HINT = "Click: go to step. Wheel: zoom."
MILESTONE_HINT = "Hover ▼: events."
COLUMNS_FROM = 4
"""So many plots stand in two columns."""


class MetricsView(View):
    """Curves of the same quantity share a plot; clicking or dragging in a plot moves the step."""

    name: ClassVar[str] = "metrics"
    title: ClassVar[str] = "Metrics"
    topics: ClassVar[frozenset[str]] = frozenset({"run", "status", "scalars", "step", "events"})

    def build(self) -> None:
        self.plots: dict[str, CurvePlot] = {}
        self.milestones: list[Milestone] = []
        self._stale: list[str] = []
        self._zoomed: tuple[float, float] | None = None
        self.canvas = QWidget()
        self.canvas.setAccessibleName("Curves of the recorded numbers")
        self.grid = QGridLayout(self.canvas)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setSpacing(0)
        self.whole = named(
            QPushButton("Whole run"),
            "Show the whole run",
            "Zoom out to the whole run (wheel zooms, middle button pans)",
        )
        self.whole.clicked.connect(self._zoom_out)
        self.hint = QLabel(HINT)
        self.hint.setMinimumWidth(1)
        self.controls.addWidget(self.hint, 1)
        self.controls.addWidget(self.whole)
        area = QScrollArea(widgetResizable=True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(self.canvas)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    def render_state(self, changed: Changed) -> None:
        if changed & {"run", "events"}:
            happened = milestones(self.state.events)
            if happened != self.milestones:
                self.milestones, changed = happened, changed | {"milestones"}
                self.hint.setText(f"{HINT} {MILESTONE_HINT}" if happened else HINT)
        if self.state.path is None:
            self.show_message(
                "Start a new run (Ctrl+N), or open one: drop its folder here, or pick it from the list on the left."
            )
            return
        if not self.state.series:
            status = self.state.status
            waiting = status is None or status.is_live
            self.show_message(
                "Waiting for the first numbers …" if waiting else "This run recorded no numbers."
            )
            return
        self.show_content()
        if "theme" in changed:
            self.hint.setStyleSheet(f"color: {self.theme.palette.muted}")
        if "run" in changed:
            self._zoomed = None
        groups = grouped(self.state.series)
        if list(groups) != list(self.plots):
            self._lay_out(list(groups))
        for plot in self.plots.values():
            plot.set_step(self.state.step)
        if changed & {"run", "scalars", "theme", "zoom", "milestones"}:
            self._stale += [name for name in self.plots if name not in self._stale]
        if (
            self._stale
        ):  # one plot at each rendering, so that the window stays quick; those that wait keep their turn
            name = self._stale.pop(0)
            self.plots[name].draw(groups[name], self._zoomed or span_of(self.state.series), self.milestones)
        if self._stale:
            self.request_render("more")

    def table(self) -> Table | None:
        if not self.state.series:
            return None
        return ("tag", "step", "epoch", "wall_time", "value"), _rows(dict(self.state.series))

    def vector_source(self) -> Drawing | None:
        return Drawing(self.canvas.size(), self._paint) if self.plots else None

    def _paint(self, painter: QPainter) -> None:
        painter.fillRect(self.canvas.rect(), QColor(self.theme.palette.background))
        for plot in self.plots.values():
            painter.save()
            painter.translate(QPointF(plot.mapTo(self.canvas, QPoint(0, 0))))
            plot.paint_vectors(painter)
            painter.restore()

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

    def _made(self, name: str) -> CurvePlot:
        plot = CurvePlot(name, self.theme)
        plot.step_chosen.connect(self.state.set_step)
        plot.hovered.connect(self._show_cross)
        plot.span_wanted.connect(self._zoom)
        return plot

    def _show_cross(self, step: float | None) -> None:
        for plot in self.plots.values():
            plot.set_cross(step)

    def _zoom(self, low: float, high: float) -> None:
        first, last = span_of(self.state.series)
        whole = low <= first and high >= last
        self._zoomed = None if whole else (low, high)
        self.request_render("zoom")

    def _zoom_out(self) -> None:
        self._zoomed = None
        self.request_render("zoom")


def span_of(series: dict[str, Series]) -> tuple[float, float]:
    """First and last recorded step, with room between them where they are the same."""
    recorded = [numbers.step for numbers in series.values() if len(numbers)]
    first = min((float(steps[0]) for steps in recorded), default=0.0)
    last = max((float(steps[-1]) for steps in recorded), default=1.0)
    return (first, last) if last > first else (first - 1, last + 1)


def grouped(series: dict[str, Series]) -> dict[str, dict[str, Series]]:
    """Series by quantity and then by part: {"loss": {"train": …, "validation": …}, …}, loss and accuracy first."""
    groups: dict[str, dict[str, Series]] = {}
    for tag in series:
        part, quantity = group_of(tag)
        groups.setdefault(quantity, {})[part] = series[tag]
    order = [*(name for name in FIRST_GROUPS if name in groups), *sorted(set(groups) - set(FIRST_GROUPS))]
    return {name: groups[name] for name in order}


def _rows(series: dict[str, Series]) -> Iterator[tuple[object, ...]]:
    for tag, values in series.items():
        columns = (values.step, values.epoch, values.wall_time, values.value)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            yield tag, *row
