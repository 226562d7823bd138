"""Edges as lines, for files of vectors: drawn from a scene alone, so that a worker thread can do it."""

from __future__ import annotations

from PySide6.QtCore import QLineF
from PySide6.QtGui import QColor, QPainter, QPen

from mmgraph_gui.views.graph.coloured_edges import paint_coloured
from mmgraph_gui.views.graph.edges import EdgeScene, paint_strokes

VECTOR_EDGES = 50_000
LINES_AT_ONCE = 200


def paint_edges(painter: QPainter, *, scene: EdgeScene) -> None:
    """Paint edges, and those that weigh something over the others; none where they are too many for a file."""
    pixels = scene.viewport.to_pixels(scene.positions)
    if scene.coloured is not None and scene.strength is None:
        paint_coloured(painter, scene.coloured, scene.edges, pixels, scene.ratio)
    elif scene.edges.shape[1] <= VECTOR_EDGES:
        colour = QColor(*scene.plain)
        colour.setAlphaF(0.35 if scene.strength is None else 0.15)
        painter.setPen(QPen(colour, scene.ratio))
        ends = pixels[scene.edges].transpose(1, 0, 2).reshape(-1, 4)
        for start in range(0, len(ends), LINES_AT_ONCE):
            painter.drawLines([QLineF(*line) for line in ends[start : start + LINES_AT_ONCE].tolist()])
        if scene.strength is not None:
            paint_strokes(painter, scene, *scene.strength.shown(scene.selected))
