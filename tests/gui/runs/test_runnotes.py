from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from mmgraph.runs import RunNotes
from mmgraph_gui.runs.runnotes import NotesDialog


@pytest.fixture
def dialog(qtbot):
    dialog = NotesDialog("digits", RunNotes(("a",), "one"))
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_control_and_enter_save_from_the_notes_and_enter_alone_begins_a_line(qtbot, dialog):
    dialog.text.setFocus()
    dialog.text.selectAll()
    qtbot.keyClicks(dialog.text, "first")
    qtbot.keyClick(dialog.text, Qt.Key.Key_Return)
    qtbot.keyClicks(dialog.text, "second")
    assert dialog.isVisible()
    qtbot.keyClick(dialog.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.result() == NotesDialog.DialogCode.Accepted
    assert dialog.notes() == RunNotes(("a",), "first\nsecond")


def test_tags_are_words_between_commas_each_once(dialog):
    dialog.tags.setText(" b, ,c,b , שלום 🦊")
    assert dialog.notes().tags == ("b", "c", "שלום 🦊")
