from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from mmgraph_gui.views.points.cloud import PointCloud


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
