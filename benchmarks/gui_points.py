"""How quickly many points and edges are drawn, moved, pointed at and selected in the app, beside pyqtgraph.

    python benchmarks/gui_points.py [--millions 1 5] [--frames 25] [--epochs 100] [--only points scrub linked graph]

Real runs are written to a folder and opened in the views themselves, 1200 × 800, drawn offscreen. A frame is counted
from the movement of the mouse until the picture of the new viewport, drawn anew, is painted. Medians of --frames; the
fastest and slowest in brackets. The peers are ScatterPlotItem and GraphItem of pyqtgraph with the same points.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mmgraph.runs import ItemSet, RunWriter, Snapshot

SIZE = (1200, 800)


class Times:
    """Seconds by the clock and of the processors, of one thing done again and again."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.busy: list[float] = []

    def begin(self) -> None:
        self._wall, self._busy = time.perf_counter(), time.process_time()

    def end(self) -> None:
        self.wall.append(time.perf_counter() - self._wall)
        self.busy.append(time.process_time() - self._busy)


def milliseconds(times: list[float]) -> str:
    return f"{1000 * statistics.median(times):8.1f} ms  ({1000 * min(times):.1f} – {1000 * max(times):.1f})"


def row(name: str, times: Times, target: float, *, rate: bool = False) -> None:
    """One line: the median by the clock, whether it is below the target in seconds, and processor time."""
    median, busy = statistics.median(times.wall), 1000 * statistics.median(times.busy)
    shown = f"{milliseconds(times.wall)}{f'  {1 / median:.0f} fps' if rate else ''}"
    wanted = f"≥ {1 / target:.0f} fps" if rate else f"< {1000 * target:.0f} ms"
    met = "met" if median < target else "missed"
    print(f"{name:<44}{shown:<46}{wanted:<12}{met:<8}{busy:7.1f} ms", flush=True)


def points_run(root: Path, count: int) -> Path:
    """Ten classes of points in 4 dimensions."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, count)
    vectors = (6 * rng.normal(size=(10, 4))[labels] + rng.normal(size=(count, 4))).astype(np.float32)
    with RunWriter.create(root, f"points-{count}", {"run": {"recipe": "benchmark"}}) as run:
        run.items(ItemSet(labels=labels, class_names=tuple("0123456789")))
        run.snapshots(1, [Snapshot("embedding", "encoder", vectors, items="items")], wait=True)
    return run.folder


def epochs_run(root: Path, count: int, epochs: int) -> Path:
    """Points that move a little at each epoch, with predictions."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, count)
    means, vectors = 3 * rng.normal(size=(10, 16)), rng.normal(size=(count, 16))
    with RunWriter.create(root, "epochs", {"run": {"recipe": "benchmark"}}) as run:
        run.items(ItemSet(labels=labels, class_names=tuple("0123456789")))
        for epoch in range(1, epochs + 1):
            now = (vectors + means[labels] * epoch / epochs).astype(np.float32)
            run.snapshots(epoch, [Snapshot("embedding", "encoder", now, items="items")], wait=True)
    return run.folder


def graph_run(root: Path, nodes: int, edges: int) -> Path:
    """Nodes that are joined to near ones, with their places."""
    rng = np.random.default_rng(0)
    places = rng.normal(size=(nodes, 2)).astype(np.float32)
    order = np.argsort(places[:, 0] + 0.05 * rng.normal(size=nodes))
    at = rng.integers(0, nodes - 60, edges)
    index = np.stack([order[at], order[at + rng.integers(1, 60, edges)]]).astype(np.int32)
    with RunWriter.create(root, "graph", {"run": {"recipe": "benchmark"}}) as run:
        run.items(ItemSet(labels=rng.integers(0, 10, nodes), class_names=tuple("0123456789")))
        graph = Snapshot("graph", "graph", index, items="items", extras={"positions": places})
        run.snapshots(1, [graph], wait=True)
    return run.folder


