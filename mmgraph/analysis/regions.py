"""Which points lie inside a drawn outline."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError


def points_in_polygon(points: npt.NDArray[Any], polygon: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which points lie inside a closed polygon, by the even-odd rule.

    A ray from the point to the right crosses the outline an odd number of times. Points that are not
    finite are outside; a polygon of fewer than three corners has no inside.

    Shapes:
        points (n, 2), polygon (corners, 2) -> (n,) bool.

    Raises:
        InputError: the shapes do not fit.

    Source:
        Shimrat, Algorithm 112: position of point relative to polygon, 1962.
    """
    points, polygon = np.asarray(points), np.asarray(polygon, dtype=np.float64)
    if points.dtype not in (np.float32, np.float64):
        points = points.astype(np.float64)
    if points.ndim != 2 or points.shape[1:] != (2,) or polygon.ndim != 2 or polygon.shape[1:] != (2,):
        raise InputError(
            f"Points and polygon have shape (n, 2) and (corners, 2), not {points.shape} and {polygon.shape}."
        )
    if len(polygon) < 3 or not len(points):
        return np.zeros(len(points), dtype=bool)
    from mmgraph.analysis.point_kernels import inside_polygon

    inside: npt.NDArray[np.bool_] = inside_polygon(points, *_slabs(polygon))
    return inside


def _slabs(polygon: npt.NDArray[np.float64]) -> tuple[npt.NDArray[Any], ...]:
    """The edges that reach into each of many slabs of y, so that a point is compared with few of them."""
    edges = np.concatenate([polygon, np.roll(polygon, -1, axis=0)], axis=1)
    edges = edges[(edges[:, 1] != edges[:, 3]) & np.isfinite(edges).all(axis=1)]
    low, high = np.minimum(edges[:, 1], edges[:, 3]), np.maximum(edges[:, 1], edges[:, 3])
    bottom, top = low.min(initial=0.0), high.max(initial=0.0)
    if len(edges):
        bottom, top = low.min(), high.max()
    slabs = min(max(len(edges), 1), 1024)
    step = (top - bottom) / slabs if top > bottom else 1.0
    first = np.clip((low - bottom) / step - 1e-6, 0, slabs - 1).astype(np.int64)
    last = np.clip((high - bottom) / step + 1e-6, 0, slabs - 1).astype(np.int64)
    times = last - first + 1
    which = np.repeat(np.arange(len(edges)), times)
    slab = np.repeat(first - np.cumsum(times) + times, times) + np.arange(len(which))
    order = np.argsort(slab, kind="stable")
    starts = np.searchsorted(slab[order], np.arange(slabs + 1))
    return edges[which[order]], starts, np.array([bottom, top, step])
