"""The items most like one item, by their vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis.neighbours import NeighbourIndex, NeighbourMetric, Neighbours
from mmgraph.errors import InputError


def similar_items(
    vectors: npt.NDArray[Any],
    item: int,
    k: int,
    *,
    rows: npt.NDArray[Any] | None = None,
    metric: NeighbourMetric = "euclidean",
) -> Neighbours:
    """The nearest neighbours of one item in the original space, exactly; fewer than k where there are no more.

    Vectors with NaN or infinity have no neighbours and are nobody's: they are left out.

    Args:
        item: row of the item set.
        rows: row of the item set of each vector, where not all have one.

    Shapes:
        vectors (n, features), rows (n,): distances and rows of the item set, (k,), nearest first.

    Raises:
        InputError: the item has no vector, or one with NaN; k below 1; shapes that do not fit.
    """
    rows = np.arange(len(vectors)) if rows is None else np.asarray(rows)
    if vectors.ndim != 2 or rows.shape != (len(vectors),):
        raise InputError(
            f"Expected vectors of shape (n, features) and a row number of each, but got shapes {vectors.shape} "
            f"and {rows.shape}."
        )
    if k < 1:
        raise InputError(f"Expected a number of neighbours of at least 1, but got {k}.")
    places = np.flatnonzero(rows == item)
    if not len(places):
        raise InputError(f"Item {item} has no vector here; there are vectors of {len(rows):,} items.")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite[places[0]]:
        raise InputError(f"The vector of item {item} holds NaN or infinity, so nothing is near it.")
    kept = np.flatnonzero(finite)
    if len(kept) == 1:
        return Neighbours(np.zeros(0), np.zeros(0, dtype=np.int64))
    index = NeighbourIndex(vectors[kept], metric=metric)
    found = index.search_rows(np.searchsorted(kept, places[:1]), min(k, len(kept) - 1))
    return Neighbours(found.distances[0], rows[kept[found.indices[0]]].astype(np.int64))