class Bench:
    """A window without frame: state, follower and one view after the other."""

    def __init__(self, application: Any, frames: int) -> None:
        from PySide6.QtCore import QTimer

        from mmgraph_gui.drawing.theme import Theme

        self._tick = QTimer(interval=2)
        self._tick.start()
        self.application, self.frames = application, frames
        self.theme = Theme()
        self.theme.set_mode("light")

    def until(self, ready: Callable[[], bool]) -> None:
        """Let the event loop run until something is so."""
        from PySide6.QtCore import QEventLoop

        while (
            not ready()
        ):  # sleeping between events: a loop that spins would take the processors from the drawing
            self.application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def open(self, folder: Path, *kinds: Any, times: Times | None = None) -> tuple[Any, list[Any]]:
        """Context and views that have drawn a run; the time this takes after it was read goes to `times`."""
        from mmgraph_gui.asking.model_process import ModelProcess
        from mmgraph_gui.asking.own_items import OwnItems
        from mmgraph_gui.reading.follower import RunFollower
        from mmgraph_gui.state import AppState
        from mmgraph_gui.views import Context

        state = AppState()
        follower = RunFollower(state)
        model = ModelProcess(state, follower)
        context = Context(state, follower, self.theme, model, OwnItems(state, model))
        follower.open(folder)
        self.until(lambda: state.items is not None and bool(state.kinds()))
        times = times or Times()
        times.begin()
        views = [kind(context) for kind in kinds]
        for view in views:
            view.resize(*SIZE)
            view.show()
        self.until(lambda: all(self.drawn(view) for view in views if hasattr(view, "plane")))
        times.end()
        return context, views

    @staticmethod
    def close(context: Any, views: list[Any]) -> None:
        """End everything that `open` started."""
        for view in views:
            view.detach()
            view.deleteLater()
        context.own.close()
        context.model.close()
        context.follower.close()

    @staticmethod
    def drawn(view: Any) -> bool:
        layers = view.plane.layers
        return "points" in layers and all(layer.viewport == view.plane.viewport for layer in layers.values())

    def settle(self, view: Any) -> None:
        """Wait until nothing is drawn any more."""
        self.until(
            lambda: (
                self.drawn(view)
                and not view._rests.isActive()
                and not view.is_pending
                and not view.follower.is_busy
            )
        )
        view.plane.repaint()

    def moved(self, view: Any, move: Callable[[Any], Any], layers: tuple[str, ...] = ("points",)) -> Times:
        """Times of frames from a movement to the painted picture of that viewport."""
        times = Times()
        for _ in range(self.frames):
            times.begin()
            view.plane._move_to(move(view.plane.viewport))
            wanted = view.plane.viewport
            self.until(
                lambda wanted=wanted: all(view.plane.layers[name].viewport == wanted for name in layers)
            )
            view.plane.repaint()
            times.end()
        return times


def measure_points(bench: Bench, root: Path, count: int) -> None:
    from PySide6.QtCore import QPointF

    from mmgraph_gui.views.embedding.view import EmbeddingView

    million = count / 1e6
    folder = points_run(root, count)
    first = Times()
    for number in range(3):
        context, (view,) = bench.open(folder, EmbeddingView, times=first)
        if number < 2:
            bench.close(context, [view])
    row(f"{million:g} M points: first paint", first, 1.0 if million <= 1 else 5.0)
    bench.settle(view)
    rate = 1 / 30 if million <= 1 else 1 / 15
    row(f"{million:g} M points: pan", bench.moved(view, lambda port: port.panned(9, 5)), rate, rate=True)
    view.plane.show_all()
    bench.settle(view)
    times = bench.moved(view, lambda port: port.zoomed(1.06, 500, 400))
    row(f"{million:g} M points: zoom", times, rate, rate=True)
    view.plane.show_all()
    bench.settle(view)
    rng, times = np.random.default_rng(1), Times()
    for _ in range(10 * bench.frames):
        at = QPointF(*(rng.random(2) * [view.plane.width(), view.plane.height()]))
        times.begin()
        view._hovered(view.plane.point_at(at))
        times.end()
    row(f"{million:g} M points: point at one", times, 0.030)
    middle, reach = np.array([view.plane.width() / 2, view.plane.height() / 2]), view.plane.height() / 3
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    outline = middle + reach * (1 + 0.2 * np.sin(5 * angles))[:, None] * np.stack(
        [np.cos(angles), np.sin(angles)], 1
    )
    corners = view.plane.viewport.to_plane(outline)
    lasso, clear = Times(), Times()
    for _ in range(7):
        lasso.begin()
        view._outlined(corners, "replace")
        bench.until(
            lambda: view.drawn.scene.selection is context.state.selection and len(context.state.selection) > 0
        )
        view.plane.repaint()
        lasso.end()
        bench.settle(view)
        clear.begin()
        context.state.clear_selection()
        bench.until(lambda: view.drawn.scene.selection is context.state.selection)
        view.plane.repaint()
        clear.end()
        bench.settle(view)
    row(f"{million:g} M points: lasso to picture", lasso, 0.2)
    row(f"{million:g} M points: deselect to picture", clear, 0.2)
    positions, labels = view.points, context.state.items.labels
    bench.close(context, [view])
    if million <= 1:
        peer_points(bench, positions, labels)


