"""Graph: nodes and edges of the graph that is learned on, laid out by springs while one watches."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QPushButton

from mmgraph.analysis import force_layout, raster_edges, spectral_layout, tint
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.follower import Job
from mmgraph_gui.raster import Viewport, colour_parts, to_image
from mmgraph_gui.views import Changed
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.point_view import PointView, caption_count

ITERATIONS = 150
MOST_NODES = 20_000
REPORT_SECONDS = 0.12
VECTOR_EDGES = 50_000


@dataclass(frozen=True, eq=False)
class GraphLayout:
    """A graph on its way to its layout.

    Shapes:
        positions (nodes, 2), edges (2, edges) without self-loops and with each pair of nodes once.
    """

    info: SnapshotInfo
    positions: npt.NDArray[np.float32]
    edges: npt.NDArray[np.int64]
    step: int
    steps: int
    how: str

    @property
    def done(self) -> bool:
        """Whether nothing moves any more."""
        return self.step >= self.steps


@dataclass(frozen=True, eq=False)
class EdgeImage:
    """The edges as an image for a viewport."""

    image: QImage
    viewport: Viewport


class GraphView(PointView):
    """The whole graph; colours, selection and hover are those of the embedding."""

    name: ClassVar[str] = "graph"
    title: ClassVar[str] = "Graph"
    kinds: ClassVar[tuple[str, ...]] = ("graph",)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "snapshots", "step", "items", "selection", "hover", "colour", "layer"}
    )

    def build(self) -> None:
        super().build()
        self.layout_now: GraphLayout | None = None
        self._wanted: SnapshotInfo | None = None
        self._stopped = False
        self.again = named(QPushButton("Stop"), "Stop the layout", "Stop laying out, or lay out again")
        self.again.clicked.connect(self._stop_or_restart)
        self.controls.insertWidget(0, self.again)

    def render_state(self, changed: Changed) -> None:
        if "run" in changed:
            self.layout_now, self._wanted = None, None
            self.plane.layers.clear()
            self.plane.fitted = True
        info = self.state.snapshot_at("graph")
        if info is None:
            self._wanted = None
            self.cancel("layout")
            say_missing(self, "graph", "graph")
            return
        self.render_points(changed)
        if self._wanted != info:
            self._wanted = info
            self._lay_out(info, seed=0)
        if self.layout_now is not None and changed & {"theme", "viewport", "selection"}:
            self._draw_edges()
        if changed & {"items", "selection"}:
            self._write_caption()

    def receive(self, slot: str, result: Any) -> None:
        if slot == "layout":
            if result is None:
                return
            self.layout_now = result
            self._stopped = False
            if not len(result.positions):
                self.show_message("The graph of this run has no nodes.")
                return
            self.show_content()
            self.place_points(result.positions, np.arange(len(result.positions)))
            if result.done and self.plane.fitted:
                self.plane.show_all()
            self._draw_edges()
            self._write_caption()
            return
        super().receive(slot, result)
        if slot == "edges" and result is not None:
            self.plane.set_layer("edges", result.image, result.viewport)

    def paint_vectors(self, painter: QPainter) -> None:
        if self.layout_now is not None and self.layout_now.edges.shape[1] <= VECTOR_EDGES:
            viewport = self.plane.viewport
            colour = QColor(self.theme.palette.muted)
            colour.setAlphaF(0.35)
            painter.setPen(QPen(colour, self.plane.ratio))
            pixels = viewport.to_pixels(self.layout_now.positions)
            for source, target in self.layout_now.edges.T.tolist():
                painter.drawLine(QPointF(*pixels[source]), QPointF(*pixels[target]))
        super().paint_vectors(painter)

    def _lay_out(self, info: SnapshotInfo, seed: int) -> None:
        items = self.state.items
        count = len(items) if items is not None and info.items is not None else 0
        self._stopped = False
        if self.layout_now is None:
            self.show_message("Laying out the graph …")
        self.ask("layout", [info], functools.partial(lay_out, info=info, nodes=count, seed=seed))

    def _stop_or_restart(self) -> None:
        now = self.layout_now
        if now is not None and not now.done and not self._stopped:
            self.cancel("layout")
            self._stopped = True
            self._write_caption()
        elif self._wanted is not None:
            self.plane.fitted = True
            self._lay_out(self._wanted, seed=int(time.time()) % 10_000)

    def _draw_edges(self) -> None:
        now = self.layout_now
        if now is None:
            return
        work = functools.partial(
            draw_edges,
            layout=now,
            viewport=self.plane.viewport,
            ratio=self.plane.ratio,
            colours=(colour_parts(self.theme.palette.muted), colour_parts(self.theme.palette.accent)),
            selected=self.state.selection,
        )
        self.draw("edges", work)

    def _write_caption(self) -> None:
        now = self.layout_now
        if now is None:
            return
        items = self.state.items
        nodes, edges = len(now.positions), now.edges.shape[1]
        parts = [
            caption_count(nodes, nodes, items.noun if items is not None else "node"),
            f"{edges:,} edges",
            now.how,
        ]
        busy = not now.done and not self._stopped
        if busy:
            parts.append(f"laying out: {now.step} of {now.steps}")
        elif self._stopped:
            parts.append(f"stopped at {now.step} of {now.steps}")
        if len(self.state.selection):
            parts.append(f"{len(self.state.selection):,} selected")
        self.again.setText("Stop" if busy else "Lay out again")
        self.again.setEnabled(now.steps > 0)
        self.caption.set_parts(parts)


def lay_out(
    job: Job, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo, nodes: int, seed: int
) -> GraphLayout | None:
    """Lay out a graph, reporting on the way; None when cancelled."""
    snapshot = snapshots[0]
    index = snapshot.array.astype(np.int64)
    nodes = max(nodes, int(index.max(initial=-1)) + 1)
    edges = _simple(index, nodes)
    given = snapshot.extras.get("positions")
    if given is not None:
        return GraphLayout(info, given.astype(np.float32), edges, 0, 0, "positions given by the run")
    if nodes > MOST_NODES:
        positions = spectral_layout(edges, nodes, seed=seed).astype(np.float32)
        how = f"laid out by its spectrum alone: springs take too long beyond {MOST_NODES:,} nodes"
        return GraphLayout(info, positions, edges, 0, 0, how)
    last = time.monotonic()
    step, positions = 0, np.zeros((nodes, 2), dtype=np.float32)
    for step, positions in enumerate(force_layout(edges, nodes, iterations=ITERATIONS, seed=seed), 1):
        if job.cancelled:
            return None
        if time.monotonic() - last > REPORT_SECONDS:
            last = time.monotonic()
            job.report(GraphLayout(info, positions, edges, step, ITERATIONS, "springs"))
    return GraphLayout(info, positions, edges, step, ITERATIONS, "springs")


def draw_edges(
    job: Job,
    _snapshots: tuple[Snapshot, ...],
    *,
    layout: GraphLayout,
    viewport: Viewport,
    ratio: float,
    colours: tuple[tuple[int, int, int], tuple[int, int, int]],
    selected: npt.NDArray[np.int64],
) -> EdgeImage | None:
    """Edges in the first colour, those at selected nodes in the second; None when cancelled."""
    shape = (viewport.height, viewport.width)
    pixels = viewport.to_pixels(layout.positions)
    chosen = np.isin(layout.edges, selected).any(axis=0) if len(selected) else np.zeros(0, dtype=bool)
    opacity = float(np.clip(12 / np.sqrt(max(layout.edges.shape[1], 1)), 0.06, 0.45)) * min(ratio, 1.5)
    coverage = raster_edges(pixels, layout.edges, shape, cancelled=lambda: job.cancelled)
    if coverage is None:
        return None
    image = to_image(tint(coverage, colours[0], opacity * (0.4 if chosen.any() else 1)))
    if chosen.any():
        coverage = raster_edges(pixels, layout.edges[:, chosen], shape, cancelled=lambda: job.cancelled)
        if coverage is None:
            return None
        painter = QPainter(image)
        painter.drawImage(0, 0, to_image(tint(coverage, colours[1], min(3 * opacity, 0.8))))
        painter.end()
    return EdgeImage(image, viewport)


def _simple(index: npt.NDArray[np.int64], nodes: int) -> npt.NDArray[np.int64]:
    """Each pair of different nodes once, whichever way its edges point."""
    low, high = index.min(axis=0, initial=nodes), index.max(axis=0, initial=-1)
    keys = np.unique((low * nodes + high)[low != high])
    return np.stack([keys // nodes, keys % nodes]) if nodes else np.zeros((2, 0), dtype=np.int64)
