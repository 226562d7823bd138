"""Words between choosers give way where the line is narrow, and come back."""

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
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
    whole = line.choosers.one_row()
    line.resize(whole - 1, 40)
    qtbot.waitUntil(lambda: not any(word.isVisible() for word in words))
    line.resize(whole, 40)
    qtbot.waitUntil(lambda: all(word.isVisible() for word in words))


def test_a_chooser_that_grows_takes_the_room_of_the_words(qtbot: QtBot, place: QWidget) -> None:
    line, words = line_of(qtbot, place)
    line.resize(line.choosers.one_row(), 40)
    qtbot.waitUntil(lambda: all(word.isVisible() for word in words))
    line.findChild(QPushButton).setText("by a column of a long name")
    qtbot.waitUntil(lambda: not any(word.isVisible() for word in words))


def test_a_chooser_that_grows_while_the_line_is_hidden_takes_the_room_of_the_words(
    qtbot: QtBot, place: QWidget
) -> None:
    line, words = line_of(qtbot, place)
    line.resize(line.choosers.one_row(), 40)
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
    assert line.minimumSizeHint().width() == line.choosers.one_row()


def test_choosers_stand_in_rows_where_one_is_too_narrow(qtbot: QtBot, place: QWidget) -> None:
    line, _ = line_of(qtbot, place)
    search = QLineEdit()
    line.choosers.insertWidget(0, search)
    search.show()
    buttons = line.findChildren(QPushButton)
    line.choosers.activate()
    one = line.heightForWidth(600)
    for width in (line.minimumSizeHint().width(), line.choosers.one_row() // 2):
        line.resize(width, line.heightForWidth(width))
        qtbot.waitUntil(lambda: buttons[1].geometry().y() > search.geometry().y())
        assert line.height() >= 2 * one
        for part in (search, *buttons):
            assert line.rect().contains(part.geometry())
            assert part.width() >= part.minimumSizeHint().width()
        assert not buttons[0].geometry().intersects(buttons[1].geometry())
    line.resize(600, line.heightForWidth(600))
    qtbot.waitUntil(lambda: buttons[1].geometry().y() == buttons[0].geometry().y())
    assert line.heightForWidth(600) == one


def test_a_label_stays_with_the_chooser_after_it(qtbot: QtBot, place: QWidget) -> None:
    line = ControlLine(place)
    parts = [QPushButton("Step"), QLabel("smooth"), QPushButton("a little")]
    for part in parts:
        line.choosers.addWidget(part)
    with qtbot.waitExposed(place):
        place.show()
    width = line.choosers.one_row() - 1
    line.resize(width, line.heightForWidth(width))
    qtbot.waitUntil(lambda: parts[2].geometry().top() > parts[0].geometry().bottom())
    assert parts[1].geometry().top() > parts[0].geometry().bottom()
    assert parts[1].geometry().right() < parts[2].geometry().left()
