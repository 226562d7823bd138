"""t-SNE that is drawn while it forms, starts from an earlier layout and leaves alone what has not changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis.neighbours import NeighbourIndex
from mmgraph.analysis.projection import Projection
from mmgraph.errors import InputError

Floats = npt.NDArray[np.float64]

EXAGGERATED, EXAGGERATION = 250, 12.0
_THETA = 0.6
_STEP_LIMIT = 5.0


def tsne_layout(
    vectors: npt.NDArray[Any],
    *,
    dimensions: int = 2,
    perplexity: float = 30.0,
    iterations: int = 750,
    initial: npt.NDArray[Any] | None = None,
    pinned: npt.NDArray[Any] | None = None,
) -> Iterator[Floats]:
    """Places in which near neighbours in the space of the vectors are near neighbours.

    min KL(P ‖ Q),  p symmetric Gaussian affinities of the 3·perplexity nearest neighbours,
    qᵢⱼ ∝ 1 / (1 + ‖yᵢ − yⱼ‖²);  gradient 4 Σⱼ (pᵢⱼ − qᵢⱼ)(yᵢ − yⱼ) / (1 + ‖yᵢ − yⱼ‖²)

    Without `initial` it starts from principal components, which keeps the large picture, and exaggerates
    attraction for the first 250 iterations. With one it goes on from there without. There is no chance in it:
    equal arguments give bit-identical layouts. Yields the layout after each iteration; whoever stops iterating
    has cancelled it.

    Args:
        dimensions: 2 or 3.
        perplexity: of the affinities, at most a third of the other vectors.
        initial: places to start from.
        pinned: which places must not change, such as those of vectors that have not changed.

    Shapes:
        vectors (n, features), initial (n, dimensions), pinned (n,) bool -> each (n, dimensions).

    Raises:
        InputError: NaN or infinity, fewer than 3 vectors, or shapes that do not fit.

    Source:
        van der Maaten and Hinton, Visualizing data using t-SNE, 2008; van der Maaten, Accelerating t-SNE using
        tree-based algorithms, 2014; rate and start: Kobak and Berens, The art of using t-SNE, 2019.
    """
    count = len(vectors)
    if count < 3:
        raise InputError(f"t-SNE needs at least 3 vectors, not {count}.")
    start = first_places(vectors, dimensions, initial, spread=1e-4)
    held = np.zeros(count, dtype=bool) if pinned is None else np.asarray(pinned, dtype=bool)
    if held.shape != (count,):
        raise InputError(f"{count} vectors need as many truth values of pinned, not {held.shape}.")
    return _descend(vectors, start, held, perplexity, iterations, warm=initial is not None)


def first_places(
    vectors: npt.NDArray[Any], dimensions: int, initial: npt.NDArray[Any] | None, spread: float
) -> Floats:
    """The layout to start from; principal components of that standard deviation where none is given.

    Raises:
        InputError: it has another shape or holds NaN.
    """
    if initial is None:
        places = Projection.fit(vectors, dimensions).transform(vectors)
        deviation = float(places[:, 0].std())
        return places * (spread / deviation if deviation > 0 else 1.0)
    places = np.array(initial, dtype=np.float64)
    if places.shape != (len(vectors), dimensions) or not np.isfinite(places).all():
        raise InputError(
            f"First places are finite numbers of shape ({len(vectors)}, {dimensions}), not {places.shape}."
        )
    return places


def _descend(
    vectors: npt.NDArray[Any],
    places: Floats,
    held: npt.NDArray[np.bool_],
    perplexity: float,
    iterations: int,
    warm: bool,
) -> Iterator[Floats]:
    from mmgraph.analysis.tree_kernels import affinities, student_attraction, student_repulsion

    count = len(places)
    perplexity = max(min(perplexity, (count - 1) / 3), 1.0)
    near = min(count - 1, round(3 * perplexity))
    found = NeighbourIndex(vectors).search_rows(None, near)
    starts, others, weights = symmetric(
        found.indices, affinities(np.square(found.distances), perplexity) / count
    )
    weights = weights / 2
    step, gains = np.zeros_like(places), np.ones_like(places)
    pull, push = np.zeros_like(places), np.zeros_like(places)
    for iteration in range(iterations):
        early = not warm and iteration < EXAGGERATED
        exaggeration = EXAGGERATION if early else 1.0
        total = student_repulsion(places, _THETA, push)
        pull[:] = 0
        student_attraction(places, starts, others, weights, pull)
        gradient = 4 * (exaggeration * pull - push / max(total, 1e-300))
        same = (gradient > 0) == (step > 0)
        gains = np.maximum(np.where(same, gains * 0.8, gains + 0.2), 0.01)
        rate = max(count / exaggeration, 50.0)
        step = (0.5 if early else 0.8) * step - rate * gains * gradient
        length = np.linalg.norm(step, axis=1, keepdims=True)
        step *= np.minimum(1, _STEP_LIMIT / np.maximum(length, 1e-300))
        step[held] = 0
        places = places + step
        if not held.any():
            places -= places.mean(axis=0)
        yield places


def symmetric(
    indices: npt.NDArray[np.int64], weights: Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Floats]:
    """P + Pᵀ of rows of neighbours, as compressed rows: starts (n + 1,), columns and values."""
    from scipy.sparse import coo_array

    count, near = indices.shape
    rows = np.repeat(np.arange(count), near)
    matrix = coo_array((weights.ravel(), (rows, indices.ravel())), shape=(count, count)).tocsr()
    whole = (matrix + matrix.T).tocsr()
    whole.sort_indices()
    return whole.indptr.astype(np.int64), whole.indices.astype(np.int32), whole.data
