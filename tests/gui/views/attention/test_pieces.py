from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.attention.pieces import Pieces, next_in_ring


class Halves(Pieces[str]):
    def piece_at(self, at: QPointF) -> str | None:
        return None if at.y() > 100 else "left" if at.x() < 80 else "right"

    def paint_all(self, painter: QPainter) -> None:
        pass


def test_the_piece_under_the_mouse_is_current_and_told_once(qtbot: Any, theme: Theme) -> None:
    halves = Halves(theme)
    qtbot.addWidget(halves)
    halves.resize(160, 120)
    halves.show()
    told: list[str | None] = []
    halves.pointed.connect(told.append)
    for x, y in ((20, 20), (30, 30), (120, 20), (120, 110), (20, 20)):
        QTest.mouseMove(halves, QPoint(x, y))
    assert told == ["left", "right", None, "left"]
    QApplication.sendEvent(halves, QEvent(QEvent.Type.Leave))
    assert told[-1] is None
    assert halves.current is None


@pytest.mark.parametrize(
    ("current", "by", "count", "expected"),
    [(None, 1, 3, 0), (None, -1, 3, 2), (2, 1, 3, 0), (0, -1, 3, 2), (0, 1, 1, 0), (0, 1, 3, 1)],
)
def test_a_ring_goes_on_at_its_other_end(current: int | None, by: int, count: int, expected: int) -> None:
    assert next_in_ring(current, by, count) == expected
