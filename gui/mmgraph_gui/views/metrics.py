"""Metrics: the recorded numbers over training, one plot per quantity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pyqtgraph as pg
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout

from mmgraph.runs import Series
from mmgraph_gui.accessible import named
from mmgraph_gui.curves import CurvePlot, group_of
from mmgraph_gui.raster import Drawing
from mmgraph_gui.views import Changed, Table, View

FIRST_GROUPS = ("loss", "accuracy")


class MetricsView(View):
    """Curves of the same quantity share a plot; clicking or dragging in a plot moves the step."""

    name: ClassVar[str] = "metrics"
    title: ClassVar[str] = "Metrics"
    topics: ClassVar[frozenset[str]] = frozenset({"run", "status", "scalars", "step"})

    def build(self) -> None:
        self.plots: dict[str, CurvePlot] = {}
        self._stale: dict[str, bool] = {}
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.setAccessibleName("Curves of the recorded numbers")
        self.canvas.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.whole = named(
            QPushButton("Whole run"),
            "Show the whole run",
            "Zoom out to the whole run (wheel zooms, middle button pans)",
        )
        self.whole.clicked.connect(self._zoom_out)
        self.hint = QLabel("Click: go to step. Wheel: zoom.")
        self.hint.setMinimumWidth(1)
        self.controls.addWidget(self.hint, 1)
        self.controls.addWidget(self.whole)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)

    def render_state(self, changed: Changed) -> None:
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
            self.canvas.setBackground(self.theme.palette.background)
        groups = grouped(self.state.series)
        if self._lay_out(list(groups)):
            self.request_render("run")
            return
        for plot in self.plots.values():
            plot.set_step(self.state.step)
        if changed & {"run", "scalars", "theme"}:
            restyle = bool(changed & {"run", "theme"})
            for name in self.plots:  # those that wait already keep their turn
                self._stale[name] = restyle or self._stale.get(name, False)
        if self._stale:  # one plot at each rendering, so that the window stays quick
            name = next(iter(self._stale))
            self.plots[name].draw(groups[name], self.theme, restyle=self._stale.pop(name))
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
        self.canvas.render(painter)

    def _lay_out(self, names: list[str]) -> bool:
        """Make the next plot; one at each rendering, so that the window stays quick. False when all are there."""
        made = list(self.plots)
        if names[: len(made)] != made or len(names) < len(made):
            self.canvas.clear()
            self.plots, self._stale = {}, {}
        number = len(self.plots)
        if number == len(names):
            return False
        plot = CurvePlot(names[number])
        plot.step_chosen.connect(self.state.set_step)
        plot.hovered.connect(self._show_cross)
        columns = 1 if len(names) < 4 else 2
        self.canvas.ci.layout.setRowStretchFactor(
            number // columns, 3 if names[number] in FIRST_GROUPS else 2
        )
        self.canvas.addItem(plot, number // columns, number % columns)
        if number:
            plot.follow_steps_of(self.plots[names[0]])
        self.plots[names[number]] = plot
        return True

    def _show_cross(self, step: float | None) -> None:
        for plot in self.plots.values():
            plot.set_cross(step)

    def _zoom_out(self) -> None:
        for plot in list(self.plots.values())[:1]:  # the others follow it
            plot.show_all()


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
