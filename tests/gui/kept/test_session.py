from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from PySide6.QtCore import QSettings

from mmgraph_gui.frame.window import MainWindow
from mmgraph_gui.kept.session import KEY
from mmgraph_gui.views.points.plane_look import PlaneLook


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def start(qtbot, settings, digits_run):
    """`start()`: another window with the same settings, as at the next start."""

    def make() -> MainWindow:
        window = MainWindow(digits_run.parent, settings)
        qtbot.addWidget(window)
        window.show()
        return window

    return make


def opened(qtbot, window, do):
    with qtbot.waitSignal(window.follower.opened):
        do()
    qtbot.waitUntil(lambda: window.state.prediction is not None)
    return window.state


def test_the_next_start_goes_on_where_the_last_one_ended(qtbot, start, digits_run):
    first = start()
    state = opened(qtbot, first, lambda: first.open_run(digits_run))
    state.select([5, 9])
    state.set_colour_by("ink")
    state.set_layer("embedding", "encoder")
    state.set_head(2)
    state.set_step(20)
    first.area.show_view("matrix")
    first.close()

    second = start()
    state = opened(qtbot, second, second.take_up_session)
    assert state.path == digits_run
    assert (state.step, state.follow) == (20, False)
    assert (state.selection.tolist(), state.colour_by, state.head) == ([5, 9], "ink", 2)
    assert state.layer("embedding") == "encoder"
    qtbot.waitUntil(lambda: second.area.current == "matrix")
    state.undo()  # the history is that of this window
    assert state.selection.tolist() == [5, 9]
    second.close()


def test_who_followed_goes_on_following(qtbot, start, digits_run):
    first = start()
    opened(qtbot, first, lambda: first.open_run(digits_run))
    first.close()
    second = start()
    state = opened(qtbot, second, second.take_up_session)
    assert (state.step, state.follow) == (40, True)
    second.close()


def test_a_run_that_is_gone_is_not_opened(qtbot, start, digits_run):
    first = start()
    opened(qtbot, first, lambda: first.open_run(digits_run))
    first.close()
    shutil.rmtree(digits_run)
    second = start()
    second.take_up_session()
    assert second.state.path is None
    assert second.banner.text == ""
    second.close()


@pytest.mark.parametrize(
    "stored",
    [
        "", "nonsense", "[1]", '{"run": 3}', '{"run": "/", "selection": ["a"], "colour": "x", "layers": {}}',
        '{"run": "/", "selection": [], "colour": "x", "layers": {}, "step": 1, "head": 1, "hidden": 3}',
        '{"run": "/", "selection": [], "colour": "x", "layers": {}, "step": 1, "head": 1, "views": []}',
    ],
)  # fmt: skip
def test_damaged_notes_are_left_alone(start, settings, stored):
    settings.setValue(KEY, stored)
    window = start()
    window.take_up_session()
    assert window.state.path is None
    window.close()


def test_what_the_run_no_longer_has_is_left_out(qtbot, start, settings, digits_run):
    stored = {
        "run": str(digits_run), "step": 99, "selection": [3, -1, 10**6], "colour": "gone", "layers": {"embedding": "x"},
        "head": None,
    }  # fmt: skip
    settings.setValue(KEY, json.dumps(stored))
    window = start()
    state = opened(qtbot, window, window.take_up_session)
    assert (state.selection.tolist(), state.colour_by, state.layer("embedding")) == ([3], "label", "convs.1")
    assert state.step == 40
    window.close()


def near(plane):
    """A part of a plane: twice as large as all of it."""
    return PlaneLook.of(replace(plane.viewport, scale=2 * plane.viewport.scale), plane.corners)


def settled(qtbot, window, name):
    """A view when it has drawn, and is as it was before."""
    view = window.area.show_view(name)
    qtbot.waitUntil(
        lambda: (
            name not in window.views_as_before._wanted and not view.is_pending and not window.follower.is_busy
        )
    )
    return view


def test_views_are_as_they_were(qtbot, start, digits_run):
    first = start()
    state = opened(qtbot, first, lambda: first.open_run(digits_run))
    state.set_hidden([3, 4])
    filters = settled(qtbot, first, "filters")
    filters.choosers.choose("colours", "Around zero")
    filters.choosers.choose("columns", 3)
    settled(qtbot, first, "filters")
    filters.picture.zoom(filters.picture.rect().center().toPointF(), 2.0)
    zoomed = filters.look()
    graph = settled(qtbot, first, "graph")
    graph.by_degree.trigger()
    graph.degrees.fewest.setValue(8)
    embedding = settled(qtbot, first, "embedding")
    embedding.choosers.choose("trails", True)
    embedding.space.click()
    settled(qtbot, first, "embedding")
    embedding.plane.look_at(near(embedding.plane), same_places=True)
    span = embedding.look().plane.span
    metrics = settled(qtbot, first, "metrics")
    metrics.smoothing.setValue(30)
    metrics.log_x.click()
    first.close()

    second = start()
    state = opened(qtbot, second, second.take_up_session)
    assert state.hidden == {3, 4}
    metrics = settled(qtbot, second, "metrics")
    assert (metrics.smoothing.value(), metrics.log_x.isChecked()) == (30, True)
    embedding = settled(qtbot, second, "embedding")
    assert (embedding.trails.isChecked(), embedding.dimensions) == (True, 3)
    assert embedding.look().plane.span == pytest.approx(span, rel=0.02)
    filters = settled(qtbot, second, "filters")
    assert (filters.scaling, filters.display.columns.value(), filters.look()) == ("symmetric", 3, zoomed)
    second.close()  # the graph was not seen this time

    third = start()
    opened(qtbot, third, third.take_up_session)
    graph = settled(qtbot, third, "graph")
    assert not graph.degrees.isHidden()
    assert graph.degrees.limits[0] == 8
    assert graph.by_degree.isChecked()
    third.state.undo()  # what was put back is no step
    assert graph.degrees.limits[0] == 8
    third.close()


@pytest.mark.parametrize(
    "note", [3, {}, {"chosen": 3, "look": "x"}, {"chosen": {"projection": 7}, "look": {"plane": []}}]
)
def test_damaged_notes_of_a_view_are_left_alone(qtbot, start, settings, digits_run, note):
    stored = {
        "run": str(digits_run), "step": 20, "selection": [], "colour": "label", "layers": {}, "head": None,
        "views": {"embedding": note, "gone": note, "metrics": note},
    }  # fmt: skip
    settings.setValue(KEY, json.dumps(stored))
    window = start()
    state = opened(qtbot, window, window.take_up_session)
    assert state.step == 20
    embedding = settled(qtbot, window, "embedding")
    assert (embedding.method, embedding.plane.fitted, window.banner.text) == ("PCA", True, "")
    window.close()
