"""Edges of a graph as a picture: all of them, those at selected nodes, and those that weigh something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from mmgraph.analysis import raster_edges, tint
from mmgraph.errors import RunDamagedError
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.drawing.raster import Viewport, from_pixels
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.views.graph.coloured_edges import ColouredEdges, draw_coloured

MOST_STROKES = 500
"""Up to so many weighted edges are drawn as lines as wide as their weight; more are rasterised, one pixel wide."""
WIDEST_STROKE = 5.0
NODE = 5.0
"""Radius of the mark of a node that is explained."""
MOVING_PIXELS, LONGEST = 2_000_000, 5_000
"""Pixels of edges that are drawn while the picture moves; all edges follow when it rests."""
FAINTEST = 0.02
"""Weights below this share of the largest are not drawn."""


@dataclass(frozen=True, eq=False)
class EdgeStrength:
    """How much edges weigh under attention, or in an explanation.

    Args:
        explains: the nodes whose answer is explained, one or a pair; none for attention.
        answer: the class that is explained, by its number or in a word, with its probability; None for attention.

    Shapes:
        edges (2, k) without self-loops, strength (k,) from 0 to 1.
    """

    info: SnapshotInfo
    head: int | None
    edges: npt.NDArray[np.int64]
    strength: npt.NDArray[np.float32]
    explains: tuple[int, ...]
    answer: tuple[int | str, float] | None

    def shown(self, selected: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The edges worth drawing, weakest first; of attention those into selected nodes where there are any."""
        kept = self.strength >= FAINTEST
        if len(selected) and not self.explains:
            kept &= np.isin(self.edges[1], selected)
        edges, strength = self.edges[:, kept], self.strength[kept]
        largest = strength.max(initial=0)
        order = np.argsort(strength, kind="stable")
        return edges[:, order], strength[order] / (largest if largest > 0 else 1)

    def among(self, nodes: npt.NDArray[np.bool_]) -> EdgeStrength:
        """The edges between these nodes alone; `nodes` (n,) says of each whether it is one."""
        kept = nodes[self.edges].all(axis=0)
        return replace(self, edges=self.edges[:, kept], strength=self.strength[kept])


@dataclass(frozen=True, eq=False)
class EdgeImage:
    """The edges as an image for a viewport; those drawn as strokes come over the points, and may be none."""

    image: QImage
    strokes: QImage | None
    viewport: Viewport


@dataclass(frozen=True, eq=False)
class EdgeScene:
    """What is drawn: edges between positions, in which colours, and what weighs or is selected.

    Shapes:
        positions (nodes, 2), edges (2, edges) each pair once, selected (k,) nodes.

    Edges that are items have colours of their own, unless they weigh something.
    """

    positions: npt.NDArray[np.float32]
    edges: npt.NDArray[np.int64]
    viewport: Viewport
    ratio: float
    plain: tuple[int, int, int]
    accent: tuple[int, int, int]
    ground: tuple[int, int, int]
    selected: npt.NDArray[np.int64]
    strength: EdgeStrength | None
    coloured: ColouredEdges | None = None
    moving: bool = False
    memory: dict[str, Any] = field(default_factory=dict)


def edges_of(snapshot: Snapshot) -> npt.NDArray[np.int64]:
    """Where the edges of attention along edges go from and to, (2, edges).

    Raises:
        RunDamagedError: the snapshot does not say it for each of its edges.
    """
    edges = snapshot.extras.get("edge_index")
    count = snapshot.array.shape[-1]
    if edges is None or edges.shape != (2, count):
        found = "none" if edges is None else f"an array of shape {edges.shape}"
        raise RunDamagedError(
            f"'{snapshot.layer}' holds attention along {count:,} edges, and needs an edge_index (2, {count}), but has "
            f"{found}."
        )
    return edges.astype(np.int64)


def edge_strength(
    _job: Job | None, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo, head: int | None
) -> EdgeStrength:
    """The weights of a snapshot of attention along edges, scaled to a largest of 1."""
    snapshot = snapshots[0]
    edges = edges_of(snapshot)
    weights = snapshot.array.mean(axis=0) if head is None else snapshot.array[head]
    between = (edges[0] != edges[1]) & np.isfinite(weights)
    weights = weights[between].astype(np.float32)
    largest = weights.max(initial=0)
    notes = snapshot.notes
    nodes = notes.get("explains", [])
    explains = tuple(nodes) if isinstance(nodes, list) else (nodes,)
    answer = (notes.get("answer") or int(notes["target"]), float(notes["probability"])) if explains else None
    return EdgeStrength(
        info, head, edges[:, between], weights / (largest if largest > 0 else 1), explains, answer
    )


