from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication

from mmgraph_gui.commands import Command, CommandPalette, fit, ranked, window_commands
from mmgraph_gui.window import MainWindow


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


def test_the_window_offers_menus_colours_layers_and_runs(qtbot, tmp_path, digits_run):
    window = MainWindow(
        digits_run.parent, QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    )
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(digits_run)
    qtbot.waitUntil(lambda: window.state.prediction is not None and bool(window.runs.entries))
    offered = {command.text: command for command in window_commands(window)}
    assert offered["Run: Pause"].key == "Ctrl+P"
    assert not offered["Run: Pause"].enabled
    assert offered["View: Theme › Dark"].enabled
    assert "Open run: digits" in offered
    offered["Layer: embedding of encoder"].do()
    offered["Colour: by ink"].do()
    assert (window.state.layer("embedding"), window.state.colour_by) == ("encoder", "ink")
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = QApplication.activePopupWidget()
    assert isinstance(palette, CommandPalette)
    qtbot.keyClicks(palette.field, "view log")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.area.current == "log")
    window.close()
