"""Lines to neighbours, with distances where there is room."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from mmgraph_gui.views.points.near_lines import paint_near

ROOM = QRectF(0, 0, 400, 300)


@pytest.fixture
def painted(qapp, theme):
    def paint(places, texts):
        image = QImage(400, 300, QImage.Format.Format_RGB32)
        image.fill(0xFFFFFF)
        painter = QPainter(image)
        boxes = paint_near(painter, ROOM, np.array(places, dtype=float), texts, theme.palette)
        painter.end()
        return boxes, image

    return paint


def test_distances_stand_on_long_ways_and_behind_short_ones(painted):
    (far, close), image = painted([(200, 150), (20, 150), (225, 150)], ["0.5", "0.1"])
    assert far.center().x() == pytest.approx(110)
    assert close.left() > 225
    assert image.pixelColor(50, 150).name() != "#ffffff"


def test_none_covers_another_or_leaves_the_window(painted):
    rng = np.random.default_rng(0)
    ends = [(200, 150), *(rng.normal(size=(60, 2)) * 40 + (260, 150))]
    boxes, _ = painted(ends, [f"{number / 10:.3g}" for number in range(60)])
    assert 5 < len(boxes) < 60
    assert not any(one.intersects(other) for one, other in itertools.combinations(boxes, 2))
    assert all(ROOM.contains(box) for box in boxes)


def test_points_without_a_place_and_equal_ones(painted):
    assert painted([(np.nan, 1), (20, 20)], ["1"])[0] == []
    boxes, _ = painted([(100, 100), (np.nan, 2), (100, 100)], ["1", "0"])
    assert len(boxes) == 1
    assert painted([(100, 100), (50, 50)], [])[0] == []
