from __future__ import annotations

import numpy as np
import pytest

from mmgraph_gui.views.embedding.space import TURN, rotation_of, turned


def test_no_movement_turns_nothing():
    np.testing.assert_array_equal(rotation_of(0, 0), np.eye(3))


@pytest.mark.parametrize(("dx", "dy"), [(TURN, 0), (0, TURN), (-37, 12.5)])
def test_a_movement_turns_without_stretching(dx, dy):
    rotation = rotation_of(dx, dy)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_a_key_turns_by_fifteen_degrees():
    np.testing.assert_allclose(rotation_of(TURN, 0) @ [0, 0, 1], [np.sin(np.pi / 12), 0, np.cos(np.pi / 12)])


def test_what_is_in_front_is_less_deep(placed):
    cloud = turned(None, (), placed=placed(1, [0, 1], [[1, 0, 2], [1, 0, -2]]), rotation=np.eye(3))
    np.testing.assert_allclose(cloud.positions, [[0, 0], [0, 0]])
    np.testing.assert_allclose(cloud.depth, [0, 1])


@pytest.mark.parametrize("positions", [[], [[np.nan] * 3], [[1, 1, 1]]])
def test_nothing_one_and_what_has_no_place(placed, positions):
    there = placed(1, range(len(positions)), positions)
    cloud = turned(None, (), placed=there, rotation=rotation_of(5, 5))
    assert cloud.positions.shape == (len(positions), 2)
