from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from mmgraph_gui.drawing.movable import Movable
from mmgraph_gui.drawing.theme import Theme

LEFT = Qt.MouseButton.LeftButton


class Sheet(Movable):
    """Writes down what is asked of it."""

    is_empty = False

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.asked: list[tuple[Any, ...]] = []
        self.looked.connect(lambda: self.asked.append(("looked",)))

    def paint_all(self, painter: QPainter) -> None:
        pass

    def fit(self) -> None:
        self.asked.append(("fit",))

    def zoom(self, at: QPointF, factor: float) -> None:
        self.asked.append(("zoom", at.toPoint().toTuple(), factor > 1))

    def shift(self, by: QPointF) -> None:
        self.asked.append(("shift", *by.toPoint().toTuple()))

    def point_at(self, at: QPointF | None) -> None:
        self.asked.append(("point", None if at is None else at.toPoint().toTuple()))

    def click_at(self, at: QPointF) -> None:
        self.asked.append(("click", at.toPoint().toTuple()))


@pytest.fixture
def sheet(qtbot: Any, theme: Theme) -> Sheet:
    sheet = Sheet(theme)
    qtbot.addWidget(sheet)
    sheet.resize(100, 100)
    sheet.show()
    QApplication.processEvents()
    sheet.asked.clear()
    return sheet


def wheel(sheet: Sheet, by: int) -> None:
    at, nothing = QPointF(30, 40), Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        at, sheet.mapToGlobal(at), QPoint(), QPoint(0, by), Qt.MouseButton.NoButton, nothing,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(sheet, event)


def test_the_wheel_zooms_about_the_mouse(sheet: Sheet) -> None:
    wheel(sheet, 120)
    wheel(sheet, -120)
    assert sheet.asked == [("zoom", (30, 40), True), ("looked",), ("zoom", (30, 40), False), ("looked",)]


def test_dragging_moves_and_is_no_click(sheet: Sheet) -> None:
    QTest.mousePress(sheet, LEFT, pos=QPoint(10, 10))
    QTest.mouseMove(sheet, QPoint(11, 12))  # not far enough yet
    assert sheet.asked == []
    QTest.mouseMove(sheet, QPoint(20, 15))
    QTest.mouseMove(sheet, QPoint(21, 15))
    QTest.mouseRelease(sheet, LEFT, pos=QPoint(21, 15))
    assert sheet.asked == [("shift", 10, 5), ("looked",), ("shift", 1, 0), ("looked",)]


def test_a_press_that_hardly_moves_is_a_click(sheet: Sheet) -> None:
    QTest.mousePress(sheet, LEFT, pos=QPoint(10, 10))
    QTest.mouseMove(sheet, QPoint(12, 11))
    QTest.mouseRelease(sheet, LEFT, pos=QPoint(12, 11))
    assert sheet.asked == [("click", (12, 11))]


def test_the_mouse_points_until_it_leaves(sheet: Sheet) -> None:
    QTest.mouseMove(sheet, QPoint(50, 60))
    QApplication.sendEvent(sheet, QEvent(QEvent.Type.Leave))
    assert sheet.asked[-2:] == [("point", (50, 60)), ("point", None)]


def test_f_and_a_double_click_fit_it_in(sheet: Sheet) -> None:
    QTest.keyClick(sheet, Qt.Key.Key_F)
    QTest.mouseDClick(sheet, LEFT, pos=QPoint(5, 5))
    assert [one for one in sheet.asked if one[0] in ("fit", "looked")] == [("fit",), ("looked",)] * 2


def test_nothing_cannot_be_moved(sheet: Sheet) -> None:
    sheet.is_empty = True
    wheel(sheet, 120)
    QTest.mousePress(sheet, LEFT, pos=QPoint(10, 10))
    QTest.mouseMove(sheet, QPoint(30, 30))
    QTest.mouseRelease(sheet, LEFT, pos=QPoint(30, 30))
    assert sheet.asked == []
