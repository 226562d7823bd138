from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QKeySequence, QPainter, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.theme import Theme


class Square(Painted):
    own_keys = (Qt.Key.Key_Right,)

    def paint_all(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor("#102030"))

    def paint_over(self, painter: QPainter) -> None:
        painter.fillRect(QRect(0, 0, 10, 10), QColor("#ff8800"))


def test_what_lies_over_it_is_seen_on_the_screen_and_not_exported(
    qtbot: Any, theme: Theme, pixels_of: Callable[[Any], np.ndarray]
) -> None:
    square = Square(theme)
    qtbot.addWidget(square)
    square.resize(40, 30)
    seen = pixels_of(square)
    assert seen[5, 5].tolist() == [0xFF, 0x88, 0x00]
    assert seen[20, 20].tolist() == [0x10, 0x20, 0x30]
    exported = QImage(40, 30, QImage.Format.Format_RGB32)
    painter = QPainter(exported)
    square.paint_all(painter)
    painter.end()
    assert exported.pixelColor(5, 5).name() == "#102030"


def test_its_own_keys_are_no_actions_of_the_window_while_it_has_the_focus(qtbot: Any, theme: Theme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    square = Square(theme, window)
    square.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    done = []
    for key in ("Right", "Left"):
        QShortcut(QKeySequence(key), window).activated.connect(lambda key=key: done.append(key))
    window.show()
    square.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is square)
    QTest.keyClick(square, Qt.Key.Key_Right)
    QTest.keyClick(square, Qt.Key.Key_Left)
    assert done == ["Left"]
