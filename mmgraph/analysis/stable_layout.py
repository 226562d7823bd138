"""Layouts of the vectors of a run, step after step, in which what has not changed does not move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from mmgraph.analysis.neighbours import NeighbourIndex
from mmgraph.analysis.projection import finite_rows
from mmgraph.analysis.tsne import tsne_layout
from mmgraph.analysis.umap import umap_layout
from mmgraph.errors import InputError

Floats = npt.NDArray[np.float64]
LayoutMethod = Literal["t-SNE", "UMAP"]

MOST_LAID_OUT = 10_000
"""More vectors than this are placed among their nearest neighbours that were laid out."""
_FRESH = {"t-SNE": 750, "UMAP": 300}
_WARM = {"t-SNE": 150, "UMAP": 100}
_BESIDE = 3


@dataclass(frozen=True, eq=False)
class LayoutProgress:
    """A layout on its way.

    Args:
        places: NaN for vectors that are not finite.
        laid_out: how many were laid out; the others were placed among their neighbours.

    Shapes:
        places (n, dimensions).
    """

    places: Floats
    iteration: int
    iterations: int
    laid_out: int


def stable_layout(
    vectors: npt.NDArray[Any],
    method: LayoutMethod,
    *,
    dimensions: int = 2,
    earlier_vectors: npt.NDArray[Any] | None = None,
    earlier_places: npt.NDArray[Any] | None = None,
    seed: int = 0,
) -> Iterator[LayoutProgress]:
    """t-SNE or UMAP of one step that goes on from the layout of another.

    Vectors that are equal to their earlier ones, bit by bit, keep their place; the others start from their
    earlier place, or beside their nearest neighbours that had one, and move in a fifth of the iterations of a fresh
    layout. Where all have changed, the layout is turned and moved (never scaled) to lie close to the earlier one.
    Equal arguments give bit-identical layouts.

    Args:
        earlier_vectors: of the same items at the other step; NaN where there were none.
        earlier_places: their places; NaN where there were none.

    Shapes:
        vectors and earlier_vectors (n, features), earlier_places (n, dimensions).

    Raises:
        InputError: no such method, or shapes that do not fit.
    """
    if method not in get_args(LayoutMethod):
        raise InputError(f"A layout is made by {' or '.join(get_args(LayoutMethod))}, not '{method}'.")
    vectors = np.asarray(vectors)
    finite = np.flatnonzero(finite_rows(vectors))
    whole = np.full((len(vectors), dimensions), np.nan)
    if len(finite) < 3:
        whole[finite] = np.eye(3, dimensions)[: len(finite)]
        yield LayoutProgress(whole, 1, 1, len(finite))
        return
    kept = finite
    if len(finite) > MOST_LAID_OUT:
        kept = np.sort(np.random.default_rng(seed).choice(finite, MOST_LAID_OUT, replace=False))
    initial, pinned, known = None, np.zeros(len(kept), dtype=bool), np.zeros(len(kept), dtype=bool)
    if earlier_places is not None and earlier_vectors is not None:
        if earlier_places.shape != (len(vectors), dimensions) or earlier_vectors.shape[:1] != (len(vectors),):
            raise InputError(
                f"Earlier places and vectors belong to {len(vectors)} items, not to shapes {earlier_places.shape} "
                f"and {earlier_vectors.shape}."
            )
        known = finite_rows(earlier_places[kept])
        if earlier_vectors.shape[1] == vectors.shape[1]:
            pinned = known & (earlier_vectors[kept] == vectors[kept]).all(axis=1)
        if known.any():
            initial = earlier_places[kept].astype(np.float64)
            initial[~known] = _beside(vectors[kept[known]], initial[known], vectors[kept[~known]])
    if initial is not None and pinned.all():
        steps: Iterator[Floats] = iter([initial])
        iterations = 1
    else:
        iterations = (_FRESH if initial is None else _WARM)[method]
        given: dict[str, Any] = {"dimensions": dimensions, "iterations": iterations, "initial": initial}
        given["pinned"] = pinned if pinned.any() else None
        some = vectors[kept].astype(np.float64)
        steps = tsne_layout(some, **given) if method == "t-SNE" else umap_layout(some, **given, seed=seed)
    others = np.setdiff1d(finite, kept, assume_unique=True)
    for iteration, places in enumerate(steps, 1):
        if initial is not None and not pinned.any():
            places = _turned_to(initial, places, known)
        whole = np.full((len(vectors), dimensions), np.nan)
        whole[kept] = places
        if len(others) and iteration == iterations:
            whole[others] = _beside(vectors[kept], places, vectors[others])
        yield LayoutProgress(whole, iteration, iterations, len(kept))


def _beside(vectors: npt.NDArray[Any], places: Floats, queries: npt.NDArray[Any]) -> Floats:
    """The mean place of the nearest vectors of each query, the nearer the more."""
    if not len(queries):
        return np.zeros((0, places.shape[1]))
    found = NeighbourIndex(vectors).search(queries, min(_BESIDE, len(vectors)))
    weights = 1 / np.maximum(found.distances, 1e-9 + 1e-3 * found.distances.mean())
    mean: Floats = (places[found.indices] * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1)[:, None]
    return mean


def _turned_to(earlier: Floats, places: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Turned, mirrored and moved to lie as close as it can (Schönemann 1966)."""
    one, other = places[known], earlier[known]
    u, _, vt = np.linalg.svd((one - one.mean(axis=0)).T @ (other - other.mean(axis=0)))
    turned: Floats = (places - one.mean(axis=0)) @ (u @ vt) + other.mean(axis=0)
    return turned
