"""Any number of straight lines as one image: the edges of a graph."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

_CHUNK_SAMPLES = 1 << 19


def raster_edges(
    pixels: npt.NDArray[Any],
    edge_index: npt.NDArray[Any],
    shape: tuple[int, int],
    *,
    weights: npt.NDArray[Any] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Floats | None:
    """How much line covers each pixel: anti-aliased straight lines, one pixel wide, added up.

    Along its longer direction a line of weight w has one sample per pixel; each sample is shared by the
    two pixels beside the line in proportion to nearness, so that it adds w in all. Where lines cross, they add.

    Args:
        pixels: position of each node; (0.5, 0.5) is the middle of the top left pixel.
        edge_index: the two ends of each edge. Edges from a node to itself or to a point that is not
            finite are left out; the part of an edge outside the image is cut off.
        shape: height and width of the image.
        weights: strength of each edge, 1 by default.
        cancelled: asked now and then; once it says True the function returns None.

    Shapes:
        pixels (nodes, 2), edge_index (2, edges), weights (edges,) -> (height, width) float32.

    Raises:
        InputError: the shapes do not fit or an edge names a node that is not there.

    Source:
        Wu, An efficient antialiasing technique, 1991. Differs: intensities are summed, not painted.
    """
    pixels, edge_index = np.asarray(pixels, dtype=np.float64), np.asarray(edge_index)
    if pixels.ndim != 2 or pixels.shape[1] != 2 or edge_index.ndim != 2 or len(edge_index) != 2:
        raise InputError(
            f"Edges need (nodes, 2) positions and a (2, edges) index, not {pixels.shape} and {edge_index.shape}."
        )
    if edge_index.size and not (edge_index.min() >= 0 and edge_index.max() < len(pixels)):
        raise InputError(
            f"Edges join nodes 0 to {len(pixels) - 1}; these name {edge_index.min()} to {edge_index.max()}."
        )
    edges = edge_index.shape[1]
    strength = np.ones(edges, dtype=np.float32) if weights is None else np.asarray(weights, dtype=np.float32)
    if strength.shape != (edges,):
        raise InputError(f"{edges} edges need as many weights, not shape {strength.shape}.")
    height, width = shape
    # A margin of one pixel before and two after takes the shares that fall outside, and is cut off at the end.
    total = np.zeros((height + 3) * (width + 3))
    start = pixels[edge_index[0]] + 1
    end = pixels[edge_index[1]] + 1
    start, end, kept = _clip(start, end, width + 2.0, height + 2.0)
    strength = strength[kept]
    steep = np.abs(end[:, 1] - start[:, 1]) > np.abs(end[:, 0] - start[:, 0])
    for is_steep, stride_along, stride_across, limit in (
        (False, 1, width + 3, height),
        (True, width + 3, 1, width),
    ):
        of_kind = steep == is_steep
        along, across = (1, 0) if is_steep else (0, 1)
        done = _add_lines(
            total,
            start[of_kind][:, (along, across)],
            end[of_kind][:, (along, across)],
            strength[of_kind],
            (stride_along, stride_across, limit),
            cancelled,
        )
        if not done:
            return None
    return total.reshape(height + 3, width + 3)[1:-2, 1:-2].astype(np.float32)


def tint(coverage: npt.NDArray[Any], colour: tuple[int, int, int], opacity: float = 0.5) -> Bytes:
    """Coverage as an image of one colour: alpha = 1 − (1 − opacity)^coverage.

    Shapes:
        coverage (height, width) -> (height, width, 4) uint8, not premultiplied.
    """
    image = np.empty((*coverage.shape, 4), dtype=np.uint8)
    image[..., :3] = colour
    alpha = -np.expm1(coverage.astype(np.float32) * np.float32(math.log1p(-min(opacity, 0.9999))))
    image[..., 3] = np.rint(alpha * 255)
    return image


def _clip(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], width: float, height: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """The parts of lines inside the rectangle, and the numbers of the lines that have one (Liang and Barsky 1984)."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        delta = end - start
        kept = np.isfinite(delta).all(axis=1) & (delta != 0).any(axis=1)
        first, last = np.zeros(len(start)), np.ones(len(start))
        for axis, size in ((0, width), (1, height)):
            low, high = -start[:, axis] / delta[:, axis], (size - start[:, axis]) / delta[:, axis]
            flat = delta[:, axis] == 0
            inside = (start[:, axis] >= 0) & (start[:, axis] <= size)
            first = np.where(flat, first, np.maximum(first, np.minimum(low, high)))
            last = np.where(flat, last, np.minimum(last, np.maximum(low, high)))
            kept &= ~flat | inside
        kept &= first <= last
    numbers = np.flatnonzero(kept)
    start, delta = start[numbers], delta[numbers]
    return start + delta * first[numbers, None], start + delta * last[numbers, None], numbers


def _add_lines(
    total: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    strength: Floats,
    geometry: tuple[int, int, int],
    cancelled: Callable[[], bool] | None,
) -> bool:
    """Add lines given as (along, across) the longer direction; False when cancelled."""
    stride_along, stride_across, limit = geometry
    backwards = start[:, 0] > end[:, 0]
    start, end = np.where(backwards[:, None], end, start), np.where(backwards[:, None], start, end)
    # Samples lie at pixel middles between the ends, half open, so that chained lines do not count twice.
    first = np.ceil(start[:, 0] - 0.5).astype(np.int64)
    lengths = np.ceil(end[:, 0] - 0.5).astype(np.int64) - first
    run = end[:, 0] - start[:, 0]
    slope = (end[:, 1] - start[:, 1]) / np.where(run > 0, run, 1)
    level = start[:, 1] + (first + 0.5 - start[:, 0]) * slope - 0.5
    ends = np.cumsum(lengths)
    begin = 0
    while begin < len(lengths):
        if cancelled is not None and cancelled():
            return False
        before = int(ends[begin - 1]) if begin else 0
        stop = max(int(np.searchsorted(ends, before + _CHUNK_SAMPLES, side="right")), begin + 1)
        part = slice(begin, stop)
        count = lengths[part]
        step = np.arange(int(count.sum()), dtype=np.int32)
        step -= np.repeat((ends[part] - count - before).astype(np.int32), count)
        across = np.repeat(level[part].astype(np.float32), count)
        across += np.repeat(slope[part].astype(np.float32), count) * step
        np.clip(across, 0, limit + 1.5, out=across)
        whole = across.astype(np.int32)
        across -= whole
        place = whole * stride_across
        place += np.repeat((first[part] * stride_along).astype(np.int32), count)
        place += step * np.int32(stride_along)
        weight = np.repeat(strength[part], count)
        nearer = weight * across
        total += np.bincount(place, weights=weight - nearer, minlength=len(total))
        total += np.bincount(place + stride_across, weights=nearer, minlength=len(total))
        begin = stop
    return True
