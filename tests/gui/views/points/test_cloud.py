from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from mmgraph.analysis import PointGrid
from mmgraph_gui.drawing.raster import Viewport
from mmgraph_gui.views.points.cloud import PointCloud
from mmgraph_gui.views.points.image import COUNTED_AGAIN, FEW_IN_VIEW, _in_view
from mmgraph_gui.views.points.plane import Plane


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_corners_are_those_of_the_finite_points(kind):
    positions = np.random.default_rng(0).normal(size=(500, 2)).astype(kind)
    cloud = PointCloud(positions, np.arange(500))
    np.testing.assert_array_equal(cloud.corners, [cloud.grid.low, cloud.grid.high])
    positions[[3, 70]] = [[np.nan, 1e9], [np.inf, -1e9]]
    cloud = PointCloud(positions, np.arange(500))
    np.testing.assert_array_equal(cloud.corners, [cloud.grid.low, cloud.grid.high])
    assert cloud.lost.tolist() == [3, 70]


@pytest.mark.parametrize("positions", [np.zeros((0, 2)), np.full((2, 2), np.nan)])
def test_without_finite_points_there_are_no_corners(positions):
    assert PointCloud(positions, np.arange(len(positions))).corners.shape == (0, 2)


def test_placing_points_loads_no_compiled_loops():
    """The UI thread does it, and would stand still for as long as that takes."""
    code = (
        "import sys, numpy as np\n"
        "from mmgraph_gui.views.points.cloud import PointCloud\n"
        "PointCloud(np.random.default_rng(0).normal(size=(50, 2)), np.arange(50)).corners\n"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_few_points_in_view_are_counted_one_by_one():
    places = np.stack(np.meshgrid(np.arange(80.0), np.arange(80.0)), axis=-1).reshape(-1, 2)
    seen = Viewport.around(np.array([[30.0, 30.0], [39.0, 39.0]]), 500, 500)
    low, high = seen.to_plane(np.array([[0.0, 500.0], [500.0, 0.0]]))
    inside = int(((places >= low) & (places <= high)).all(axis=1).sum())
    assert 100 <= inside <= FEW_IN_VIEW + COUNTED_AGAIN
    assert _in_view(PointGrid(places), seen) == inside
    assert _in_view(PointGrid(places + 1000), seen) == 0
    assert _in_view(PointGrid(np.full((3, 2), np.nan)), seen) == 0


def test_a_plane_without_points_cannot_be_zoomed_away_from_them(theme, qtbot):
    plane = Plane(theme)
    qtbot.addWidget(plane)
    plane.resize(300, 300)
    plane._move_to(plane.viewport.zoomed(4, 10, 10))
    plane.set_points(PointCloud(np.array([[0.0, 0.0], [1.0, 1.0]]), np.arange(2)))
    assert plane.fitted
    assert plane.viewport.still_fits(plane.corners)
    plane._move_to(plane.viewport.zoomed(4, 10, 10))
    assert not plane.fitted
