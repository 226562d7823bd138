"""Edges that are items themselves, each in its colour."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from mmgraph.analysis import raster_edges
from mmgraph_gui.drawing.raster import Viewport, to_image

MOST_LINES = 1_000
"""Up to so many edges are drawn as lines; more are rasterised, one pixel wide."""
WIDTH = 1.6
OPAQUE, DIMMED = 0.9, 0.15


@dataclass(frozen=True, eq=False)
class ColouredEdges:
    """A colour for each edge, which of them are selected (None where nothing is), and which are hidden.

    Shapes:
        colours (edges, 3) uint8, selected and hidden (edges,) bool.
    """

    colours: npt.NDArray[np.uint8]
    selected: npt.NDArray[np.bool_] | None
    hidden: npt.NDArray[np.bool_]

    @property
    def opacity(self) -> npt.NDArray[np.float64]:
        """How opaque each edge is, (edges,)."""
        shown = np.ones(len(self.colours), np.bool_) if self.selected is None else self.selected
        return np.where(self.hidden, 0, np.where(shown, OPAQUE, DIMMED))


def draw_coloured(
    coloured: ColouredEdges,
    edges: npt.NDArray[np.int64],
    positions: npt.NDArray[np.float32],
    viewport: Viewport,
    ratio: float,
    cancelled: Callable[[], bool],
) -> QImage | None:
    """Edges between positions as a picture; None when cancelled. Where many cross, their colours mix."""
    pixels, shape = viewport.to_pixels(positions), (viewport.height, viewport.width)
    if edges.shape[1] <= MOST_LINES:
        image = QImage(viewport.width, viewport.height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        paint_coloured(painter, coloured, edges, pixels, ratio)
        painter.end()
        return image
    faintest = float(np.clip(50 / math.sqrt(edges.shape[1]), 0.1, 0.8)) * min(ratio, 1.5)
    opacity = coloured.opacity
    parts = []
    for weight in (np.ones(len(opacity)), *(coloured.colours.T / 255)):
        coverage = raster_edges(pixels, edges, shape, weights=weight * opacity, cancelled=cancelled)
        if coverage is None:
            return None
        parts.append(coverage)
    covered, colour = parts[0], np.stack(parts[1:], axis=-1)
    picture = np.empty((*shape, 4), np.uint8)
    mean = colour / np.maximum(covered, 1e-9)[..., None]
    picture[..., :3] = np.rint(np.clip(mean, 0, 1) * 255)
    picture[..., 3] = np.rint(-np.expm1(covered * math.log1p(-min(faintest, 0.99))) * 255)
    return to_image(picture)


def paint_coloured(
    painter: QPainter,
    coloured: ColouredEdges,
    edges: npt.NDArray[np.int64],
    pixels: npt.NDArray[np.float64],
    ratio: float,
) -> None:
    """Edges as lines, those that are selected last."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    kinds, kind = np.unique(
        np.column_stack([coloured.opacity, coloured.colours]), axis=0, return_inverse=True
    )
    for number, (opacity, *parts) in enumerate(kinds.tolist()):
        if not opacity:
            continue
        colour = QColor(*map(int, parts))
        colour.setAlphaF(opacity)
        painter.setPen(QPen(colour, WIDTH * ratio, c=Qt.PenCapStyle.RoundCap))
        ends = pixels[edges[:, kind.ravel() == number]].transpose(1, 0, 2).reshape(-1, 4)
        # One call for all: each call gives up the interpreter's lock, and waits for it behind a layout at work.
        painter.drawLines([QLineF(*line) for line in ends.tolist()])
