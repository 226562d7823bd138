from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from mmgraph_gui.frame.commands import Command, CommandPalette, fit, ranked


def commands(*texts):
    return [Command(text, lambda: None) for text in texts]


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["Run: Stop", "Step: Next", "View: Embedding", "View: Items"]),
        ("st", ["Step: Next", "Run: Stop"]),
        ("stop", ["Run: Stop"]),
        ("view it", ["View: Items"]),
        ("bed", ["View: Embedding"]),
        ("ebd", ["View: Embedding"]),
        ("STEP  next", ["Step: Next"]),
        ("none of these", []),
        ("الرسم", []),
    ],
)
def test_a_few_letters_find_it(query, order):
    found = ranked(query, commands("Run: Stop", "Step: Next", "View: Embedding", "View: Items"))
    assert sorted(command.text for command in found) == sorted(order)
    if query:
        assert [command.text for command in found][: len(order)] == order


def test_the_begin_of_a_word_counts_most():
    assert fit("pa", "Run: Pause") > fit("pa", "Export: spacing") > fit("pa", "Plot the area")
    assert fit("x", "Run: Pause") is None


def test_what_cannot_be_done_now_comes_last():
    off = Command("Run: Pause", lambda: None, enabled=False)
    on = Command("Run: Pause the other one", lambda: None)
    assert ranked("pause", [off, on]) == [on, off]


def test_what_is_about_the_view_in_front_comes_first():
    near = Command("Embedding: Tool: Lasso", lambda: None, near=True)
    shorter = Command("Graph: Tool: Lasso", lambda: None)
    assert ranked("lasso", [shorter, near]) == [near, shorter]
    assert ranked("graph lasso", [near, shorter]) == [shorter]
    better = Command("Lasso", lambda: None, near=False)
    assert ranked("las", [Command("Atlas", lambda: None, near=True), better])[0] is better


@pytest.fixture
def palette(qtbot):
    done = []
    made = CommandPalette(
        [
            Command("View: Items", lambda: done.append("items"), "Ctrl+6"),
            Command("Run: Pause", lambda: done.append("pause"), enabled=False),
            Command("View: Log", lambda: done.append("log")),
        ]
    )
    qtbot.addWidget(made)
    made.done_ = done
    made.show()
    return made


def test_keys_choose(palette, qtbot):
    qtbot.keyClicks(palette.field, "view")
    assert palette.list.topLevelItemCount() == 2
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(palette.field, key)
    assert palette.done_ == ["items"]  # shorter texts first
    assert not palette.isVisible()


def test_what_cannot_be_done_is_not_done(palette, qtbot):
    qtbot.keyClicks(palette.field, "pause")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.done_ == []
    assert palette.isVisible()
    qtbot.keyClicks(palette.field, " nothing like it")
    assert "Nothing is called" in palette.list.topLevelItem(0).text(0)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_a_click_chooses(palette, qtbot):
    item = palette.list.topLevelItem(2)
    place = palette.list.visualItemRect(item).center()
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert palette.done_ == ["log"]


def test_later_commands_leave_what_is_typed_and_chosen(palette, qtbot):
    qtbot.keyClicks(palette.field, "view")
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    before = palette.list.currentItem().text(0)
    palette.set_commands([Command("View: Graph", lambda: None), *palette._commands])
    assert palette.field.text() == "view"
    assert palette.list.topLevelItemCount() == 3
    assert palette.list.currentItem().text(0) == before