def peer_points(bench: Bench, positions: Any, labels: Any) -> None:
    """ScatterPlotItem with the same points and ten brushes."""
    import pyqtgraph as pg

    from mmgraph_gui.drawing.palettes import OKABE_ITO

    brushes = [pg.mkBrush(OKABE_ITO[code % len(OKABE_ITO)]) for code in range(10)]
    started = time.perf_counter()
    plot = pg.PlotWidget()
    plot.resize(*SIZE)
    kind = pg.ScatterPlotItem(size=2, pen=None, pxMode=True)
    kind.setData(positions[:, 0], positions[:, 1], brush=[brushes[code] for code in labels.tolist()])
    plot.addItem(kind)
    plot.show()
    bench.application.processEvents()
    plot.repaint()
    first = time.perf_counter() - started
    box, times = plot.getViewBox(), []
    for _ in range(5):
        started = time.perf_counter()
        box.translateBy(x=0.1, y=0.05)
        bench.application.processEvents()
        plot.repaint()
        times.append(time.perf_counter() - started)
    print(f"{'  pyqtgraph ScatterPlotItem: first paint':<44}{1000 * first:8.1f} ms")
    print(
        f"{'  pyqtgraph ScatterPlotItem: pan':<44}{milliseconds(times)}  {1 / statistics.median(times):.1f} fps"
    )
    plot.close()


def measure_scrub(bench: Bench, root: Path, epochs: int) -> None:
    from mmgraph_gui.views.embedding.view import EmbeddingView

    context, (view,) = bench.open(epochs_run(root, 20_000, epochs), EmbeddingView)

    def visit(step: int, times: Times) -> None:
        times.begin()
        context.state.set_step(step)
        bench.until(
            lambda: (
                view.placed.info.step == step
                and view.drawn.scene.cloud is view.cloud
                and view.cloud is view.placed.cloud
            )
        )
        view.plane.repaint()
        times.end()

    fresh, cached = Times(), Times()
    for step in range(1, epochs):
        visit(step, fresh)
    for step in range(epochs - 2, 0, -1):
        visit(step, cached)
    row(f"scrub {epochs} epochs × 20k points, first time", fresh, 0.2)
    row(f"scrub {epochs} epochs × 20k points, cached", cached, 0.05)
    bench.close(context, [view])


