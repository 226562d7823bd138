"""Any number of points as one image."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis.point_grid import PointGrid
from mmgraph.errors import InputError

Pixels = npt.NDArray[np.uint32]
Affine = tuple[float, float, float, float]

IDENTITY: Affine = (1.0, 1.0, 0.0, 0.0)
"""Places are pixels; (0.5, 0.5) is the middle of the top left one."""

_BAND = 128
"""Rows that are drawn at a time: what they are summed up in stays in the processor's cache."""
_MANY_PIXELS = 4_000_000
_FEW_POINTS = 50_000
"""Up to here a second thread costs more than it brings."""


def raster_points(
    points: PointGrid | npt.NDArray[Any],
    colours: npt.NDArray[Any],
    shape: tuple[int, int],
    *,
    affine: Affine = IDENTITY,
    radius: float = 0,
    opacity: float = 0.8,
    selected: npt.NDArray[Any] | None = None,
    dimmed: float = 0.2,
) -> Pixels:
    """Draw points as discs (or single pixels) that show how many lie on top of each other.

    c points of coverage aᵢ (1 inside the disc, falling to 0 over its one-pixel rim) and opacity o give

        colour = Σ aᵢ colourᵢ / Σ aᵢ        alpha = 1 − (1 − o)^Σ aᵢ

    so the picture does not depend on the order of the points, a lone point is see-through and a crowd
    is solid. Selected points are drawn the same way over the others, whose opacity is multiplied by
    `dimmed`. Points that are not finite or outside the image are left out. Many points are drawn by two threads.

    Args:
        points: position of each point. A grid that is kept is drawn again without sorting.
        colours: red, green, blue of each point; with a grid they are sorted again only where it is another array.
        shape: height and width of the image.
        affine: pixel = position · (first, second) + (third, fourth).
        radius: of the discs in pixels; below 1 a point is one pixel.
        opacity: of one point, above 0 and at most 1.
        selected: which points are selected, one truth value per point; None: no selection, nothing is dimmed.
        dimmed: factor on the opacity of unselected points.

    Shapes:
        points (n, 2) x and y, colours (n, 3) uint8, selected (n,) bool -> (height, width) uint32,
        0xAARRGGBB, colours multiplied with alpha.

    Raises:
        InputError: the shapes do not fit.

    Source:
        Differs: the mean of colours is order-independent transparency in the manner of McGuire and Bavoil 2013,
        with the product of their (1 − alpha) written as a power.
    """
    grid = points if isinstance(points, PointGrid) else PointGrid(points)
    if np.shape(colours) != (len(grid), 3):
        raise InputError(f"{len(grid)} points need (n, 3) colours, not {np.shape(colours)}.")
    if selected is not None and np.shape(selected) != (len(grid),):
        raise InputError(
            f"{len(grid)} points need as many truth values of selection, not {np.shape(selected)}."
        )
    if not 0 < opacity <= 1:
        raise InputError(f"The opacity of a point is above 0 and at most 1, not {opacity}.")
    from mmgraph.analysis.point_kernels import raster_band

    packed = grid.sorted("colours", colours, _packed)
    above = np.zeros(0, np.uint8) if selected is None else grid.sorted("selected", selected, _flags)
    below = opacity if selected is None else opacity * dimmed
    fades = np.array([math.log1p(-min(part, 0.9999)) for part in (below, opacity)])
    image = np.empty(shape, dtype=np.uint32)
    stamp = disc(radius)
    # Where very many discs are spread, each band would spread those of its neighbours' edges once more.
    rows = _BAND if len(stamp) == 1 or len(grid.order) * len(stamp) <= _MANY_PIXELS else shape[0]

    def draw(first: int, end: int) -> None:
        for top in range(first, end, rows):
            band = image[top : min(top + rows, end)]
            raster_band(
                grid.places,
                packed,
                above,
                grid.starts,
                grid.cells,
                (*grid.low, grid.step),
                affine,
                stamp,
                fades,
                band,
                top,
            )

    in_bands(draw, shape[0], 1 if len(grid.order) <= _FEW_POINTS else 2)
    return image


def in_bands(draw: Any, rows: int, bands: int) -> None:
    """Call draw(first row, end row) for bands of an image, each in a thread of its own."""
    middle = rows // 2 if bands == 2 else rows
    other = threading.Thread(target=draw, args=(middle, rows), name="mmgraph-raster")
    if middle < rows:
        other.start()
    draw(0, middle)
    if middle < rows:
        other.join()


def disc(radius: float) -> npt.NDArray[np.float32]:
    """Rows of dy, dx and coverage of the pixels of a disc; one pixel below a radius of 1."""
    if radius < 1:
        return np.array([[0, 0, 1]], dtype=np.float32)
    reach = math.ceil(radius)
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    cover = np.minimum(1, radius + 0.5 - np.hypot(dy, dx))
    return np.stack([dy, dx, cover], axis=1)[cover > 0].astype(np.float32)


def _packed(colours: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    parts = np.asarray(colours, dtype=np.uint8).astype(np.int32)
    packed: npt.NDArray[np.int32] = (parts[:, 0] << 16) | (parts[:, 1] << 8) | parts[:, 2]
    return packed


def _flags(selected: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.asarray(selected, dtype=bool).view(np.uint8)
