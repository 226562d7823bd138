from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmgraph.analysis import Projection, StableProjector
from mmgraph.errors import InputError

rng = np.random.default_rng


def clouds(rows: int, features: int, seed: int = 0) -> np.ndarray:
    generator = rng(seed)
    scales = np.linspace(3, 0.1, features)
    return (generator.normal(size=(rows, features)) * scales + 5).astype(np.float32)


@pytest.mark.parametrize(("rows", "features"), [(200, 16), (20, 50), (3, 2), (600, 520)])
def test_axes_are_the_right_singular_vectors(rows: int, features: int) -> None:
    vectors = clouds(rows, features)
    projection = Projection.fit(vectors)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    cosines = np.abs((projection.axes * axes[:2]).sum(axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-8)
    np.testing.assert_allclose(projection.variances, singular[:2] ** 2 / rows, rtol=1e-9)
    np.testing.assert_allclose(projection.total_variance, (singular**2).sum() / rows, rtol=1e-9)


def test_positions_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    vectors = clouds(150, 12).astype(np.float64)
    pca = PCA(3, svd_solver="full")
    expected = pca.fit_transform(vectors)
    projection = Projection.fit(vectors, dimensions=3)
    signs = np.sign((projection.axes * pca.components_).sum(axis=1))
    np.testing.assert_allclose(projection.transform(vectors), expected * signs, atol=1e-10)
    assert projection.explained == pytest.approx(pca.explained_variance_ratio_.sum())


def test_signs_do_not_depend_on_the_order_of_rows() -> None:
    vectors = clouds(100, 8)
    one, other = Projection.fit(vectors), Projection.fit(vectors[::-1])
    np.testing.assert_allclose(one.axes, other.axes, atol=1e-6)


def test_rows_with_nan_or_infinity_are_left_out_and_marked() -> None:
    vectors = clouds(50, 6)
    clean = Projection.fit(np.delete(vectors, [3, 7], axis=0))
    vectors[3, 0], vectors[7, 2] = np.nan, np.inf
    projection = Projection.fit(vectors)
    np.testing.assert_allclose(projection.axes, clean.axes)
    positions = projection.transform(vectors)
    assert np.isnan(positions[[3, 7]]).all()
    assert np.isfinite(np.delete(positions, [3, 7], axis=0)).all()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows(rows: int) -> None:
    vectors = clouds(rows, 5)
    projection = Projection.fit(vectors)
    np.testing.assert_allclose(projection.axes @ projection.axes.T, np.eye(2), atol=1e-12)
    positions = projection.transform(vectors)
    assert positions.shape == (rows, 2)
    if rows == 2:
        expected = np.linalg.norm(vectors[0].astype(float) - vectors[1])
        assert np.linalg.norm(positions[0] - positions[1]) == pytest.approx(expected, rel=1e-6)
    else:
        np.testing.assert_allclose(positions, 0, atol=1e-12)


def test_one_feature_gives_a_line() -> None:
    positions = Projection.fit(np.array([[1.0], [2.0], [4.0]])).transform(np.array([[1.0], [4.0]]))
    np.testing.assert_allclose(np.abs(positions[1] - positions[0]), [3, 0])


def test_extreme_magnitudes_do_not_overflow() -> None:
    projection = Projection.fit(clouds(40, 4).astype(np.float64) * 1e100)
    assert np.isfinite(projection.variances).all()
    assert projection.explained == pytest.approx(Projection.fit(clouds(40, 4)).explained, rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.float64, st.tuples(st.integers(0, 12), st.integers(1, 9)), elements=st.floats(-100, 100, width=32)
    )
)
def test_axes_are_orthonormal_and_the_picture_keeps_no_more_than_there_is(vectors: np.ndarray) -> None:
    projection = Projection.fit(vectors)
    found = min(2, vectors.shape[1])
    np.testing.assert_allclose(projection.axes[:found] @ projection.axes[:found].T, np.eye(found), atol=1e-9)
    assert 0 <= projection.explained <= 1 + 1e-9
    assert np.isfinite(projection.transform(vectors)).all()


def test_alignment_undoes_a_turn_a_mirror_and_a_move() -> None:
    vectors = clouds(80, 10)
    projection = Projection.fit(vectors)
    turn = np.array([[np.cos(2.1), -np.sin(2.1)], [-np.sin(2.1), -np.cos(2.1)]])
    earlier = projection.transform(vectors) @ turn + [4, -9]
    earlier[5] = np.nan
    aligned = projection.aligned_to(earlier, vectors).transform(vectors)
    np.testing.assert_allclose(np.delete(aligned - earlier, 5, axis=0), 0, atol=1e-9)


def test_alignment_never_scales() -> None:
    vectors = clouds(80, 10)
    projection = Projection.fit(vectors)
    aligned = projection.aligned_to(3 * projection.transform(vectors), vectors)
    np.testing.assert_allclose(aligned.axes @ aligned.axes.T, np.eye(2), atol=1e-12)


def test_unchanged_vectors_do_not_move() -> None:
    vectors = clouds(200, 16)
    projector = StableProjector()
    before = projector.project(vectors, step=10)
    changed = vectors.copy()
    changed[100:] += rng(1).normal(scale=0.2, size=(100, 16)).astype(np.float32)
    after = projector.project(changed, step=20)
    assert before.refitted
    assert not after.refitted
    np.testing.assert_array_equal(after.positions[:100], before.positions[:100])
    assert (after.positions[100:] != before.positions[100:]).all()


def test_refits_when_the_picture_would_show_too_little_and_stays_close() -> None:
    vectors = np.zeros((100, 6))
    vectors[:, :3] = rng(2).normal(size=(100, 3)) * [5, 4, 0.1]
    projector = StableProjector()
    before = projector.project(vectors, step=0)
    turned = np.roll(vectors, 3, axis=1)  # all variance now lies where the old axes do not look
    after = projector.project(turned, step=1)
    assert after.refitted
    assert after.explained > 0.9
    np.testing.assert_allclose(after.positions, before.positions, atol=0.1)


def test_going_back_shows_what_was_there() -> None:
    generator = rng(3)
    steps = [generator.normal(size=(60, 8)) @ generator.normal(size=(8, 8)) for _ in range(4)]
    projector = StableProjector()
    seen = [projector.project(vectors, step=i).positions for i, vectors in enumerate(steps)]
    for i in (1, 3, 0, 2):
        np.testing.assert_array_equal(projector.project(steps[i], step=i).positions, seen[i])


def test_another_number_of_rows_or_features_starts_afresh() -> None:
    projector = StableProjector()
    projector.project(clouds(30, 5), step=0)
    assert projector.project(clouds(30, 7), step=1).refitted
    assert projector.project(clouds(20, 4), step=2).positions.shape == (20, 2)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((3, 0)), np.array([["a"]])])
def test_what_is_not_a_table_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(InputError, match="table of numbers"):
        Projection.fit(bad)


def test_other_features_are_refused() -> None:
    with pytest.raises(InputError, match="5 features, and got 4"):
        Projection.fit(clouds(9, 5)).transform(clouds(9, 4))