def measure_linked(bench: Bench, root: Path) -> None:
    """A selection of 1,000 of 20,000 nodes in every view that shows items."""
    from mmgraph_gui.views.embedding.view import EmbeddingView
    from mmgraph_gui.views.graph.view import GraphView
    from mmgraph_gui.views.items.view import ItemsView
    from mmgraph_gui.views.matrix.view import MatrixView

    rng, nodes = np.random.default_rng(0), 20_000
    labels = rng.integers(0, 10, nodes)
    with RunWriter.create(root, "linked", {"run": {"recipe": "benchmark"}}) as run:
        run.items(ItemSet(labels=labels, class_names=tuple("0123456789")))
        places = rng.normal(size=(nodes, 2)).astype(np.float32)
        index = rng.integers(0, nodes, (2, 60_000)).astype(np.int32)
        chances = rng.dirichlet(np.ones(10), nodes).astype(np.float32)
        found = [
            Snapshot("embedding", "encoder", rng.normal(size=(nodes, 16)).astype(np.float32), items="items"),
            Snapshot("prediction", "output", chances, items="items"),
            Snapshot("graph", "graph", index, items="items", extras={"positions": places}),
            Snapshot("matrix", "confusion/test", rng.integers(0, 99, (10, 10))),
        ]
        run.snapshots(1, found, wait=True)
    kinds = (EmbeddingView, GraphView, ItemsView, MatrixView)
    context, views = bench.open(run.folder, *kinds)
    bench.until(lambda: context.state.prediction is not None)
    for view in views[:2]:
        bench.settle(view)
    renders: dict[str, list[frozenset[str]]] = {view.name: [] for view in views}
    for view in views:
        original = view.render_state

        def counted(changed: frozenset[str], view: Any = view, original: Any = original) -> None:
            renders[view.name].append(changed)
            original(changed)

        view.render_state = counted
    times, counts = Times(), []
    for number in range(11):
        for seen in renders.values():
            seen.clear()
        times.begin()
        context.state.select(np.arange(number * 1000, number * 1000 + 1000))
        listening = [view for view in views if "selection" in view.topics]
        bench.until(
            lambda listening=listening: (
                all(renders[view.name] for view in listening)
                and all(view.drawn.scene.selection is context.state.selection for view in views[:2])
            )
        )
        for view in views:
            view.repaint()
            view.finish()
        times.end()
        for view in views[:2]:
            bench.settle(view)
        counts.append(
            max(sum("selection" in changed for changed in renders[view.name]) for view in listening)
        )
    row(f"a selection in {len(views)} views, drawn in all", times, 0.1)
    print(f"{'  updates of a view for one selection':<44}{max(counts):8d}")
    bench.close(context, views)


def measure_graph(bench: Bench, root: Path) -> None:
    from mmgraph_gui.views.graph.view import GraphView

    folder = graph_run(root, 20_000, 100_000)
    context, (view,) = bench.open(folder, GraphView)
    bench.settle(view)
    painted = Times()
    for _ in range(bench.frames):
        painted.begin()
        view.plane._move_to(view.plane.viewport.panned(9, 5))
        bench.application.processEvents()
        view.plane.repaint()
        painted.end()
    row("20k nodes, 100k edges: pan", painted, 1 / 30, rate=True)
    bench.settle(view)
    times = bench.moved(view, lambda port: port.panned(9, 5), ("points", "edges"))
    row("20k nodes, 100k edges: pan, all drawn anew", times, 1 / 30, rate=True)
    positions, edges = view.points, view.layout_now.edges
    bench.close(context, [view])

    import pyqtgraph as pg

    plot = pg.PlotWidget()
    plot.resize(*SIZE)
    plot.addItem(pg.GraphItem(pos=positions, adj=edges.T, size=3, symbolPen=None))
    plot.show()
    bench.application.processEvents()
    box, times = plot.getViewBox(), []
    for _ in range(5):
        started = time.perf_counter()
        box.translateBy(x=0.1, y=0.05)
        bench.application.processEvents()
        plot.repaint()
        times.append(time.perf_counter() - started)
    print(f"{'  pyqtgraph GraphItem: pan':<44}{milliseconds(times)}  {1 / statistics.median(times):.1f} fps")
    plot.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millions", type=float, nargs="*", default=[1, 5])
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--epochs", type=int, default=100, help="steps to scrub through")
    parser.add_argument("--only", nargs="*", default=["points", "scrub", "linked", "graph"])
    given = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from PySide6.QtWidgets import QApplication

    from mmgraph_gui.app import SWITCH_SECONDS

    sys.setswitchinterval(SWITCH_SECONDS)
    application = QApplication([])
    application.setStyle("Fusion")
    bench = Bench(application, given.frames)
    print(f"{'':<44}{'median (fastest – slowest)':<46}{'target':<20}processors")
    with tempfile.TemporaryDirectory() as folder:
        if "points" in given.only:
            for millions in given.millions:
                measure_points(bench, Path(folder), round(millions * 1e6))
        if "scrub" in given.only:
            measure_scrub(bench, Path(folder), given.epochs)
        if "linked" in given.only:
            measure_linked(bench, Path(folder))
        if "graph" in given.only:
            measure_graph(bench, Path(folder))
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
