from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from mmgraph_gui.bars.banner import Banner


@pytest.fixture
def laid(qtbot, theme):
    """A window with views and a bar below, and its banner."""
    window, area, bar = QWidget(), QWidget(), QWidget()
    bar.setFixedHeight(30)
    column = QVBoxLayout(window)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(area, 1)
    column.addWidget(bar)
    banner = Banner(theme)
    banner.lie_over(area)
    qtbot.addWidget(window)
    window.resize(900, 600)
    window.show()
    return window, area, banner


@pytest.mark.parametrize(
    "text", ["Short.", "Long words about what has gone wrong here. " * 12, "unbroken" * 90, ""]
)
def test_it_lies_in_the_corner_and_moves_nothing(laid, text):
    window, area, banner = laid
    before = area.geometry()
    banner.show_message(text)
    QApplication.processEvents()
    assert area.geometry() == before
    assert area.geometry().contains(banner.geometry())
    assert banner.geometry().bottom() > area.geometry().bottom() - 20
    assert banner.label.height() >= banner.label.heightForWidth(banner.label.width())
    window.resize(700, 500)
    QApplication.processEvents()
    assert area.geometry().contains(banner.geometry())


def test_one_line_is_no_wider_than_its_words(laid):
    _, _, banner = laid
    banner.show_message("Copied.", "info")
    QApplication.processEvents()
    assert banner.label.text() == "Copied."
    assert banner.label.height() < 2 * banner.label.fontMetrics().height() + 8
    assert banner.width() < 200


def test_news_stays_under_the_mouse_and_errors_stay_anyway(qtbot, laid):
    _, _, banner = laid
    banner._forget.setInterval(60)
    banner.show_message("Something new.", "info")
    banner.enterEvent(None)
    qtbot.wait(150)
    assert banner.text
    banner.leaveEvent(QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: not banner.text)
    banner.show_message("Something wrong.", "error")
    banner.leaveEvent(QEvent(QEvent.Type.Leave))
    qtbot.wait(150)
    assert banner.text == "Something wrong."
    qtbot.mouseClick(banner._close, Qt.MouseButton.LeftButton)
    assert not banner.text


def test_what_can_be_cancelled_is_cancelled_once(qtbot, laid):
    _, _, banner = laid
    said = []
    banner.show_message("Starting …", "info", lambda: said.append(True))
    qtbot.mouseClick(banner.cancel, Qt.MouseButton.LeftButton)
    banner.dismiss()
    assert said == [True]
    assert not banner.text


def test_a_line_with_a_button_beside_it_is_not_broken(laid):
    _, _, banner = laid
    banner.show_message("Opening weights.safetensors …", "info", lambda: None)
    QApplication.processEvents()
    assert banner.label.width() >= banner.label.fontMetrics().horizontalAdvance(banner.label.text())
    assert banner.label.heightForWidth(banner.label.width()) < 2 * banner.label.fontMetrics().height()
