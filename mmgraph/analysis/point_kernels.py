"""Loops over points, compiled: sorting into cells, searching, drawing. Imported only where they run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.compiled import inlined, kernel

_TABLE = 1024
_DIRECT_PIXELS = 4_000_000

Places = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int32]


@kernel
def extent(positions: Places) -> tuple[float, float, float, float, int]:
    """Smallest x and y, largest x and y, and number of the finite points."""
    left, bottom, right, top = np.inf, np.inf, -np.inf, -np.inf
    finite = 0
    for i in range(len(positions)):
        x, y = float(positions[i, 0]), float(positions[i, 1])
        if math.isfinite(x) and math.isfinite(y):
            finite += 1
            left, right = min(left, x), max(right, x)
            bottom, top = min(bottom, y), max(top, y)
    return left, bottom, right, top, finite


@kernel
def sort_into_cells(
    positions: Places, finite: int, left: float, bottom: float, step: float, cells: int
) -> tuple[Places, Ints, Ints]:
    """Finite points in the order of their cells, their numbers, and where each cell begins. Stable."""
    starts = np.zeros(cells * cells + 2, dtype=np.int32)
    cell_of = np.empty(len(positions), dtype=np.int32)
    inverse = 1 / step
    for i in range(len(positions)):
        x, y = float(positions[i, 0]), float(positions[i, 1])
        cell_of[i] = -1
        if math.isfinite(x) and math.isfinite(y):
            column = int(min((x - left) * inverse, cells - 1.0))
            row = int(min((y - bottom) * inverse, cells - 1.0))
            cell_of[i] = row * cells + column
            starts[cell_of[i] + 2] += 1
    for cell in range(2, len(starts)):
        starts[cell] += starts[cell - 1]
    places = np.empty((finite, 2), dtype=positions.dtype)
    order = np.empty(finite, dtype=np.int32)
    for i in range(len(positions)):
        cell = cell_of[i]
        if cell >= 0:
            at = starts[cell + 1]
            starts[cell + 1] += 1
            places[at, 0], places[at, 1] = positions[i, 0], positions[i, 1]
            order[at] = i
    return places, order, starts[:-1]


@kernel
def nearest(
    places: Places,
    order: Ints,
    starts: Ints,
    left: float,
    bottom: float,
    step: float,
    cells: int,
    x: float,
    y: float,
    reach: float,
) -> int:
    """Number of the nearest point at most `reach` away, −1 for none."""
    # Compared as floats first: far outside the grid the whole numbers would overflow.
    first = int(min(max((x - reach - left) / step, 0.0), cells - 1.0))
    last = int(min(max((x + reach - left) / step, 0.0), cells - 1.0))
    low = int(min(max((y - reach - bottom) / step, 0.0), cells - 1.0))
    high = int(min(max((y + reach - bottom) / step, 0.0), cells - 1.0))
    best, found = reach * reach, -1
    for row in range(low, high + 1):
        for at in range(starts[row * cells + first], starts[row * cells + last + 1]):
            dx, dy = places[at, 0] - x, places[at, 1] - y
            far = dx * dx + dy * dy
            if far < best or (far == best and (found < 0 or order[at] < found)):
                best, found = far, order[at]
    return found


@kernel
def inside_polygon(
    points: Places,
    edges: npt.NDArray[np.float64],
    starts: npt.NDArray[np.int64],
    slabs: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Even-odd rule; `edges` (x, y, x, y) of each slab of y begin at `starts`, slabs are bottom, top and step."""
    inside = np.zeros(len(points), dtype=np.bool_)
    bottom, top, step = slabs
    for i in range(len(points)):
        x, y = float(points[i, 0]), float(points[i, 1])
        if not (y >= bottom and y <= top and math.isfinite(x)):
            continue
        slab = min(int((y - bottom) / step), len(starts) - 2)
        odd = False
        for at in range(starts[slab], starts[slab + 1]):
            x0, y0, x1, y1 = edges[at]
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * ((x1 - x0) / (y1 - y0)):
                odd = not odd
        inside[i] = odd
    return inside


