"""Nearest neighbours: exact by comparing all pairs, or of large sets by a graph of neighbours (FAISS)."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError, MissingDependencyError, UnknownNameError

NeighbourMetric = Literal["euclidean", "cosine"]
NeighbourBackend = Literal["exact", "faiss"]

_CHUNK_VALUES = 4_000_000
_LINKS = 32
_BREADTH = 128
"""Links of each point in the graph of FAISS, and how many candidates a search keeps at least."""


class Neighbours(NamedTuple):
    """What a search found, nearest first.

    Shapes:
        distances (m, k) float64, indices (m, k) int64 row numbers.
    """

    distances: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int64]


class NeighbourIndex:
    """Vectors to be searched for the nearest, prepared once.

    euclidean  d(x, y) = ‖x − y‖
    cosine     d(x, y) = 1 − x·y / (‖x‖ ‖y‖), and 1 if either vector is zero

        index = NeighbourIndex(vectors, metric="cosine")
        distances, indices = index.search(queries, k=10)
        distances, indices = index.search_rows([17], k=10)     # of a vector of its own, without itself

    Exact: all pairs are compared, a block of queries at a time, in double precision; time n·m·features, memory 32 MB
    on top of one copy of the vectors. With FAISS (`pip install mmgraph[search]`) a search follows a graph of
    neighbours, in time that hardly grows with n, and may miss some; the distances of what it finds are exact. Equal
    distances are ordered by row number among those returned.

    Args:
        vectors: what is searched; copied.
        metric: "euclidean" or "cosine".
        backend: "exact" or "faiss".

    Shapes:
        vectors (n, features).

    Raises:
        InputError: no vectors, NaN or infinity, or no such metric.
        UnknownNameError: there is no such backend.
        MissingDependencyError: FAISS is not installed.

    Source: faiss: Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical
        navigable small world graphs", 2018.
    """

    def __init__(
        self,
        vectors: npt.NDArray[Any],
        *,
        metric: NeighbourMetric = "euclidean",
        backend: NeighbourBackend = "exact",
    ) -> None:
        if metric not in get_args(NeighbourMetric):
            raise InputError(f"The metric is 'euclidean' or 'cosine', not '{metric}'.")
        if backend not in get_args(NeighbourBackend):
            raise UnknownNameError.of("backend of neighbours", backend, get_args(NeighbourBackend))
        points = _vectors(vectors, "points")
        self.metric, self.backend = metric, backend
        # Distances by ‖x‖² − 2xy + ‖y‖² cancel when the points lie far from zero: move them there first.
        self._centre: npt.NDArray[np.float64] = np.zeros(points.shape[1])
        if metric == "euclidean" and len(points):
            self._centre = points.mean(axis=0)
        self._points: npt.NDArray[np.float64] = self._prepared(points)
        self._squares = np.einsum("ij,ij->i", self._points, self._points)
        self._graph = _faiss_graph(self._points, metric) if backend == "faiss" else None

    def __len__(self) -> int:
        return len(self._points)

    @property
    def features(self) -> int:
        """Numbers of a vector."""
        return int(self._points.shape[1])

    def search(self, queries: npt.NDArray[Any], k: int) -> Neighbours:
        """The k nearest vectors of each query.

        Shapes:
            queries (m, features): distances and indices (m, k).

        Raises:
            InputError: shapes that do not fit, k larger than there are vectors, NaN or infinity.
        """
        queries = _vectors(queries, "queries")
        if queries.shape[1] != self.features:
            raise InputError(
                f"Queries and points need as many features, not {queries.shape[1]} and {self.features}."
            )
        return self._search(self._prepared(queries), k, None)

    def search_rows(self, rows: npt.ArrayLike | None, k: int) -> Neighbours:
        """The k nearest vectors of some of the vectors themselves, each without itself.

        Args:
            rows: whose neighbours are wanted; None for all.
            k: neighbours of each.

        Shapes:
            rows (m,): distances and indices (m, k).

        Raises:
            InputError: rows that are not there, or k larger than there are other vectors.
        """
        own = np.arange(len(self)) if rows is None else np.asarray(rows)
        if own.ndim != 1 or (own.size and own.dtype.kind not in "iu"):
            raise InputError(f"Rows are a list of whole numbers, not {own.dtype} of shape {own.shape}.")
        if own.size and not 0 <= int(own.min()) <= int(own.max()) < len(self):
            raise InputError(f"Rows go from 0 to {len(self) - 1}, not from {own.min()} to {own.max()}.")
        own = own.astype(np.int64)
        return self._search(self._points if rows is None else self._points[own], k, own)

    def _search(
        self, queries: npt.NDArray[np.float64], k: int, own: npt.NDArray[np.int64] | None
    ) -> Neighbours:
        available = len(self) - (own is not None)
        if len(queries) and not 0 < k <= available:
            raise InputError(f"k is a number of neighbours from 1 to {max(available, 0)} here, not {k}.")
        indices = np.empty((len(queries), k), dtype=np.int64)
        distances = np.empty((len(queries), k))
        block = max(1, _CHUNK_VALUES // max(len(self), k * self.features, 1))
        for start in range(0, len(queries), block):
            part = slice(start, start + block)
            mine = None if own is None else own[part]
            nearest = self._candidates(queries[part], k, mine)
            exact = self._distances(queries[part], nearest)
            order = np.lexsort((nearest, exact), axis=1)
            indices[part] = np.take_along_axis(nearest, order, axis=1)
            distances[part] = np.take_along_axis(exact, order, axis=1)
        return Neighbours(distances, indices)

    def _candidates(
        self, queries: npt.NDArray[np.float64], k: int, own: npt.NDArray[np.int64] | None
    ) -> npt.NDArray[np.int64]:
        """The k nearest of each query, in any order."""
        if self._graph is None:
            return self._compared(queries, k, own)
        wanted = k if own is None else k + 1
        self._graph.hnsw.efSearch = max(_BREADTH, 2 * wanted)
        found: npt.NDArray[np.int64] = self._graph.search(queries.astype(np.float32), wanted)[1]
        if own is not None:
            # A query that did not find itself drops its farthest; sorting False before True keeps the others' order.
            itself = found == own[:, None]
            itself[:, -1] |= ~itself.any(axis=1)
            found = np.take_along_axis(found, np.argsort(itself, axis=1, kind="stable"), axis=1)[:, :k]
        lost = (found < 0).any(axis=1)
        if lost.any():
            found[lost] = self._compared(queries[lost], k, None if own is None else own[lost])
        return found

    def _compared(
        self, queries: npt.NDArray[np.float64], k: int, own: npt.NDArray[np.int64] | None
    ) -> npt.NDArray[np.int64]:
        far: npt.NDArray[np.float64] = queries @ self._points.T
        far *= -1 if self.metric == "cosine" else -2
        if self.metric == "euclidean":
            far += self._squares
        if own is not None:
            far[np.arange(len(queries)), own] = np.inf
        nearest: npt.NDArray[np.int64] = (
            np.argpartition(far, k - 1, axis=1)[:, :k] if k < len(self) else np.argsort(far, axis=1)
        )
        return nearest

    def _distances(
        self, queries: npt.NDArray[np.float64], nearest: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        found = self._points[nearest]
        if self.metric == "cosine":
            away: npt.NDArray[np.float64] = 1 - np.einsum("mf,mkf->mk", queries, found)
            return away.clip(min=0)
        length: npt.NDArray[np.float64] = np.linalg.norm(queries[:, None] - found, axis=2)
        return length

    def _prepared(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        vectors = vectors - self._centre
        return _unit(vectors) if self.metric == "cosine" else vectors


def nearest_neighbours(
    points: npt.NDArray[Any],
    k: int,
    *,
    queries: npt.NDArray[Any] | None = None,
    metric: NeighbourMetric = "euclidean",
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The k nearest points of each query, once; see `NeighbourIndex` for several searches.

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
    index = NeighbourIndex(points, metric=metric)
    distances, indices = index.search_rows(None, k) if queries is None else index.search(queries, k)
    return indices, distances


def _faiss_graph(points: npt.NDArray[np.float64], metric: NeighbourMetric) -> Any:
    try:
        import faiss
    except ImportError as error:
        raise MissingDependencyError(
            "The search backend 'faiss' needs FAISS: pip install 'mmgraph[search]', or take the backend 'exact'."
        ) from error
    kind = faiss.METRIC_INNER_PRODUCT if metric == "cosine" else faiss.METRIC_L2
    graph = faiss.IndexHNSWFlat(points.shape[1], _LINKS, kind)
    graph.add(points.astype(np.float32))
    return graph


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
