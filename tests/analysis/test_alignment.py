from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import procrustes

from mmgraph.analysis import Alignment
from mmgraph.errors import InputError


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_a_turned_mirrored_moved_and_stretched_picture_comes_back(dimensions):
    rng = np.random.default_rng(dimensions)
    points = rng.normal(size=(40, dimensions))
    turn = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    reference = 3.5 * points @ turn + rng.normal(size=dimensions)
    found = Alignment.fit(points, reference)
    np.testing.assert_allclose(found.apply(points), reference, atol=1e-10)
    assert found.scale == pytest.approx(3.5)
    assert found.disparity == pytest.approx(0, abs=1e-12)


def test_it_is_as_close_as_scipys():
    rng = np.random.default_rng(0)
    points, reference = rng.normal(size=(2, 50, 2))
    _, right, disparity = procrustes(reference, points)
    found = Alignment.fit(points, reference)
    assert found.disparity == pytest.approx(disparity)
    size = np.linalg.norm(reference - reference.mean(axis=0))
    np.testing.assert_allclose((found.apply(points) - reference.mean(axis=0)) / size, right, atol=1e-10)


def test_without_a_scale_sizes_stay():
    points = np.random.default_rng(0).normal(size=(20, 2))
    found = Alignment.fit(points, 5 * points, scaled=False)
    assert found.scale == 1.0
    np.testing.assert_allclose(np.ptp(found.apply(points), axis=0), np.ptp(points, axis=0))


def test_few_points_and_lost_ones():
    none = np.zeros((0, 2))
    np.testing.assert_array_equal(Alignment.fit(none, none).apply(np.ones((3, 2))), np.ones((3, 2)))
    one = Alignment.fit(np.array([[1.0, 2.0]]), np.array([[5.0, 5.0]]))
    np.testing.assert_allclose(one.apply(np.array([[1.0, 2.0], [2.0, 2.0]]))[0], [5, 5])
    points = np.random.default_rng(0).normal(size=(10, 2))
    reference = points + 1
    reference[3] = np.nan
    points[4, 0] = np.inf
    found = Alignment.fit(points, reference)
    np.testing.assert_allclose(found.offset - found.origin, [1, 1])
    flat = Alignment.fit(np.ones((5, 2)), points[5:])
    assert np.isfinite(flat.apply(np.ones((5, 2)))).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="same shape"):
        Alignment.fit(np.zeros((3, 2)), np.zeros((4, 2)))
