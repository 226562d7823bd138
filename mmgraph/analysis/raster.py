"""Any number of points as one image, with a second image that says what lies under each pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Raster:
    """An image, and which point each pixel shows.

    Shapes:
        image (height, width, 4) uint8, red green blue alpha, not premultiplied;
        rows (height, width) int32, row of the nearest point whose disc covers the pixel, −1 for none.
    """

    image: Bytes
    rows: npt.NDArray[np.int32]

    def pick(self, x: float, y: float, reach: int = 0) -> int | None:
        """The point under a pixel, or the one of the nearest covered pixel up to `reach` pixels away."""
        height, width = self.rows.shape
        column, row = math.floor(x), math.floor(y)
        top, left = max(row - reach, 0), max(column - reach, 0)
        window = self.rows[top : max(row + reach + 1, 0), left : max(column + reach + 1, 0)]
        if not window.size or not (0 <= row < height and 0 <= column < width):
            return None
        ys, xs = np.nonzero(window >= 0)
        if not len(ys):
            return None
        far = (ys + top - row) ** 2 + (xs + left - column) ** 2
        nearest = int(far.argmin())
        return int(window[ys[nearest], xs[nearest]]) if far[nearest] <= reach * reach else None


def raster_points(
    pixels: npt.NDArray[Any],
    colours: npt.NDArray[Any],
    shape: tuple[int, int],
    *,
    radius: float = 0,
    opacity: float = 0.8,
    selected: npt.NDArray[Any] | None = None,
    dimmed: float = 0.2,
) -> Raster:
    """Draw points as discs (or single pixels) that show how many lie on top of each other.

    c points of coverage aᵢ (1 inside the disc, falling to 0 over its one-pixel rim) and opacity o give

        colour = Σ aᵢ colourᵢ / Σ aᵢ        alpha = 1 − (1 − o)^Σ aᵢ

    so the picture does not depend on the order of the points, a lone point is see-through and a crowd
    is solid. Selected points are drawn the same way over the others, whose opacity is multiplied by
    `dimmed`. Points that are not finite or outside the image are left out.

    Args:
        pixels: position of each point; (0.5, 0.5) is the middle of the top left pixel.
        colours: red, green, blue of each point.
        shape: height and width of the image.
        radius: of the discs in pixels; below 1 a point is one pixel.
        opacity: of one point, above 0 and at most 1.
        selected: which points are selected, one truth value per point; None: no selection, nothing is dimmed.
        dimmed: factor on the opacity of unselected points.

    Shapes:
        pixels (n, 2) x and y, colours (n, 3) uint8, selected (n,) bool.

    Raises:
        InputError: the shapes do not fit.

    Source:
        Differs: the mean of colours is order-independent transparency in the manner of McGuire and Bavoil 2013,
        with the product of their (1 − alpha) written as a power.
    """
    pixels, colours = np.asarray(pixels), np.asarray(colours)
    count = len(pixels)
    if pixels.shape != (count, 2) or colours.shape != (count, 3):
        raise InputError(
            f"Points are (n, 2) positions and (n, 3) colours, not {pixels.shape} and {colours.shape}."
        )
    if selected is not None and np.shape(selected) != (count,):
        raise InputError(f"{count} points need as many truth values of selection, not {np.shape(selected)}.")
    if not 0 < opacity <= 1:
        raise InputError(f"The opacity of a point is above 0 and at most 1, not {opacity}.")
    height, width = shape
    rows = np.full(height * width, -1, dtype=np.int32)
    stamp = _stamp(radius)
    reach = max(dy for dy, _, _ in stamp)
    x, y = pixels[:, 0], pixels[:, 1]
    near = (x >= -reach) & (x < width + reach) & (y >= -reach) & (y < height + reach)
    if selected is None:
        layers = [(np.flatnonzero(near), opacity)]
    else:
        chosen = np.asarray(selected, dtype=bool)
        layers = [
            (np.flatnonzero(near & ~chosen), opacity * dimmed),
            (np.flatnonzero(near & chosen), opacity),
        ]
    image = np.zeros((height * width, 4), dtype=np.float32)
    for members, strength in layers:
        if len(members):
            layer = _points_layer(pixels[members], colours[members], shape, stamp, strength)
            image = layer if not image.any() else _over(layer, image)
            _fill_rows(rows, pixels[members], members, shape, stamp)
    return Raster(_to_bytes(image).reshape(height, width, 4), rows.reshape(height, width))


def _stamp(radius: float) -> list[tuple[int, int, float]]:
    """Offsets of the pixels of a disc with their coverage, the farthest from the middle first."""
    if radius < 1:
        return [(0, 0, 1.0)]
    reach = math.ceil(radius)
    offsets = [
        (dy, dx, min(1.0, radius + 0.5 - math.hypot(dy, dx)))
        for dy in range(-reach, reach + 1)
        for dx in range(-reach, reach + 1)
        if math.hypot(dy, dx) < radius + 0.5
    ]
    return sorted(offsets, key=lambda offset: -math.hypot(offset[0], offset[1]))


def _points_layer(
    pixels: npt.NDArray[Any],
    colours: npt.NDArray[Any],
    shape: tuple[int, int],
    stamp: list[tuple[int, int, float]],
    opacity: float,
) -> Floats:
    """(height · width, 4) float image, 0 … 1, of equally opaque points."""
    height, width = shape
    reach = max(dy for dy, _, _ in stamp)
    # The sums are taken once per point on a canvas with a margin, then spread over the disc.
    wide, high = width + 2 * reach, height + 2 * reach
    x = np.floor(pixels[:, 0]).astype(np.intp) + reach
    y = np.floor(pixels[:, 1]).astype(np.intp) + reach
    place = y * wide + x
    if reach == 0:
        sums = _sums(place, colours, np.ones(len(place), dtype=np.float32), high * wide)
    elif len(place) * 2 < height * width:
        sums = np.zeros((4, high * wide), dtype=np.float32)
        spread = np.array([dy * wide + dx for dy, dx, _ in stamp])
        cover = np.array([coverage for _, _, coverage in stamp], dtype=np.float32)
        where, which = np.unique(place, return_inverse=True)
        merged = _sums(which, colours, np.ones(len(place), dtype=np.float32), len(where))
        for shift, coverage in zip(spread, cover, strict=True):
            target = where + shift
            inside = (target >= 0) & (target < high * wide)
            # `where` holds each place once, so plain indexing adds each value once.
            sums[:, target[inside]] += merged[:, inside] * coverage
    else:
        merged = _sums(place, colours, np.ones(len(place), dtype=np.float32), high * wide)
        canvas, spread_out = merged.reshape(4, high, wide), np.zeros((4, high, wide), dtype=np.float32)
        for dy, dx, coverage in stamp:
            to_y, from_y = _shifted(dy, high)
            to_x, from_x = _shifted(dx, wide)
            spread_out[:, to_y, to_x] += canvas[:, from_y, from_x] * np.float32(coverage)
        sums = spread_out.reshape(4, -1)
    cut = sums.reshape(4, high, wide)[:, reach : high - reach, reach : wide - reach].reshape(4, -1)
    image = np.zeros((height * width, 4), dtype=np.float32)
    covered = np.flatnonzero(cut[3])
    weight = cut[3, covered]
    image[covered, :3] = (cut[:3, covered] / weight / 255).T
    image[covered, 3] = -np.expm1(weight * np.float32(math.log1p(-min(opacity, 0.9999))))
    return image


def _sums(
    place: npt.NDArray[np.intp], colours: npt.NDArray[Any], weights: Floats, size: int
) -> npt.NDArray[np.float32]:
    sums = np.empty((4, size), dtype=np.float32)
    for channel in range(3):
        sums[channel] = np.bincount(place, weights=colours[:, channel] * weights, minlength=size)
    sums[3] = np.bincount(place, weights=weights, minlength=size)
    return sums


def _shifted(offset: int, size: int) -> tuple[slice, slice]:
    if offset >= 0:
        return slice(offset, size), slice(0, size - offset)
    return slice(0, size + offset), slice(-offset, size)


def _fill_rows(
    rows: npt.NDArray[np.int32],
    pixels: npt.NDArray[Any],
    members: npt.NDArray[np.intp],
    shape: tuple[int, int],
    stamp: list[tuple[int, int, float]],
) -> None:
    """Write the row of the nearest point into each covered pixel: rims first, middles last."""
    height, width = shape
    x = np.floor(pixels[:, 0]).astype(np.intp)
    y = np.floor(pixels[:, 1]).astype(np.intp)
    for dy, dx, _ in stamp:
        inside = (x + dx >= 0) & (x + dx < width) & (y + dy >= 0) & (y + dy < height)
        rows[(y[inside] + dy) * width + x[inside] + dx] = members[inside]


def _over(front: Floats, back: Floats) -> Floats:
    """Porter–Duff "over" of two images that are not premultiplied."""
    front_alpha = front[:, 3:]
    back_alpha = back[:, 3:] * (1 - front_alpha)
    alpha = front_alpha + back_alpha
    colour = (front[:, :3] * front_alpha + back[:, :3] * back_alpha) / np.where(alpha > 0, alpha, 1)
    return np.concatenate([colour, alpha], axis=1)


def _to_bytes(image: Floats) -> Bytes:
    return np.rint(image * 255).astype(np.uint8)
