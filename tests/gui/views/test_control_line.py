"""Words between choosers give way where the line is narrow, and come back."""

import pytest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from mmgraph_gui.views.control_line import ControlLine, Word


@pytest.fixture
def place(qtbot: QtBot) -> QWidget:
    """A window for the line: itself it would be held to the least size of its layout."""
    place = QWidget()
    qtbot.addWidget(place)
    return place


def line_of(qtbot: QtBot, place: QWidget) -> tuple[ControlLine, list[Word]]:
    line, words = ControlLine(place), [Word("Edges"), Word("Colour")]
    for word in words:
        line.choosers.addWidget(word)
        line.choosers.addWidget(QPushButton("by label"))
    line.choosers.addStretch()
    line.resize(600, 40)
    with qtbot.waitExposed(place):
        place.show()
    return line, words


def test_words_go_where_there_is_no_room_for_them_and_come_back(qtbot: QtBot, place: QWidget) -> None:
    line, words = line_of(qtbot, place)
    assert all(word.isVisible() for word in words)
    least = line.minimumSizeHint().width()
    for width, shown in ((least, False), (600, True), (least + 10, False), (600, True)):
        line.resize(width, 40)
        qtbot.waitUntil(lambda shown=shown: all(word.isVisible() == shown for word in words))
        assert line.minimumSizeHint().width() == least
        assert line.width() == width


def test_words_come_back_as_soon_as_all_fits(qtbot: QtBot, place: QWidget) -> None:
    line, words = line_of(qtbot, place)
    whole = line.layout().minimumSize().width()
    line.resize(whole - 1, 40)
    qtbot.waitUntil(lambda: not any(word.isVisible() for word in words))
    line.resize(whole, 40)
    qtbot.waitUntil(lambda: all(word.isVisible() for word in words))


def test_a_chooser_that_grows_takes_the_room_of_the_words(qtbot: QtBot, place: QWidget) -> None:
    line, words = line_of(qtbot, place)
    line.resize(line.layout().minimumSize().width(), 40)
    qtbot.waitUntil(lambda: all(word.isVisible() for word in words))
    line.findChild(QPushButton).setText("by a column of a long name")
    qtbot.waitUntil(lambda: not any(word.isVisible() for word in words))


def test_a_chooser_that_grows_while_the_line_is_hidden_takes_the_room_of_the_words(
    qtbot: QtBot, place: QWidget
) -> None:
    line, words = line_of(qtbot, place)
    line.resize(line.layout().minimumSize().width(), 40)
    qtbot.waitUntil(lambda: all(word.isVisible() for word in words))
    line.hide()
    line.findChild(QPushButton).setText("by a column of a long name")
    line.show()  # lays out at once, and takes the request to do so out of the queue
    qtbot.waitUntil(lambda: line.isVisible())
    assert not any(word.isVisible() for word in words)


def test_a_line_without_words(qtbot: QtBot) -> None:
    line = ControlLine()
    qtbot.addWidget(line)
    line.choosers.addWidget(QPushButton("Lay out"))
    line.show()
    assert line.minimumSizeHint().width() == line.layout().minimumSize().width()
