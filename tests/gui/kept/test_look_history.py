"""Ctrl+Z takes back what a mouse did to a view, and nothing else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from mmgraph_gui.frame.window import MainWindow
from mmgraph_gui.kept import look_history

CONTROL = Qt.KeyboardModifier.ControlModifier
CONTROL_SHIFT = CONTROL | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot, digits_run, tmp_path):
    window = MainWindow(digits_run.parent, QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.resize(1200, 800)
    window.show()
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(digits_run)
    yield window
    window.close()


def wheel(widget, turns=1):
    at = QPointF(widget.rect().center()) + QPointF(30, 20)
    event = QWheelEvent(
        at, QPointF(widget.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    for _ in range(turns):
        QApplication.sendEvent(widget, event)


def drag(widget, by):
    start = widget.rect().center()
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
    for part in (1, 2, 3, 4):
        QTest.mouseMove(widget, start + by * part / 4)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=start + by)


def embedding(qtbot, window):
    view = window.area.show_view("embedding")
    qtbot.waitUntil(lambda: len(view.cloud) > 0 and view.drawn is not None)
    return view


def undo(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL)


def test_turns_of_the_wheel_are_one_movement(qtbot, window):
    view = embedding(qtbot, window)
    whole = view.plane.viewport
    wheel(view.plane, turns=3)
    near = view.plane.viewport
    assert near.scale > whole.scale
    undo(qtbot, window)
    assert view.plane.viewport == whole
    qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL_SHIFT)
    assert view.plane.viewport.scale == pytest.approx(near.scale)


def test_movements_and_selections_are_taken_back_in_turn(qtbot, window, monkeypatch):
    monkeypatch.setattr(look_history, "MOVEMENT_SECONDS", 0.0)
    view = embedding(qtbot, window)
    wheel(view.plane)
    first = view.plane.viewport
    window.state.select([1, 2])
    wheel(view.plane)
    undo(qtbot, window)
    assert view.plane.viewport.scale == pytest.approx(first.scale)
    assert window.state.selection.tolist() == [1, 2]
    undo(qtbot, window)
    assert window.state.selection.tolist() == []
    assert view.plane.viewport.scale == pytest.approx(first.scale)
    undo(qtbot, window)
    assert view.plane.fitted
    undo(qtbot, window)  # there is no more


def test_undo_shows_the_view_that_was_moved(qtbot, window):
    filters = window.area.show_view("filters")
    qtbot.waitUntil(lambda: filters.tiles is not None)
    wheel(filters.picture)
    assert filters.picture.look()[0] > 1
    window.area.show_view("metrics")
    undo(qtbot, window)
    assert window.area.current == "filters"
    assert filters.picture.look() == (1.0, QPointF(0.5, 0.5))


def test_axes_of_curves_come_back(qtbot, window):
    view = window.area.show_view("metrics")
    qtbot.waitUntil(lambda: bool(view.plots))
    qtbot.mouseClick(view.log_y, Qt.MouseButton.LeftButton)
    assert view.log_y.isChecked()
    undo(qtbot, window)
    assert not view.log_y.isChecked()


def test_what_the_run_does_by_itself_is_no_step(qtbot, window):
    for name in list(window.area.docks):
        view = window.area.show_view(name)
        qtbot.waitUntil(lambda view=view: not view.is_pending and not view.follower.is_busy)
    window.steps.go_first()
    assert window.state.parts == {}
    window.state.select([3])
    undo(qtbot, window)
    assert window.state.selection.tolist() == []


def test_choosers_come_back_one_by_one(qtbot, window):
    embedding_view, filters = embedding(qtbot, window), window.area.show_view("filters")
    qtbot.waitUntil(lambda: filters.tiles is not None)
    embedding_view.choosers.choose("trails", True)
    filters.choosers.choose("colours", "Around zero")
    filters.choosers.choose("columns", 7)
    window.area.show_view("metrics")
    undo(qtbot, window)
    assert (filters.display.columns.value(), window.area.current) == (0, "filters")
    undo(qtbot, window)
    assert filters.scaling == "each"
    qtbot.waitUntil(lambda: filters.tiles.grid.columns != 7)
    undo(qtbot, window)
    assert not embedding_view.trails.isChecked()
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL_SHIFT)
    assert embedding_view.trails.isChecked()
    assert (filters.scaling, filters.display.columns.value()) == ("symmetric", 7)
    qtbot.waitUntil(lambda: filters.tiles.grid.columns == 7)


def test_typing_and_dragging_are_one_step(qtbot, window):
    log, metrics = window.area.show_view("log"), window.area.views["metrics"]
    qtbot.keyClicks(log.search, "warn")
    for value in (10, 40, 70):
        metrics.smoothing.setValue(value)
    window.setFocus()
    window.state.undo()
    assert metrics.smoothing.value() == 0
    window.state.undo()
    assert log.search.text() == ""
    window.state.redo()
    assert log.search.text() == "warn"


def test_how_items_are_searched_comes_back(qtbot, window):
    view = window.area.show_view("items")
    qtbot.waitUntil(lambda: view.order is not None and view.order.judged)
    search = view.search
    qtbot.keyClicks(search.field, "label:7")
    qtbot.waitUntil(lambda: len(view.order.rows) < 300)
    search.k_box.setValue(25)
    search.metric_box.setCurrentText("cosine")
    search.metric_box.activated.emit(search.metric_box.currentIndex())
    known = [(search.words, search.k_box.value(), search.measure)]
    for _ in range(3):
        window.state.undo()
        known.append((search.words, search.k_box.value(), search.measure))
    assert known == [
        ("label:7", 25, "cosine"),
        ("label:7", 25, "euclidean"),
        ("label:7", 10, "euclidean"),
        ("", 10, "euclidean"),
    ]
    qtbot.waitUntil(lambda: len(view.order.rows) == 300)
    window.state.redo()
    assert search.words == "label:7"


def test_another_run_empties_the_search_and_that_is_no_step(qtbot, window, write_run):
    view = window.area.show_view("items")
    qtbot.waitUntil(lambda: view.order is not None)
    qtbot.keyClicks(view.search.field, "label:7")
    qtbot.waitUntil(lambda: len(view.order.rows) < 300)
    other = write_run(window.state.path.parent, "other", steps=(10, 20))
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(other)
    qtbot.waitUntil(lambda: not view.search.words and not view.is_pending)
    window.state.undo()
    assert view.search.field.text() == ""


def test_nearest_neighbours_are_found_again_as_many_as_before(qtbot, window):
    view = window.area.show_view("items")
    qtbot.waitUntil(lambda: view.order is not None)
    window.state.select([3])
    window.neighbours()
    qtbot.waitUntil(lambda: view.nearest is not None and len(window.state.selection) == 11)
    view.search.k_box.setValue(5)
    qtbot.waitUntil(lambda: len(view.nearest.rows) == 6)
    window.state.undo()
    assert view.search.k_box.value() == 10
    qtbot.waitUntil(lambda: view.nearest is not None and len(view.nearest.rows) == 11)


def test_ways_of_attention_and_degrees_of_a_graph_come_back(qtbot, window):
    graph, attention = window.area.show_view("graph"), window.area.show_view("attention")
    qtbot.waitUntil(lambda: attention.edges is not None)
    attention.choosers.choose("way", "heads")
    window.state.undo()
    assert attention.choosers.values()["way"] is None
    graph = window.area.show_view("graph")
    qtbot.waitUntil(lambda: graph.layout_now is not None and not graph._busy)
    whole = graph.degrees.limits
    graph.by_degree.trigger()
    assert not graph.degrees.isHidden()
    graph.degrees.fewest.setValue(whole[1] - 1)
    graph.choosers.choose("edges", "convs.0")
    qtbot.waitUntil(lambda: graph.strength is not None)
    window.state.undo()
    qtbot.waitUntil(lambda: graph.strength is None)
    window.state.undo()  # the range and that it is shown were chosen in one go
    assert graph.degrees.isHidden()
    assert graph.degrees.limits == whole


def test_in_a_comparison_both_sides_go_back(qtbot, window):
    window.compare()
    compare = window.comparison
    qtbot.waitUntil(lambda: compare.right.state.path is not None and compare.right.state.items is not None)
    left, right = compare.pairs["embedding"]
    qtbot.waitUntil(lambda: len(left.cloud) > 0 and len(right.cloud) > 0)
    drag(left.plane, QPoint(60, 40))
    assert not left.plane.fitted
    assert not right.plane.fitted
    window.state.undo()
    assert left.plane.fitted
    assert right.plane.fitted
    window.state.select([1])
    drag(left.plane, QPoint(60, 40))
    compare.close()
    window.state.undo()  # passes over what was moved in the window that is gone
    assert window.state.selection.tolist() == []


def test_in_a_comparison_choices_are_made_and_taken_back_on_both_sides(qtbot, window):
    window.compare()
    compare = window.comparison
    qtbot.waitUntil(lambda: compare.right.state.path is not None and compare.right.state.items is not None)
    left, right = compare.pairs["embedding"]
    qtbot.waitUntil(lambda: len(left.cloud) > 0 and len(right.cloud) > 0)
    right.choosers.choose("trails", True)
    assert left.trails.isChecked()
    window.state.undo()
    assert (left.trails.isChecked(), right.trails.isChecked()) == (False, False)
    compare.views_lock.set_on(False)
    left.choosers.choose("trails", True)
    assert not right.trails.isChecked()
