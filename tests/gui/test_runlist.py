from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import Qt

from mmgraph.runs import RunWriter, Status
from mmgraph_gui.runlist import RunList, age, headline, runs_among


@pytest.fixture
def runlist(qtbot, theme, digits_run):
    runlist = RunList(digits_run.parent, theme)
    qtbot.addWidget(runlist)
    yield runlist
    runlist.close_worker()


def rows(runlist: RunList) -> list[str]:
    return [runlist.list.item(i).text() for i in range(runlist.list.count())]


def test_lists_runs_with_state_and_metric(qtbot, runlist):
    qtbot.waitUntil(lambda: len(rows(runlist)) == 1)
    name, state, metric = rows(runlist)[0].split("\n")
    assert name == "digits"
    assert state.startswith("finished")
    assert metric == "validation accuracy 0.9"
    assert runlist.hint.isHidden()


def test_new_damaged_and_foreign_runs_appear(qtbot, runlist, tmp_path):
    qtbot.waitUntil(lambda: len(rows(runlist)) == 1)
    damaged = runlist.root / "damaged"
    damaged.mkdir()
    (damaged / "run.db").write_bytes(b"x" * 500)
    live = RunWriter.create(runlist.root, "live", {"run": {"recipe": "r"}})
    elsewhere = RunWriter.create(tmp_path / "elsewhere", "other", {})
    elsewhere.close("stopped")
    runlist.show_run(elsewhere.folder)
    qtbot.waitUntil(lambda: len(rows(runlist)) == 4)
    states = {entry.path.name: entry.state for entry in runlist.entries}
    assert states == {"other": "stopped", "live": "running", "damaged": "damaged", "digits": "finished"}
    assert runlist.list.currentItem().text().startswith("other")
    live.close("failed")
    qtbot.waitUntil(lambda: "failed" in {entry.state for entry in runlist.entries})


def test_the_dot_of_the_open_run_stands_out_from_its_row(qtbot, runlist, theme, pixels_of):
    runlist.resize(250, 400)
    runlist.show()
    qtbot.waitUntil(lambda: len(rows(runlist)) == 1)
    for mode in ("dark", "light"):
        theme.set_mode(mode)
        runlist.show_run(runlist.entries[0].path)
        row = runlist.list.visualItemRect(runlist.list.item(0))
        pixels = pixels_of(runlist.list.viewport())[row.top() : row.bottom(), :30].reshape(-1, 3)
        wanted = [theme.palette.background, theme.palette.good]
        for colour in wanted:
            parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
            assert (np.abs(pixels.astype(int) - parts).max(axis=1) <= 16).sum() >= 3


def test_nothing_is_written_again_while_nothing_changes(qtbot, runlist):
    qtbot.waitUntil(lambda: len(rows(runlist)) == 1)
    changed = []
    runlist.list.itemChanged.connect(changed.append)
    runlist._take(list(runlist.entries))
    runlist._fill()
    assert changed == []


def test_click_opens_a_run(qtbot, runlist):
    runlist.resize(250, 400)
    runlist.show()
    qtbot.waitUntil(lambda: len(rows(runlist)) == 1)
    place = runlist.list.visualItemRect(runlist.list.item(0)).center()
    with qtbot.waitSignal(runlist.chosen) as chosen:
        qtbot.mouseClick(runlist.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args[0].name == "digits"


def test_menu_offers_what_the_run_allows(qtbot, runlist):
    qtbot.waitUntil(lambda: len(rows(runlist)) == 1)
    menu = runlist.menu_of(runlist.entries[0])
    enabled = {action.text(): action.isEnabled() for action in menu.actions() if action.text()}
    assert enabled == {"Open": True, "Resume training": False, "Delete…": True}
    menu.deleteLater()


def test_empty_folder_says_what_to_do(qtbot, theme, tmp_path):
    runlist = RunList(tmp_path / "none", theme)
    qtbot.addWidget(runlist)
    qtbot.waitUntil(lambda: "Ctrl+N" in runlist.hint.text())
    runlist.close_worker()


def test_dropped_paths_are_runs_or_folders_of_runs(digits_run):
    file = digits_run / "items" / "items.safetensors"
    assert runs_among([file]) == ([digits_run], [])
    assert runs_among([digits_run / "config.toml"]) == ([digits_run], [])
    assert runs_among([digits_run.parent]) == ([], [digits_run.parent])
    assert runs_among([digits_run.parent / "nothing"]) == ([], [])


@pytest.mark.parametrize(
    ("seconds", "words"), [(2, ""), (45, "45 s ago"), (130, "2 min ago"), (90000, "1 d ago")]
)
def test_age_in_words(seconds, words):
    assert age(time.time() - seconds) == words


def test_headline_prefers_the_test_accuracy():
    assert (
        headline(Status("finished", metrics={"train/loss": 1.0, "test/accuracy": 0.5})) == "test accuracy 0.5"
    )
    assert headline(Status("finished", metrics={"b": 2.0, "a": 1.0})) == "a 1"
    assert headline(Status("finished")) == ""
