"""UMAP that is drawn while it forms, starts from an earlier layout and leaves alone what has not changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis.layout import spectral_layout
from mmgraph.analysis.neighbours import NeighbourIndex
from mmgraph.analysis.tsne import first_places, symmetric
from mmgraph.errors import InputError

Floats = npt.NDArray[np.float64]

_A, _B = 1.5769, 0.8951
"""1 / (1 + a d^2b) fitted to UMAP's own curve with min_dist = 0.1 and spread = 1."""
_NEGATIVES = 5


def umap_layout(
    vectors: npt.NDArray[Any],
    *,
    dimensions: int = 2,
    neighbours: int = 15,
    iterations: int = 300,
    initial: npt.NDArray[Any] | None = None,
    pinned: npt.NDArray[Any] | None = None,
    seed: int = 0,
) -> Iterator[Floats]:
    """Places in which the fuzzy graph of nearest neighbours is drawn by pulls along edges and random pushes.

    w = exp(−max(0, d − ρᵢ) / σᵢ) to the nearest neighbours, joined by w + wᵀ − w ∘ wᵀ;
    min Σ −w log v − (1 − w) log(1 − v),  v = 1 / (1 + a ‖yᵢ − yⱼ‖^2b), by stochastic steps with 5 negative samples

    Starts from a spectral layout of the graph, or from `initial`, then at a third of the rate. Equal arguments give
    bit-identical layouts. Yields the layout after each epoch; whoever stops iterating has cancelled it.

    Args:
        dimensions: 2 or 3.
        neighbours: of each vector.
        iterations: epochs.
        initial: places to start from.
        pinned: which places must not change, such as those of vectors that have not changed.
        seed: of the start and of negative samples.

    Shapes:
        vectors (n, features), initial (n, dimensions), pinned (n,) bool -> each (n, dimensions).

    Raises:
        InputError: NaN or infinity, fewer than 3 vectors, or shapes that do not fit.

    Source:
        McInnes, Healy and Melville, UMAP: Uniform Manifold Approximation and Projection for dimension reduction, 2018.
    """
    count = len(vectors)
    if count < 3:
        raise InputError(f"UMAP needs at least 3 vectors, not {count}.")
    start = None if initial is None else first_places(vectors, dimensions, initial, spread=1)
    held = np.zeros(count, dtype=bool) if pinned is None else np.asarray(pinned, dtype=bool)
    if held.shape != (count,):
        raise InputError(f"{count} vectors need as many truth values of pinned, not {held.shape}.")
    return _draw(vectors, start, held, dimensions, neighbours, iterations, seed)


def _draw(
    vectors: npt.NDArray[Any],
    places: Floats | None,
    held: npt.NDArray[np.bool_],
    dimensions: int,
    neighbours: int,
    iterations: int,
    seed: int,
) -> Iterator[Floats]:
    from mmgraph.analysis.umap_kernels import fuzzy_weights, umap_epoch

    count = len(vectors)
    found = NeighbourIndex(vectors).search_rows(None, min(neighbours, count - 1))
    starts, others, weights = _union(found.indices, fuzzy_weights(found.distances))
    heads = np.repeat(np.arange(count, dtype=np.int32), np.diff(starts))
    rate = 1.0 if places is None else 0.3
    if places is None:
        upper = heads < others
        edges = np.stack([heads[upper], others[upper]])
        places = 10 * spectral_layout(edges, count, dimensions=dimensions, seed=seed)
        places = places / max(float(np.abs(places).max()) / 10, 1e-12)
    kept = weights >= weights.max(initial=0) / iterations
    heads, others, weights = heads[kept], others[kept], weights[kept]
    every = weights.max(initial=0) / np.maximum(weights, 1e-300)
    due = every.copy()
    state = np.array([seed * 0x9E3779B97F4A7C15 % 2**63 + 1], dtype=np.uint64)
    places = places.copy()
    for epoch in range(iterations):
        alpha = rate * (1 - epoch / iterations)
        umap_epoch(places, held, heads, others, every, due, epoch, alpha, _A, _B, _NEGATIVES, state)
        yield places.copy()


def _union(
    indices: npt.NDArray[np.int64], weights: Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Floats]:
    """w + wᵀ − w ∘ wᵀ as compressed rows: 1 − (1 − w)(1 − wᵀ)."""
    # Sums of logarithms are sums of rows and columns; a weight of 1 is as good as one a little below.
    logs = -np.log1p(-np.minimum(weights, 1 - 1e-12))
    starts, others, sums = symmetric(indices, logs)
    return starts, others, -np.expm1(-sums)