def draw_edges(job: Job, _snapshots: tuple[Snapshot, ...], *, scene: EdgeScene) -> EdgeImage | None:
    """All edges in the plain colour; those that weigh, or are at selected nodes, in the accent. None when cancelled."""
    viewport, edges = scene.viewport, scene.edges
    if scene.coloured is not None and scene.strength is None:
        picture = draw_coloured(
            scene.coloured, edges, scene.positions, viewport, scene.ratio, lambda: job.cancelled
        )
        return None if picture is None else EdgeImage(picture, None, viewport)
    shape = (viewport.height, viewport.width)
    pixels = viewport.to_pixels(scene.positions)
    marked = scene.selected if scene.strength is None else scene.selected[:0]
    at_selected = np.isin(edges, marked).any(axis=0)
    dimmed = bool(at_selected.any()) or scene.strength is not None
    opacity = float(np.clip(12 / np.sqrt(max(edges.shape[1], 1)), 0.06, 0.45)) * min(scene.ratio, 1.5)

    def layer(some: npt.NDArray[np.int64], colour: Any, opaque: float, weights: Any = None) -> QImage | None:
        if scene.moving:
            some, weights = _thinned(pixels, some, weights)
        coverage = raster_edges(pixels, some, shape, weights=weights, cancelled=lambda: job.cancelled)
        return None if coverage is None else from_pixels(tint(coverage, colour, opaque))

    # A selection changes how strong all edges are drawn, not where: their coverage is kept for the next time.
    key = (scene.positions, viewport)
    known = scene.memory.get("key", (None, None))
    if not (known[0] is scene.positions and known[1] == viewport):
        some, weights = _thinned(pixels, edges, None) if scene.moving else (edges, None)
        coverage = raster_edges(pixels, some, shape, weights=weights, cancelled=lambda: job.cancelled)
        if coverage is None:
            return None
        if not scene.moving:
            scene.memory.update(key=key, coverage=coverage)
    else:
        coverage = scene.memory["coverage"]
    image = from_pixels(tint(coverage, scene.plain, opacity * (0.4 if dimmed else 1)))
    over: QImage | None = None
    if scene.strength is not None:
        strong, strength = scene.strength.shown(scene.selected)
        if strong.shape[1] <= MOST_STROKES:
            strokes = QImage(viewport.width, viewport.height, QImage.Format.Format_ARGB32_Premultiplied)
            strokes.fill(Qt.GlobalColor.transparent)
            painter = QPainter(strokes)
            paint_strokes(painter, scene, strong, strength)
            painter.end()
            return EdgeImage(image, strokes, viewport)
        over = layer(strong, scene.accent, min(3 * opacity, 0.8), strength)
    elif at_selected.any():
        over = layer(edges[:, at_selected], scene.accent, min(3 * opacity, 0.8))
    else:
        return EdgeImage(image, None, viewport)
    if over is None:
        return None
    painter = QPainter(image)
    painter.drawImage(0, 0, over)
    painter.end()
    return EdgeImage(image, None, viewport)


def _thinned(
    pixels: npt.NDArray[np.float64], edges: npt.NDArray[np.int64], weights: npt.NDArray[np.float32] | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32] | None]:
    """Every second, third … edge, twice, thrice … as strong, so that few enough pixels are drawn to keep moving."""
    delta = np.abs(pixels[edges[0]] - pixels[edges[1]]).max(axis=1)
    every = int(np.nan_to_num(delta[delta < LONGEST]).sum() // MOVING_PIXELS) + 1
    if every == 1:
        return edges, weights
    kept = np.ones(edges.shape[1], np.float32) if weights is None else weights
    return edges[:, ::every], kept[::every] * np.float32(every)


def paint_strokes(
    painter: QPainter, scene: EdgeScene, edges: npt.NDArray[np.int64], strength: npt.NDArray[np.float32]
) -> None:
    """Edges as lines as wide and as opaque as they weigh."""
    pixels = scene.viewport.to_pixels(scene.positions)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for (start, end), share in zip(_ends(pixels, edges), strength.tolist(), strict=True):
        colour = QColor(*scene.accent)
        colour.setAlphaF(0.15 + 0.8 * share)
        width = scene.ratio * (0.8 + (WIDEST_STROKE - 0.8) * share)
        painter.setPen(QPen(colour, width, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(start, end)
    if scene.strength is not None:  # strokes that meet at a node hide it
        painter.setPen(QPen(QColor(*scene.accent), 2 * scene.ratio))
        painter.setBrush(QColor(*scene.ground))
        for node in scene.strength.explains:
            if 0 <= node < len(pixels):
                painter.drawEllipse(QPointF(*pixels[node].tolist()), NODE * scene.ratio, NODE * scene.ratio)


def _ends(
    pixels: npt.NDArray[np.floating[Any]], edges: npt.NDArray[np.int64]
) -> Iterator[tuple[QPointF, QPointF]]:
    for source, target in edges.T.tolist():
        yield QPointF(*pixels[source]), QPointF(*pixels[target])
