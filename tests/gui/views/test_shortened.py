"""Words that give way in a narrow window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QToolTip, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.views.shortened import ShortBox, ShortLabel

LONG = "encoder.blocks.11.attention.output"


@pytest.fixture
def line(qtbot):
    """A window with a chooser and a label beside each other."""
    window = QWidget()
    qtbot.addWidget(window)
    box, label = named(ShortBox(), "Layer", "Which layer is shown"), ShortLabel("digit 5 · label 5")
    box.addItems(["a", LONG, "אבג 🐟", ""])
    row = QHBoxLayout(window)
    row.addWidget(box)
    row.addWidget(label)
    row.addStretch(1)
    window.resize(700, 60)
    window.show()
    return window, box, label


def tip_of(widget):
    QToolTip.hideText()
    at = widget.rect().center()
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, at, widget.mapToGlobal(QPoint(at))))
    return QToolTip.text()


def test_all_is_written_where_there_is_room(qtbot, line):
    _, box, label = line
    for place in range(box.count()):
        box.setCurrentIndex(place)
        qtbot.waitUntil(lambda: box.width() == box.sizeHint().width())
        assert box.shown == box.currentText()
    assert label.shown == label.text()
    box.setCurrentIndex(1)
    wide = box.sizeHint().width()
    box.setCurrentIndex(0)
    assert box.sizeHint().width() < wide / 3


def test_words_are_shortened_and_whole_in_the_tool_tip(qtbot, line):
    window, box, label = line
    box.setCurrentIndex(1)
    window.resize(150, 60)
    qtbot.waitUntil(lambda: box.shown.endswith("…"))
    assert len(box.shown) >= 5
    assert tip_of(box) == f"{LONG}\nWhich layer is shown"
    label.setText("a" * 100)
    qtbot.waitUntil(lambda: label.shown.endswith("…"))
    assert tip_of(label) == label.text()


def test_the_list_is_as_wide_as_its_longest_word(qtbot, line):
    window, box, _ = line
    window.resize(150, 60)
    box.showPopup()
    assert box.view().width() > box.fontMetrics().horizontalAdvance(LONG)
    box.hidePopup()


def test_choices_have_a_name_for_the_program_words_and_a_tip(qtbot):
    box = ShortBox()
    qtbot.addWidget(box)
    box.offer({})
    assert box.count() == 0
    box.offer({"near": ("Nearest", "By distance")})
    box.offer({"far": ("Farthest", "")})
    tips = [box.itemData(place, Qt.ItemDataRole.ToolTipRole) for place in range(2)]
    assert [box.itemText(place) for place in range(2)] == ["Nearest", "Farthest"]
    assert (box.findData("far"), tips) == (1, ["By distance", ""])
