from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgraph.analysis import PointGrid
from mmgraph.errors import InputError


def cloud(count: int, seed: int, kind: type = np.float64) -> np.ndarray:
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(count, 2)) * [5, 0.5] + [100, -3]
    points[generator.random(count) < 0.1] = np.nan
    return points.astype(kind)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 500),
    seed=st.integers(0, 99),
    reach=st.sampled_from([0.0, 0.1, 1.0, 300.0]),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_picking_finds_the_nearest_as_a_look_at_all_does(
    count: int, seed: int, reach: float, kind: type
) -> None:
    points = cloud(count, seed, kind)
    grid = PointGrid(points)
    for x, y in np.random.default_rng(seed + 1).normal(size=(5, 2)) * 6 + [100, -3]:
        far = np.linalg.norm(points.astype(np.float64) - [x, y], axis=1)
        near = np.flatnonzero(far <= reach)
        found = grid.pick(x, y, reach)
        assert (found is None) == (not len(near))
        if found is not None:
            assert far[found] == pytest.approx(np.nanmin(far))


def test_every_finite_point_is_in_the_cell_it_lies_in() -> None:
    points = cloud(3000, 0)
    grid = PointGrid(points)
    assert sorted(grid.order.tolist()) == np.flatnonzero(np.isfinite(points).all(axis=1)).tolist()
    np.testing.assert_array_equal(grid.places, points[grid.order])
    cells = np.minimum(((grid.places - grid.low) / grid.step).astype(int), grid.cells - 1)
    assert (np.diff(cells[:, 1] * grid.cells + cells[:, 0]) >= 0).all()
    assert grid.starts[-1] == len(grid.order)
    assert grid.count_between(-1e9, -1e9, 1e9, 1e9) == len(grid.order)
    assert grid.count_between(1e6, 0, 1e7, 1) == 0


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 2)),
        np.array([[3.0, 4.0]]),
        np.array([[3.0, 4.0], [5.0, 4.0]]),
        np.full((50, 2), 7.0),
        np.full((50, 2), np.nan),
        np.array([[1e308, 0.0], [-1e308, 0.0]] * 20),
        np.array([[0.0, 0.0], [5e-324, 0.0]] * 20),
        np.arange(40).reshape(20, 2),
    ],
)
def test_few_equal_and_extreme_points(points: np.ndarray) -> None:
    grid = PointGrid(points)
    for number, (x, y) in enumerate(points.astype(float)):
        found = grid.pick(x, y, 0.0)
        assert (found is not None) == bool(np.isfinite(x))
        if found is not None:
            assert found <= number
            np.testing.assert_allclose(points[found], points[number], rtol=0, atol=1e-300)
    assert grid.pick(np.nan, 0.0, 1.0) is None


def test_what_belongs_to_the_points_is_sorted_once_for_each_array() -> None:
    grid = PointGrid(cloud(100, 1))
    values = np.arange(100)
    first = grid.sorted("values", values)
    np.testing.assert_array_equal(first, grid.order)
    assert grid.sorted("values", values) is first
    np.testing.assert_array_equal(grid.sorted("values", values + 1), grid.order + 1)


def test_bad_shapes() -> None:
    with pytest.raises(InputError, match="positions"):
        PointGrid(np.zeros(3))
