"""How places in three dimensions are turned and seen from the front."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis import Alignment
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.views.embedding.placing import Placed
from mmgraph_gui.views.points.cloud import PointCloud

RADIANS_PER_PIXEL = 0.008
TURN = np.radians(15) / RADIANS_PER_PIXEL
"""Pixels for which a press of a key stands."""


def rotation_of(dx: float, dy: float) -> npt.NDArray[np.float64]:
    """What a movement of the mouse by so many pixels turns, about axes of the screen, (3, 3)."""
    about_y, about_x = dx * RADIANS_PER_PIXEL, dy * RADIANS_PER_PIXEL
    across = [[np.cos(about_y), 0, np.sin(about_y)], [0, 1, 0], [-np.sin(about_y), 0, np.cos(about_y)]]
    down = [[1, 0, 0], [0, np.cos(about_x), -np.sin(about_x)], [0, np.sin(about_x), np.cos(about_x)]]
    return np.array(down) @ np.array(across)


def turned(
    _job: Job | None,
    _snapshots: Any,
    *,
    placed: Placed,
    rotation: npt.NDArray[np.float64],
    alignment: Alignment | None = None,
) -> PointCloud:
    """What three dimensions look like from the front: x and y of the turned points, and how deep they lie."""
    positions = placed.centred if alignment is None else alignment.apply(placed.positions)
    flat = positions @ rotation.T
    lengths = np.square(positions).sum(axis=1)
    reach = np.sqrt(np.nanmax(lengths, initial=0.0)) if np.isfinite(lengths).any() else 0.0
    depth = 0.5 - 0.5 * flat[:, 2] / (reach if reach > 0 else 1.0)
    return PointCloud(flat[:, :2].astype(np.float32), placed.rows, depth)
