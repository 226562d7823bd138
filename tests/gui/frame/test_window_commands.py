from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication

from mmgraph_gui.frame.commands import CommandPalette
from mmgraph_gui.frame.window import MainWindow
from mmgraph_gui.frame.window_commands import offer_commands, window_commands


@pytest.fixture
def window(qtbot, tmp_path, digits_run):
    window = MainWindow(digits_run.parent, QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(digits_run)
    qtbot.waitUntil(lambda: window.state.prediction is not None and bool(window.runs.entries))
    yield window
    window.close()


def chosen(qtbot, window, words):
    """What is found first for what is typed, and done with Enter."""
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = QApplication.activePopupWidget()
    qtbot.waitUntil(lambda: window.area.unmade() == [])
    qtbot.keyClicks(palette.field, words)
    text = palette.list.currentItem().text(0)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    return text


def test_the_window_offers_menus_colours_layers_and_runs(qtbot, window):
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


@pytest.mark.parametrize(
    ("words", "found", "view"),
    [
        ("umap", "Embedding: Projection › UMAP", "embedding"),
        ("trails", "Embedding: Trails › on", "embedding"),
        ("hdbscan", "Embedding: Clusters by HDBSCAN", "embedding"),
        ("around zero", "Filters: Colour range › Around zero", "filters"),
        ("graphml", "Graph: GraphML", "graph"),
        ("filter degree", "Graph: Filter by degree", "graph"),
        ("all heads", "Attention: Show › All heads", "attention"),
        ("embedding lasso", "Embedding: Tool: Lasso", "embedding"),
    ],
)
def test_what_a_view_can_do_is_found_and_done_in_it(qtbot, window, monkeypatch, words, found, view):
    monkeypatch.setattr("PySide6.QtWidgets.QFileDialog.getSaveFileName", lambda *_, **__: ("", ""))
    text = chosen(qtbot, window, words)
    assert text == found.rstrip("…")
    qtbot.waitUntil(lambda: window.area.current == view)


def test_what_was_chosen_is_done_and_undone(qtbot, window):
    embedding = window.area.show_view("embedding")
    window.area.show_view("log")
    chosen(qtbot, window, "t-sne")
    assert embedding.method == "t-SNE"
    window.state.undo()
    assert embedding.method == "PCA"


def test_entries_say_their_keys_and_whether_they_can_be_used(qtbot, window):
    embedding = window.area.show_view("embedding")
    offered = {command.text: command for command in window_commands(window)}
    assert not offered["Embedding: Selection to CSV"].enabled
    window.state.select([1, 2])
    offered = {command.text: command for command in window_commands(window)}
    assert offered["Embedding: Selection to CSV"].enabled
    offered["Embedding: Trails › on"].do()
    assert embedding.trails.isChecked()
    assert "Embedding: Trails › off" in {command.text for command in window_commands(window)}


def test_a_colour_is_shown_in_a_view_that_has_colours(window):
    window.area.show_view("log")
    offered = {command.text: command for command in window_commands(window)}
    offered["Colour: by ink"].do()
    assert window.area.current == "embedding"
    offered["Layer: filters of encoder.conv1"].do()
    assert window.area.current == "filters"


def test_one_can_type_between_any_two_views_that_are_made_for_the_palette(qtbot, window):
    turns, made = [0], []
    ticking = QTimer(interval=0)
    ticking.timeout.connect(lambda: turns.append(turns[-1] + 1))
    window.area.made.connect(lambda name, _: made.append((name, turns[-1])))
    unmade = window.area.unmade()
    assert len(unmade) > 3
    palette = offer_commands(window)
    ticking.start()
    qtbot.waitUntil(lambda: window.area.unmade() == [])
    ticking.stop()
    palette.close()
    assert [name for name, _ in made] == unmade
    assert len({turn for _, turn in made}) == len(made)


def test_a_view_that_is_half_made_for_the_palette_is_made_whole_when_it_is_looked_at(qtbot, window):
    name = window.area.unmade()[0]
    assert window.area.prepare(name)
    assert name in window.area.unmade()
    view = window.area.show_view(name)
    assert window.area.docks[name].widget() is view
    assert not window.area.is_prepared(name)
    qtbot.waitUntil(lambda: view.isVisible() and not view.is_pending)
    other = window.area.unmade()[0]
    window.area.prepare(other)
    window.close()  # and one that nobody looks at is let go
    assert window.area.is_prepared(other)
