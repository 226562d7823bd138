"""Straight lines added to an image, compiled. Imported only where it runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.compiled import inlined, kernel


@inlined
def _inside(start: float, delta: float, size: float) -> tuple[float, float]:
    """Which part of a line, from 0 to 1, lies between 0 and `size` (Liang and Barsky 1984); empty if first > last."""
    if delta == 0:
        return (0.0, 1.0) if 0 <= start <= size else (1.0, 0.0)
    one, other = -start / delta, (size - start) / delta
    return min(one, other), max(one, other)


@kernel
def add_lines(
    total: npt.NDArray[np.float32],
    pixels: npt.NDArray[np.float64],
    edges: npt.NDArray[Any],
    weights: npt.NDArray[np.float32],
    first_edge: int,
    end_edge: int,
) -> None:
    """Add some of the lines to `total`, an image with a margin of one pixel before and two after."""
    high, wide = total.shape[0] - 1.0, total.shape[1] - 1.0
    for edge in range(first_edge, end_edge):
        source, target = edges[0, edge], edges[1, edge]
        x0, y0 = pixels[source, 0] + 1, pixels[source, 1] + 1
        dx, dy = pixels[target, 0] + 1 - x0, pixels[target, 1] + 1 - y0
        if not math.isfinite(dx + dy) or (dx == 0 and dy == 0):
            continue
        left, right = _inside(x0, dx, wide)
        low, high_part = _inside(y0, dy, high)
        begin, end = max(max(left, low), 0.0), min(min(right, high_part), 1.0)
        if begin > end:
            continue
        x1, y1 = x0 + dx * end, y0 + dy * end
        x0, y0 = x0 + dx * begin, y0 + dy * begin
        weight = weights[edge]
        # Samples lie at pixel middles between the ends, half open, so that chained lines do not count twice.
        if abs(y1 - y0) > abs(x1 - x0):
            if y0 > y1:
                x0, y0, x1, y1 = x1, y1, x0, y0
            slope = (x1 - x0) / (y1 - y0)
            row = math.ceil(y0 - 0.5)
            across = x0 + (row + 0.5 - y0) * slope - 0.5
            for y in range(row, math.ceil(y1 - 0.5)):
                level = min(max(across, 0.0), total.shape[1] - 1.5)
                whole = int(level)
                nearer = np.float32(level - whole) * weight
                total[y, whole] += weight - nearer
                total[y, whole + 1] += nearer
                across += slope
        else:
            if x0 > x1:
                x0, y0, x1, y1 = x1, y1, x0, y0
            slope = (y1 - y0) / (x1 - x0)
            column = math.ceil(x0 - 0.5)
            across = y0 + (column + 0.5 - x0) * slope - 0.5
            for x in range(column, math.ceil(x1 - 0.5)):
                level = min(max(across, 0.0), total.shape[0] - 1.5)
                whole = int(level)
                nearer = np.float32(level - whole) * weight
                total[whole, x] += weight - nearer
                total[whole + 1, x] += nearer
                across += slope


@kernel
def tint_pixels(
    coverage: npt.NDArray[np.float32],
    red: int,
    green: int,
    blue: int,
    fade: float,
    image: npt.NDArray[np.uint32],
) -> None:
    """alpha = 1 − exp(fade · coverage), looked up between multiples of 1/16; colours multiplied with it."""
    table = np.empty(1024, dtype=np.float32)
    for step in range(1024):
        table[step] = -math.expm1(step / 16 * fade)
    for y in range(coverage.shape[0]):
        for x in range(coverage.shape[1]):
            at = coverage[y, x] * np.float32(16)
            if at <= 0:
                image[y, x] = 0
                continue
            if at < 1023:
                whole = int(at)
                alpha = table[whole] + (at - np.float32(whole)) * (table[whole + 1] - table[whole])
            else:
                alpha = np.float32(-math.expm1(coverage[y, x] * fade))
            image[y, x] = (
                (np.int64(alpha * 255 + 0.5) << 24)
                | (np.int64(alpha * red + 0.5) << 16)
                | (np.int64(alpha * green + 0.5) << 8)
                | np.int64(alpha * blue + 0.5)
            )
