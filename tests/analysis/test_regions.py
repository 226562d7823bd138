from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgraph.analysis import points_in_polygon
from mmgraph.errors import InputError

SQUARE = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])


def winds_oddly(point: np.ndarray, polygon: np.ndarray) -> bool:
    """Crossings of a ray to the right, by the sign of a cross product."""
    crossings = 0
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        low, high = sorted((start, end), key=lambda corner: corner[1])
        if low[1] <= point[1] < high[1]:
            side = (high[0] - low[0]) * (point[1] - low[1]) - (high[1] - low[1]) * (point[0] - low[0])
            crossings += side > 0
    return crossings % 2 == 1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 9999), corners=st.integers(3, 9))
def test_agrees_with_a_loop(seed: int, corners: int) -> None:
    generator = np.random.default_rng(seed)
    polygon, points = generator.normal(size=(corners, 2)), generator.normal(size=(40, 2))
    expected = [winds_oddly(point, polygon) for point in points]
    assert points_in_polygon(points, polygon).tolist() == expected


def test_a_square_and_points_that_are_not_finite() -> None:
    points = np.array([[2.0, 2], [5, 2], [np.nan, 1], [2, np.inf], [-1, -1]])
    assert points_in_polygon(points, SQUARE).tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("corners", [0, 1, 2])
def test_too_few_corners_have_no_inside(corners: int) -> None:
    assert not points_in_polygon(np.array([[1.0, 0.5]]), SQUARE[:corners]).any()


def test_no_points_and_bad_shapes() -> None:
    assert points_in_polygon(np.zeros((0, 2)), SQUARE).shape == (0,)
    with pytest.raises(InputError, match="shape"):
        points_in_polygon(np.zeros(3), SQUARE)
