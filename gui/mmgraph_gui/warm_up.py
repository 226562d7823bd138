"""Loads the compiled loops while nobody needs them yet, and says so where they must be compiled first."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, Signal

from mmgraph.analysis import PointGrid, points_in_polygon, raster_edges, raster_points, tint
from mmgraph_gui.reading.follower import RunFollower

DELAY_MILLISECONDS = 400


class WarmUp(QObject):
    """Draws a picture nobody sees, in a worker thread.

    Signals:
        said(text): something is being compiled, which takes some seconds once.
    """

    said = Signal(str)

    def __init__(self, follower: RunFollower, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._follower = follower
        self._listener = _Listener(self.said.emit)

    def start(self) -> None:
        """Begin; returns at once."""
        logging.getLogger("mmgraph").addHandler(self._listener)
        self._follower.ask(
            self, (), lambda _job, _snapshots: draw_unseen(), lambda _: self.close(), long=True
        )

    def close(self) -> None:
        """Listen no longer."""
        logging.getLogger("mmgraph").removeHandler(self._listener)


class _Listener(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith("Compiling"):
            self._tell("Preparing to draw: compiling takes some seconds, once …")


def draw_unseen() -> None:
    """Call every loop that a view of points calls in the UI thread or while the mouse moves."""
    places = np.random.default_rng(0).random((60, 2), dtype=np.float32) * 20
    colours, selected = np.zeros((60, 3), dtype=np.uint8), np.arange(60) % 2 == 0
    grid = PointGrid(places)
    grid.pick(1.0, 1.0, 2.0)
    raster_points(grid, colours, (20, 20), radius=2, selected=selected)
    points_in_polygon(places, np.array([[0.0, 0], [9, 0], [9, 9]]))
    coverage = raster_edges(places, np.array([[0, 1], [2, 3]]), (20, 20))
    if coverage is not None:
        tint(coverage, (0, 0, 0))
