from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from mmgraph.analysis.umap import umap_layout
from mmgraph.analysis.umap_kernels import fuzzy_weights
from mmgraph.errors import InputError

DIGITS = load_digits().data[:400].astype(np.float32)


def last(layouts: object) -> np.ndarray:
    *_, layout = layouts
    return layout


def test_weights_of_neighbours_add_up_to_the_logarithm_of_their_number() -> None:
    distances = np.sort(np.random.default_rng(0).exponential(size=(50, 15)), axis=1) + 0.1
    weights = fuzzy_weights(distances)
    np.testing.assert_allclose(weights.sum(axis=1), np.log2(15), rtol=1e-4)
    assert (weights[:, 0] == 1).all()
    assert (np.diff(weights, axis=1) <= 0).all()
    assert np.isfinite(fuzzy_weights(np.zeros((4, 5)))).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_neighbours_stay_neighbours_and_classes_together(dimensions: int) -> None:
    layout = last(umap_layout(DIGITS, dimensions=dimensions))
    assert layout.shape == (400, dimensions)
    # umap-learn 0.5.12 reaches 0.97 on these 400 digits
    assert trustworthiness(DIGITS, layout) > 0.95


def test_equal_arguments_give_bit_identical_layouts() -> None:
    one, other = (last(umap_layout(DIGITS, iterations=20, seed=3)) for _ in range(2))
    assert one.tobytes() == other.tobytes()
    assert (one != last(umap_layout(DIGITS, iterations=20, seed=4))).any()


def test_pinned_places_do_not_move() -> None:
    start = np.random.default_rng(0).normal(size=(400, 2))
    pinned = np.arange(400) % 3 > 0
    layout = last(umap_layout(DIGITS, iterations=20, initial=start, pinned=pinned))
    np.testing.assert_array_equal(layout[pinned], start[pinned])
    assert (layout[~pinned] != start[~pinned]).any(axis=1).all()


def test_equal_vectors_and_few_vectors() -> None:
    assert np.isfinite(last(umap_layout(np.ones((20, 3)), iterations=30))).all()
    assert np.isfinite(last(umap_layout(np.eye(3), iterations=30))).all()


def test_bad_input() -> None:
    with pytest.raises(InputError, match="at least 3"):
        umap_layout(np.zeros((2, 3)))
    with pytest.raises(InputError, match="First places"):
        umap_layout(DIGITS, initial=np.full((400, 2), np.nan))
    with pytest.raises(InputError, match="pinned"):
        umap_layout(DIGITS, pinned=np.zeros(3, bool))