@inlined
def _cells_between(
    first: float, end: float, scale: float, shift: float, origin: float, step: float, cells: int
) -> tuple[int, int]:
    """First and last column of cells that pixels from `first` to `end` show; the axis may point either way."""
    one, other = (first - shift) / scale, (end - shift) / scale
    low, high = (min(one, other) - origin) / step - 1e-3, (max(one, other) - origin) / step + 1e-3
    return int(min(max(low, 0.0), cells - 1.0)), int(min(max(high, 0.0), cells - 1.0))


@inlined
def _add_disc(
    spread: npt.NDArray[np.float32], y: int, x: int, colour: int, stamp: npt.NDArray[np.float32]
) -> None:
    """Red, green, blue and weight of one point to the pixels of its disc."""
    red, green = np.float32((colour >> 16) & 0xFF), np.float32((colour >> 8) & 0xFF)
    blue = np.float32(colour & 0xFF)
    for k in range(len(stamp)):
        to_y, to_x, cover = y + int(stamp[k, 0]), x + int(stamp[k, 1]), stamp[k, 2]
        if to_y >= 0 and to_x >= 0 and to_y < spread.shape[0] and to_x < spread.shape[1]:
            spread[to_y, to_x, 0] += cover * red
            spread[to_y, to_x, 1] += cover * green
            spread[to_y, to_x, 2] += cover * blue
            spread[to_y, to_x, 3] += cover


@inlined
def _spread_discs(
    sums: npt.NDArray[np.int64], stamp: npt.NDArray[np.float32], spread: npt.NDArray[np.float32]
) -> None:
    """Red, green, blue and weight of each pixel from the points in the pixels whose discs cover it."""
    high, wide = sums.shape[0], sums.shape[1]
    spread[:] = 0
    for y in range(high):
        for x in range(wide):
            count = np.float32(sums[y, x, 1] & 0xFFFFFFFF)
            if count == 0:
                continue
            red, green = np.float32(sums[y, x, 0] >> 32), np.float32(sums[y, x, 0] & 0xFFFFFFFF)
            blue = np.float32(sums[y, x, 1] >> 32)
            for k in range(len(stamp)):
                to_y, to_x, cover = y + int(stamp[k, 0]), x + int(stamp[k, 1]), stamp[k, 2]
                if to_y >= 0 and to_x >= 0 and to_y < high and to_x < wide:
                    spread[to_y, to_x, 0] += cover * red
                    spread[to_y, to_x, 1] += cover * green
                    spread[to_y, to_x, 2] += cover * blue
                    spread[to_y, to_x, 3] += cover * count


