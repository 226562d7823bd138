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
    points, polygon = np.asarray(points, dtype=np.float64), np.asarray(polygon, dtype=np.float64)
    if points.ndim != 2 or points.shape[1:] != (2,) or polygon.ndim != 2 or polygon.shape[1:] != (2,):
        raise InputError(
            f"Points and polygon have shape (n, 2) and (corners, 2), not {points.shape} and {polygon.shape}."
        )
    inside = np.zeros(len(points), dtype=bool)
    if len(polygon) < 3:
        return inside
    with np.errstate(invalid="ignore"):
        near = ((points >= polygon.min(axis=0)) & (points <= polygon.max(axis=0))).all(axis=1)
    x, y = points[near].T
    odd = np.zeros(len(x), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            odd ^= crosses & (x < x0 + (y - y0) * ((x1 - x0) / (y1 - y0)))
    inside[near] = odd
    return inside
