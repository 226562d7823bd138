from __future__ import annotations

import json
import shutil

import pytest
from PySide6.QtCore import QSettings

from mmgraph_gui.session import KEY
from mmgraph_gui.window import MainWindow


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
    ["", "nonsense", "[1]", '{"run": 3}', '{"run": "/", "selection": ["a"], "colour": "x", "layers": {}}'],
)
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