@kernel
def raster_band(
    places: Places,
    colours: Ints,
    layer_of: npt.NDArray[np.uint8],
    starts: Ints,
    cells: int,
    grid: tuple[float, float, float],
    affine: tuple[float, float, float, float],
    stamp: npt.NDArray[np.float32],
    fades: npt.NDArray[np.float64],
    image: npt.NDArray[np.uint32],
    first_row: int,
) -> None:
    """Draw the points that reach into a band of pixel rows: `image` is that band, which begins at `first_row`.

    Args:
        colours: 0x00rrggbb.
        layer_of: 0 for points below, 1 for those on top; empty where all are below.
        grid: left, bottom and step of the cells.
        affine: pixel = place · (first, second) + (third, fourth).
        stamp: dy, dx and coverage of the pixels of a disc.
        fades: log(1 − opacity) of the points below and of those on top.
    """
    height, width = image.shape
    reach = 0
    for k in range(len(stamp)):
        reach = max(reach, int(stamp[k, 0]))
    wide, high, top = width + 2 * reach, height + 2 * reach, first_row - reach
    west, east = _cells_between(-reach, width + reach, affine[0], affine[2], grid[0], grid[2], cells)
    low, upper = _cells_between(top, top + high, affine[1], affine[3], grid[1], grid[2], cells)
    layers = 2 if len(layer_of) else 1
    near = 0
    for row in range(low, upper + 1):
        near += starts[row * cells + east + 1] - starts[row * cells + west]
    # Few discs are added pixel by pixel; many points are counted by pixel first.
    direct = len(stamp) > 1 and near * len(stamp) < _DIRECT_PIXELS
    sums = np.empty((1, 1, 2) if direct else (high, wide, 2), dtype=np.int64)
    spread = np.empty((high, wide, 4) if len(stamp) > 1 else (1, 1, 4), dtype=np.float32)
    under = np.empty((height, width, 4) if layers == 2 else (1, 1, 4), dtype=np.float32)
    table = np.empty(_TABLE, dtype=np.float32)
    for layer in range(layers):
        if direct:
            spread[:] = 0
        else:
            sums[:] = 0
        for row in range(low, upper + 1):
            for at in range(starts[row * cells + west], starts[row * cells + east + 1]):
                if layers == 2 and layer_of[at] != layer:
                    continue
                x = places[at, 0] * affine[0] + affine[2] + reach
                y = places[at, 1] * affine[1] + affine[3] - top
                if x >= 0 and y >= 0 and x < wide and y < high:
                    if direct:
                        _add_disc(spread, int(y), int(x), colours[at], stamp)
                        continue
                    # Whole numbers, two to a word: sums that do not depend on the order of the points.
                    colour = np.int64(colours[at])
                    sums[int(y), int(x), 0] += ((colour & 0xFF0000) << 16) | ((colour & 0xFF00) >> 8)
                    sums[int(y), int(x), 1] += ((colour & 0xFF) << 32) | 1
        if len(stamp) > 1 and not direct:
            _spread_discs(sums, stamp, spread)
        # Alphas are looked up: an exponential for each pixel takes longer than the points.
        steps = 1 if len(stamp) == 1 else 64
        for step_ in range(_TABLE):
            table[step_] = -math.expm1(step_ / steps * fades[layer])
        for y in range(height):
            for x in range(width):
                if len(stamp) > 1:
                    weight = spread[y + reach, x + reach, 3]
                else:
                    weight = np.float32(sums[y, x, 1] & 0xFFFFFFFF)
                # Most pixels of most pictures are empty.
                if weight == 0 and layer == 0 and layers == 2:
                    under[y, x, 3] = 0
                    continue
                if weight == 0 and (layers == 1 or under[y, x, 3] == 0):
                    image[y, x] = 0
                    continue
                if len(stamp) > 1:
                    red, green = spread[y + reach, x + reach, 0], spread[y + reach, x + reach, 1]
                    blue = spread[y + reach, x + reach, 2]
                else:
                    red, green = np.float32(sums[y, x, 0] >> 32), np.float32(sums[y, x, 0] & 0xFFFFFFFF)
                    blue = np.float32(sums[y, x, 1] >> 32)
                at_step = weight * np.float32(steps)
                if at_step < _TABLE - 1:
                    whole = int(at_step)
                    part = at_step - np.float32(whole)
                    alpha = table[whole] + part * (table[whole + 1] - table[whole])
                else:
                    alpha = np.float32(-math.expm1(weight * fades[layer]))
                # From here on colours are multiplied with alpha.
                share = alpha / weight if weight > 0 else np.float32(0)
                red, green, blue = red * share, green * share, blue * share
                if layers == 2:
                    if layer == 0:
                        under[y, x, 0], under[y, x, 1], under[y, x, 2], under[y, x, 3] = (
                            red,
                            green,
                            blue,
                            alpha,
                        )
                        continue
                    if under[y, x, 3] > 0:
                        left = np.float32(1) - alpha
                        red, green = red + left * under[y, x, 0], green + left * under[y, x, 1]
                        blue, alpha = blue + left * under[y, x, 2], alpha + left * under[y, x, 3]
                half = np.float32(0.5)
                image[y, x] = (
                    (np.int64(alpha * np.float32(255) + half) << 24)
                    | (np.int64(red + half) << 16)
                    | (np.int64(green + half) << 8)
                    | np.int64(blue + half)
                )
