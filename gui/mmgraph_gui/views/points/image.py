"""Draws the points of a plane as one image, in a worker thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage, QPainter

from mmgraph.analysis import PointGrid, raster_points
from mmgraph.runs import Snapshot
from mmgraph_gui.drawing.raster import Viewport, from_pixels
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state.colouring import Colouring
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.views.points.cloud import Colours, PointCloud

RIM_LIMIT = 5_000
HALO_LIMIT = 20_000
"""Up to so many selected points are ringed; more are seen anyway."""
MOST_STAMPS = 400
FEW_IN_VIEW = 120
"""Where no more points are in view than this, their thumbnails are drawn without being asked for."""
COUNTED_AGAIN = 2_000
"""Where no more than so many seem to be in view beyond that, they are counted one by one."""
MOVING_PIXELS = 2_000_000
"""Pixels of discs that are drawn while the picture moves; larger dots follow when it rests."""


@dataclass(frozen=True, eq=False)
class PointScene:
    """All that the image depends on.

    Args:
        cloud: the points.
        colouring: what colours them; None: all alike.
        paint: turns a colouring into a colour of each item.
        hidden: classes of the colouring that are not shown.
        selection: selected rows of the item set.
        viewport: which part of the plane to draw, in device pixels.
        ratio: device pixels per logical pixel.
        plain, rim, ground: colours of points without a class, of rings around selected points, and behind all.
        stamp: side of a thumbnail in device pixels; 0 where there are none.
        stamped: whether thumbnails are wanted wherever there is room, not only where few points are in view.
        moving: whether the next image is wanted at once.
    """

    cloud: PointCloud
    colouring: Colouring | None
    paint: Callable[[Colouring], Colours]
    hidden: frozenset[int]
    selection: Rows
    viewport: Viewport
    ratio: float
    plain: tuple[int, int, int]
    rim: tuple[int, int, int]
    ground: tuple[int, int, int]
    stamp: float = 0
    stamped: bool = False
    moving: bool = False


@dataclass(frozen=True, eq=False)
class PointImage:
    """The image, the points it shows, their colours, and which of them get a thumbnail.

    Args:
        reach: how far from its middle a point can be pointed at, in device pixels.
        hidden: how many points belong to classes that are hidden.

    Shapes:
        stamped (m,) point numbers, places (m, 2) their pixels.
    """

    scene: PointScene
    image: QImage
    grid: PointGrid
    colours: Colours
    reach: float
    hidden: int
    stamped: npt.NDArray[np.int64]
    places: npt.NDArray[np.float64]


def draw_points(_job: Job | None, _snapshots: tuple[Snapshot, ...], *, scene: PointScene) -> PointImage:
    """Draw a scene."""
    cloud, viewport = scene.cloud, scene.viewport
    hidden = cloud.hidden(scene.colouring, scene.hidden)
    grid = cloud.without(hidden)
    grid.pick(0.0, 0.0, 0.0)  # compiled here, not under the mouse
    colours = cloud.colours(scene.colouring, scene.paint, scene.plain, scene.ground)
    chosen = cloud.chosen(scene.selection)
    zoom = viewport.scale / Viewport.around(cloud.corners, viewport.width, viewport.height).scale
    radius, opacity = dot_style(len(cloud), zoom)
    radius *= scene.ratio * cloud.dot_size
    in_view = _in_view(grid, viewport)
    if scene.moving:
        radius = min(radius, math.sqrt(MOVING_PIXELS / max(in_view, 1) / math.pi))

    def layer(points: PointGrid, of: Colours, wide: float, opaque: float, selected: bool = True) -> QImage:
        return from_pixels(
            raster_points(
                points,
                of,
                (viewport.height, viewport.width),
                affine=viewport.affine,
                radius=wide,
                opacity=opaque,
                selected=chosen if selected else None,
            )
        )

    images = [layer(grid, colours, radius, opacity)]
    if 0 < len(cloud) <= RIM_LIMIT:
        rims = (0.6 * colours + 0.4 * np.array(scene.rim)).astype(np.uint8)
        images.insert(0, layer(grid, rims, radius + scene.ratio, opacity))
    if chosen is not None and not scene.moving:
        ringed = np.flatnonzero(chosen if hidden is None else chosen & ~hidden)
        if 0 < len(ringed) <= HALO_LIMIT:
            some = PointGrid(cloud.positions[ringed])
            rings = np.tile(np.array(scene.rim, dtype=np.uint8), (len(ringed), 1))
            wide = max(radius, 1.5 * scene.ratio) + 1.8 * scene.ratio
            images.insert(0, layer(some, rings, wide, 0.95, selected=False))
    painter = QPainter(images[0])
    for image in images[1:]:
        painter.drawImage(0, 0, image)
    painter.end()
    stamped = np.zeros(0, dtype=np.int64)
    pixels = np.zeros((0, 2))
    if scene.stamp and not scene.moving and (scene.stamped or in_view <= FEW_IN_VIEW):
        pixels = viewport.to_pixels(grid.positions)
        first = np.zeros(len(pixels), dtype=bool) if chosen is None else chosen
        shape = (viewport.height, viewport.width)
        stamped = _spread_out(pixels, shape, scene.stamp, np.argsort(~first, kind="stable"))
    lost = 0 if hidden is None else int(hidden.sum())
    return PointImage(scene, images[0], grid, colours, radius, lost, stamped, pixels[stamped])


def _in_view(grid: PointGrid, viewport: Viewport) -> int:
    """How many points are in view; of many, those in the cells at the edge count too."""
    corners = viewport.to_plane(np.array([[0.0, viewport.height], [viewport.width, 0.0]]))
    count = int(grid.count_between(*corners[0], *corners[1]))
    if FEW_IN_VIEW < count <= FEW_IN_VIEW + COUNTED_AGAIN:
        inside = (grid.places >= corners.min(axis=0)) & (grid.places <= corners.max(axis=0))
        count = int(np.count_nonzero(inside.all(axis=1)))
    return count


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
