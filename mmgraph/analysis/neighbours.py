"""Exact nearest neighbours."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

_CHUNK_VALUES = 4_000_000


def nearest_neighbours(
    points: npt.NDArray[Any],
    k: int,
    *,
    queries: npt.NDArray[Any] | None = None,
    metric: Literal["euclidean", "cosine"] = "euclidean",
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The k nearest points of each query by comparing all pairs, a block of queries at a time.

    euclidean  d(x, y) = ‖x − y‖
    cosine     d(x, y) = 1 − x·y / (‖x‖ ‖y‖), and 1 if either vector is zero

    Equal distances are ordered by row number among those returned. Time n·m·features, memory 32 MB.

    Args:
        points: what is searched.
        k: neighbours per query.
        queries: whose neighbours are wanted; by default the points themselves, each without itself.
        metric: "euclidean" or "cosine".

    Shapes:
        points (n, features), queries (m, features) -> row numbers (m, k), distances (m, k), nearest first.

    Raises:
        InputError: shapes that do not fit, k larger than there are points, NaN or infinity.
    """
    points = _vectors(points, "points")
    itself = queries is None
    queries = points if queries is None else _vectors(queries, "queries")
    if queries.shape[1] != points.shape[1]:
        raise InputError(
            f"Queries and points need as many features, not {queries.shape[1]} and {points.shape[1]}."
        )
    available = len(points) - itself
    if len(queries) and not 0 < k <= available:
        raise InputError(f"k is a number of neighbours from 1 to {max(available, 0)} here, not {k}.")
    if metric not in ("euclidean", "cosine"):
        raise InputError(f"The metric is 'euclidean' or 'cosine', not '{metric}'.")

    # Distances by ‖x‖² − 2xy + ‖y‖² cancel when the points lie far from zero: move them there first.
    centre = points.mean(axis=0) if metric == "euclidean" and len(points) else 0.0
    points, queries = points - centre, queries - centre
    if metric == "cosine":
        points, queries = _unit(points), _unit(queries)
    squares = np.einsum("ij,ij->i", points, points)

    indices = np.empty((len(queries), k), dtype=np.int64)
    distances = np.empty((len(queries), k))
    block = max(1, _CHUNK_VALUES // max(len(points), k * points.shape[1], 1))
    for start in range(0, len(queries), block):
        part = queries[start : start + block]
        products = part @ points.T
        far = -products if metric == "cosine" else squares - 2 * products
        if itself:
            far[np.arange(len(part)), np.arange(start, start + len(part))] = np.inf
        nearest = np.argpartition(far, k - 1, axis=1)[:, :k] if k < len(points) else np.argsort(far, axis=1)
        if metric == "cosine":
            exact = 1 - np.take_along_axis(products, nearest, axis=1)
        else:
            exact = np.sqrt(np.square(part[:, None] - points[nearest]).sum(axis=2))
        order = np.lexsort((nearest, exact), axis=1)
        indices[start : start + block] = np.take_along_axis(nearest, order, axis=1)
        distances[start : start + block] = np.take_along_axis(exact, order, axis=1)
    return indices, np.maximum(distances, 0)


def _vectors(array: npt.NDArray[Any], name: str) -> npt.NDArray[np.float64]:
    array = np.asarray(array)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise InputError(
            f"{name} are numbers of shape (n, features), not {array.dtype} of shape {array.shape}."
        )
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InputError(
            f"{name} hold NaN or infinity, which have no neighbours; leave those rows out first."
        )
    return array


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)
