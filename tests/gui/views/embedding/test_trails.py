from __future__ import annotations

import numpy as np

from mmgraph.analysis import Alignment
from mmgraph_gui.views.embedding.trails import way


def test_a_way_goes_through_the_steps_that_have_the_item(placed):
    steps = [
        placed(1, [3, 5], [[0, 1], [2, 3]]),
        placed(2, [3], [[9, 9]]),
        placed(3, [5, 3], [[4, 5], [9, 9]]),
    ]
    np.testing.assert_array_equal(way(5, steps, np.eye(3), None), [[2, 3], [4, 5]])
    assert way(7, steps, np.eye(3), None).shape == (0, 2)
    assert way(5, [], np.eye(3), None).shape == (0, 2)


def test_in_space_it_is_seen_as_the_points_are(placed):
    about = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    step = placed(1, [0, 1], [[1, 2, 3], [3, 2, 3]])  # about their middle: -1, 0, 0 and 1, 0, 0
    np.testing.assert_allclose(way(1, [step], about, None), [[0, 1]])


def test_laid_over_another_view_it_moves_with_the_points(placed):
    moved = Alignment(np.eye(2), 2.0, np.zeros(2), np.array([1.0, 0]), 0.0)
    np.testing.assert_allclose(way(0, [placed(1, [0], [[1, 1]])], np.eye(3), moved), [[3, 2]])
