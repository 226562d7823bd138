"""Draws the points of a plane as one image, in a worker thread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage, QPainter

from mmgraph.analysis import Raster, raster_points
from mmgraph.runs import Snapshot
from mmgraph_gui.follower import Job
from mmgraph_gui.raster import Viewport, to_image

RIM_LIMIT = 5_000
MOST_STAMPS = 400


@dataclass(frozen=True, eq=False)
class PointScene:
    """All that the image depends on.

    Args:
        positions: in the plane; NaN for points that have no place.
        colours: of each point.
        selected: which points are selected; None where none is.
        viewport: which part of the plane to draw, in device pixels.
        ratio: device pixels per logical pixel.
        zoom: how much larger than "everything" this is.
        rim: colour of rings around selected points, and mixed into the rims of all, for contrast.
        stamp: side of a thumbnail in device pixels; 0 for no thumbnails.

    Shapes:
        positions (n, 2), colours (n, 3) uint8, selected (n,) bool.
    """

    positions: npt.NDArray[np.floating[Any]]
    colours: npt.NDArray[np.uint8]
    selected: npt.NDArray[np.bool_] | None
    viewport: Viewport
    ratio: float
    zoom: float
    rim: tuple[int, int, int]
    stamp: float


@dataclass(frozen=True, eq=False)
class PointImage:
    """The image, what lies under each of its pixels, and which points get a thumbnail.

    Shapes:
        stamped (m,) point numbers, places (m, 2) their pixels.
    """

    scene: PointScene
    image: QImage
    raster: Raster
    stamped: npt.NDArray[np.int64]
    places: npt.NDArray[np.float64]


def draw_points(_job: Job | None, _snapshots: tuple[Snapshot, ...], *, scene: PointScene) -> PointImage:
    """Draw a scene."""
    viewport = scene.viewport
    shape = (viewport.height, viewport.width)
    pixels = viewport.to_pixels(scene.positions)
    radius, opacity = dot_style(len(pixels), scene.zoom)
    radius *= scene.ratio
    raster = raster_points(
        pixels, scene.colours, shape, radius=radius, opacity=opacity, selected=scene.selected
    )
    image = to_image(raster.image)
    if len(pixels) <= RIM_LIMIT and len(pixels):
        rims = (0.6 * scene.colours + 0.4 * np.array(scene.rim)).astype(np.uint8)
        under = to_image(
            raster_points(
                pixels, rims, shape, radius=radius + scene.ratio, opacity=opacity, selected=scene.selected
            ).image
        )
        painter = QPainter(under)
        painter.drawImage(0, 0, image)
        painter.end()
        image = under
    if scene.selected is not None:
        image = _with_halo(image, pixels[scene.selected], scene, shape, radius)
    stamped = np.zeros(0, dtype=np.int64)
    if scene.stamp:
        first = np.zeros(len(pixels), dtype=bool) if scene.selected is None else scene.selected
        stamped = _spread_out(pixels, shape, scene.stamp, np.argsort(~first, kind="stable"))
    return PointImage(scene, image, raster, stamped, pixels[stamped])


def _with_halo(
    image: QImage,
    selected: npt.NDArray[np.float64],
    scene: PointScene,
    shape: tuple[int, int],
    radius: float,
) -> QImage:
    """The same with a ring around selected points, so that one among thousands is found at once."""
    colours = np.tile(np.array(scene.rim, dtype=np.uint8), (len(selected), 1))
    wide = max(radius, 1.5 * scene.ratio) + 1.8 * scene.ratio
    halo = to_image(raster_points(selected, colours, shape, radius=wide, opacity=0.95).image)
    painter = QPainter(halo)
    painter.drawImage(0, 0, image)
    painter.end()
    return halo


def dot_style(count: int, zoom: float) -> tuple[float, float]:
    """Radius in logical pixels and opacity: many points are small and see-through, zooming in enlarges them."""
    styles = ((800, 4.5, 0.9), (3_000, 3.5, 0.85), (20_000, 2.0, 0.6), (100_000, 1.2, 0.4))
    radius, opacity = next(((size, solid) for limit, size, solid in styles if count <= limit), (0.8, 0.3))
    return min(radius * max(math.sqrt(zoom), 1.0), 9.0), opacity


def _spread_out(
    pixels: npt.NDArray[np.float64], shape: tuple[int, int], side: float, order: npt.NDArray[np.intp]
) -> npt.NDArray[np.int64]:
    """Points whose thumbnails of that side do not cover each other; those early in `order` go first."""
    with np.errstate(invalid="ignore"):
        inside = np.all((pixels >= 0) & (pixels < (shape[1], shape[0])), axis=1)
    points = order[np.asarray(inside)[order]]
    # One candidate for each cell of a grid bounds the work; what still overlaps is left out.
    cells = np.floor(pixels[points] / side).astype(np.int64)
    _, first = np.unique(cells[:, 0] * 100_003 + cells[:, 1], return_index=True)
    chosen: list[int] = []
    for point in points[np.sort(first)][: 4 * MOST_STAMPS].tolist():
        near = np.abs(pixels[chosen] - pixels[point]).max(axis=1) if chosen else np.full(1, np.inf)
        if near.min() >= side * 1.05:
            chosen.append(point)
        if len(chosen) == MOST_STAMPS:
            break
    return np.array(chosen, dtype=np.int64)
