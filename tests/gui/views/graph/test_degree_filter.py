from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.graph.degree_filter import DegreeFilter

DEGREES = np.array([0, 1, 1, 1, 2, 2, 5, 9])


@pytest.fixture
def strip(qtbot: Any, theme: Theme) -> DegreeFilter:
    strip = DegreeFilter(theme)
    qtbot.addWidget(strip)
    strip.resize(700, 60)
    strip.show()
    strip.show_degrees(DEGREES)
    return strip


def test_it_begins_with_all_nodes(strip: DegreeFilter) -> None:
    assert strip.limits == (0, 9)
    assert strip.kept() is None
    assert not strip.everything.isEnabled()
    assert strip.bars.bars == [(d, d, int((d == DEGREES).sum())) for d in range(10)]


def test_each_end_pushes_the_other(strip: DegreeFilter) -> None:
    strip.most.setValue(4)
    strip.fewest.setValue(6)
    assert strip.limits == (6, 6)
    assert strip.words() == "degree 6"
    strip.most.setValue(2)
    assert strip.limits == (2, 2)
    kept = strip.kept()
    assert kept is not None
    np.testing.assert_array_equal(kept, DEGREES == 2)
    strip.everything.click()
    assert strip.limits == (0, 9)


def test_handles_are_dragged(qtbot: Any, strip: DegreeFilter) -> None:
    bars = strip.bars
    height = bars.height() // 2

    def middle(degree: int) -> QPoint:
        strip.bars.set_limits(degree, degree)
        place = (bars.place_of(0) + bars.place_of(1)) / 2
        strip.bars.set_limits(*strip.limits)
        return QPoint(round(place), height)

    with qtbot.waitSignal(strip.changed):
        QTest.mousePress(bars, Qt.MouseButton.LeftButton, pos=QPoint(1, height))
        QTest.mouseMove(bars, middle(2))
    assert strip.limits == (2, 9)
    QTest.mouseRelease(bars, Qt.MouseButton.LeftButton)
    QTest.mouseMove(bars, middle(7))  # nothing is held
    assert strip.limits == (2, 9)
    QTest.mousePress(bars, Qt.MouseButton.LeftButton, pos=QPoint(bars.width() - 1, height))
    QTest.mouseMove(bars, middle(5))
    assert strip.limits == (2, 5)
    QTest.mouseMove(bars, middle(0))  # no further than the other
    QTest.mouseRelease(bars, Qt.MouseButton.LeftButton)
    assert strip.limits == (2, 2)


def test_another_graph_keeps_what_somebody_chose(strip: DegreeFilter) -> None:
    strip.fewest.setValue(2)
    strip.show_degrees(np.arange(30))
    assert strip.limits == (2, 29)
    strip.most.setValue(20)
    strip.show_degrees(np.array([1, 12]))
    assert strip.limits == (2, 12)
    strip.show_degrees(np.zeros(3, np.int64))
    assert strip.limits == (0, 0)
    assert strip.kept() is None
    strip.show_degrees(np.zeros(0, np.int64))
    assert strip.bars.bars == [(0, 0, 0)]


def test_bars_of_large_degrees_grow_and_count_every_node(strip: DegreeFilter) -> None:
    degrees = np.append(np.random.default_rng(0).zipf(2, 5_000).clip(max=4_000), 4_000)
    strip.show_degrees(degrees)
    bars = strip.bars.bars
    assert len(bars) <= 64
    assert sum(count for *_, count in bars) == len(degrees)
    assert bars[0][0] == 0
    assert bars[-1][1] >= 4_000
    assert all(one[1] + 1 == two[0] for one, two in itertools.pairwise(bars))


def test_what_is_hidden_filters_nothing(strip: DegreeFilter) -> None:
    strip.fewest.setValue(3)
    assert strip.kept() is not None
    strip.hide()
    assert strip.kept() is None
