from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from mmgraph.analysis.tree_kernels import affinities, student_repulsion
from mmgraph.analysis.tsne import tsne_layout
from mmgraph.errors import InputError

DIGITS = load_digits().data[:300].astype(np.float32)


def last(layouts: object) -> np.ndarray:
    *_, layout = layouts
    return layout


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("theta", [0.0, 0.5])
def test_repulsion_agrees_with_a_sum_over_all_pairs(dimensions: int, theta: float) -> None:
    points = np.random.default_rng(0).normal(size=(200, dimensions)) * 3
    points[50:53] = points[0]  # the same place
    apart = points[:, None] - points
    near = 1 / (1 + np.square(apart).sum(axis=2))
    expected = (np.square(near)[:, :, None] * apart).sum(axis=1)
    forces = np.empty_like(points)
    total = student_repulsion(points, theta, forces)
    tolerance = 1e-9 if theta == 0 else 0.04
    assert total == pytest.approx(near.sum() - len(points), rel=tolerance)
    np.testing.assert_allclose(forces, expected, atol=tolerance * np.abs(expected).max())


def test_points_too_close_to_be_told_apart_end_in_one_leaf() -> None:
    points = np.zeros((40, 2))
    points[:20, 0] = 1e-300
    points[20:, 0] = 1.0
    forces = np.empty_like(points)
    assert student_repulsion(points, 0.5, forces) == pytest.approx(2 * 20 * 19 + 2 * 400 * 0.5)


def test_affinities_have_the_perplexity() -> None:
    squared = np.sort(np.random.default_rng(0).exponential(size=(50, 30)), axis=1)
    squared[3] = 0
    weights = affinities(squared, 8.0)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=1)
    np.testing.assert_allclose(np.exp(entropy[np.arange(50) != 3]), 8.0, rtol=1e-4)
    np.testing.assert_allclose(weights[3], 1 / 30)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_neighbours_stay_neighbours_as_with_scikit_learn(dimensions: int) -> None:
    from sklearn.manifold import TSNE

    theirs = TSNE(dimensions, init="pca", random_state=0, method="exact", max_iter=500).fit_transform(DIGITS)
    ours = last(tsne_layout(DIGITS, dimensions=dimensions, iterations=500))
    assert ours.shape == (300, dimensions)
    assert trustworthiness(DIGITS, ours) > trustworthiness(DIGITS, theirs) - 0.01


def test_equal_arguments_give_bit_identical_layouts() -> None:
    one, other = (last(tsne_layout(DIGITS, iterations=40)) for _ in range(2))
    assert one.tobytes() == other.tobytes()


def test_pinned_places_do_not_move_and_others_do() -> None:
    start = np.random.default_rng(0).normal(size=(300, 2))
    pinned = np.arange(300) % 3 > 0
    layout = last(tsne_layout(DIGITS, iterations=20, initial=start, pinned=pinned))
    np.testing.assert_array_equal(layout[pinned], start[pinned])
    assert (layout[~pinned] != start[~pinned]).all()


def test_equal_vectors_and_few_vectors() -> None:
    assert np.isfinite(last(tsne_layout(np.ones((20, 3)), iterations=30))).all()
    assert np.isfinite(last(tsne_layout(np.eye(3), iterations=30))).all()


def test_bad_input() -> None:
    with pytest.raises(InputError, match="at least 3"):
        tsne_layout(np.zeros((2, 3)))
    with pytest.raises(InputError, match="First places"):
        tsne_layout(DIGITS, initial=np.zeros((300, 3)))
    with pytest.raises(InputError, match="pinned"):
        tsne_layout(DIGITS, pinned=np.zeros(3, bool))
