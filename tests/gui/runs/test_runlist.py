from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSettings, Qt

from mmgraph.runs import RunNotes, RunWriter, write_notes
from mmgraph_gui.runs.runlist import COLUMNS_FROM, RunList
from mmgraph_gui.runs.runmodel import PLACES
from mmgraph_gui.runs.runwatch import run_to_open, runs_among


@pytest.fixture
def runlist(qtbot, theme, digits_run):
    runlist = RunList(digits_run.parent, theme)
    qtbot.addWidget(runlist)
    yield runlist
    runlist.close_worker()


@pytest.fixture
def several(qtbot, runlist):
    """digits and three more, with numbers, tags and names of other scripts."""
    for name, loss, tags in (
        ("a", 0.5, ("baseline",)),
        ("b", np.nan, ()),
        ("שלום-🦊", 0.1, ("best", "עברית")),
    ):
        with RunWriter.create(runlist.root, name, {"run": {"recipe": "r", "dataset": "cora"}}) as run:
            for step, value in enumerate(
                np.linspace(1, loss, 30) if loss == loss else [np.nan] * 30, start=1
            ):
                run.scalars(step, {"train/loss": value})
            run.status(step=30, metrics={"train/loss": loss}, seconds=loss * 100 if loss == loss else 0.0)
            run.flush()
        write_notes(run.folder, RunNotes(tags, "slow but sure" if name == "a" else ""))
    runlist.resize(250, 500)
    runlist.show()
    runlist.refresh()  # instead of waiting for its turn
    qtbot.waitUntil(lambda: len(names(runlist)) == 4)
    return runlist


def names(runlist: RunList) -> list[str]:
    return [entry.summary.name for entry in runlist.shown()]


def box(runlist: RunList, row: int) -> QPoint:
    place = runlist.view.visualRect(runlist.order.index(row, 0))
    return runlist.cell.box_of(place, runlist.fontMetrics().height()).center().toPoint()


def test_lists_runs_with_state_and_metric(qtbot, runlist):
    qtbot.waitUntil(lambda: names(runlist) == ["digits"])
    entry = runlist.shown()[0]
    assert (entry.state, entry.metric) == ("finished", "validation accuracy 0.8967")
    assert runlist.hint.isHidden()


def test_new_damaged_and_foreign_runs_appear(qtbot, runlist, tmp_path):
    qtbot.waitUntil(lambda: len(names(runlist)) == 1)
    damaged = runlist.root / "damaged"
    damaged.mkdir()
    (damaged / "run.db").write_bytes(b"x" * 500)
    live = RunWriter.create(runlist.root, "live", {"run": {"recipe": "r"}})
    elsewhere = RunWriter.create(tmp_path / "elsewhere", "other", {})
    elsewhere.close("stopped")
    runlist.show_run(elsewhere.folder)
    qtbot.waitUntil(lambda: len(names(runlist)) == 4)
    states = {entry.path.name: entry.state for entry in runlist.entries}
    assert states == {"other": "stopped", "live": "running", "damaged": "unreadable", "digits": "finished"}
    qtbot.waitUntil(lambda: runlist.view.currentIndex().data() == "other")
    damaged_row = runlist.order.index(names(runlist).index("damaged"), 0)
    assert "is damaged" in damaged_row.data(Qt.ItemDataRole.ToolTipRole)
    live.close("failed")
    qtbot.waitUntil(lambda: "failed" in {entry.state for entry in runlist.entries})


def test_a_deleted_run_goes_and_the_mark_stays(qtbot, several):
    several.show_run(several.root / "a")
    assert several.view.currentIndex().data() == "a"
    shutil.rmtree(several.root / "b")
    several.refresh()
    qtbot.waitUntil(lambda: len(names(several)) == 3)
    assert several.view.currentIndex().data() == "a"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_becomes_unreadable_says_so(qtbot, runlist):
    qtbot.waitUntil(lambda: len(names(runlist)) == 1)
    runlist.root.chmod(0)
    try:
        runlist.refresh()
        qtbot.waitUntil(lambda: "cannot be looked into" in runlist.hint.text())
    finally:
        runlist.root.chmod(0o755)


def test_a_folder_that_cannot_be_read_is_told_in_place(qtbot, runlist, tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    runlist.set_root(file)
    qtbot.waitUntil(lambda: "cannot be looked into (Not a directory)" in runlist.hint.text())


def test_search_looks_at_every_word(qtbot, several):
    for text, found in (
        ("baseline", {"a"}), ("slow sure", {"a"}), ("עברית", {"שלום-🦊"}), ("🦊", {"שלום-🦊"}),
        ("cora finished", {"a", "b", "שלום-🦊"}), ("DIGITS", {"digits"}), ("nothing at all", set()),
    ):  # fmt: skip
        several.search.setText(text)
        assert set(names(several)) == found, text
    assert several.hint.text() == "None of 4 runs has these words."
    several.search.clear()
    assert len(names(several)) == 4
    assert several.hint.isHidden()


def test_sorts_by_any_column_and_what_has_no_value_comes_last(several):
    for falling in (False, True):
        several.sort("best", falling=falling)
        assert names(several)[-1] == "b"
        values = [entry.best[1] for entry in several.shown()[:-1]]
        assert values == sorted(values, reverse=falling)
    for column in PLACES:
        several.sort(column)
        assert len(names(several)) == 4
    several.sort("name")
    assert names(several) == ["a", "b", "digits", "שלום-🦊"]
    several.sort("time")
    assert names(several)[0] == "a"


def test_the_small_curve_is_of_the_chief_number(several):
    entries = {entry.summary.name: entry for entry in several.shown()}
    assert entries["digits"].trace_of == "validation/accuracy"
    assert entries["digits"].trace[0] == 0
    assert entries["digits"].trace[-1] == 1
    falling = entries["a"].trace
    assert list(falling) == sorted(falling, reverse=True)
    assert entries["b"].trace == ()
    assert entries["b"].metric == "train loss nan"


def test_narrow_shows_cards_and_wide_shows_columns_that_can_be_hidden(qtbot, theme, several, tmp_path):
    header = several.view.header()
    assert header.isHidden()
    assert all(several.view.isColumnHidden(place) for place in range(1, len(PLACES)))
    assert several.view.columnWidth(0) <= 250
    several.resize(COLUMNS_FROM + 200, 500)
    assert not header.isHidden()
    assert not any(several.view.isColumnHidden(place) for place in range(len(PLACES)))
    menu = several.columns_menu()
    for action in menu.actions():
        if action.text() == "State":
            action.trigger()
    assert not several.view.isColumnHidden(PLACES["notes"])
    assert several.view.isColumnHidden(PLACES["state"])
    several.resize(250, 500)
    assert several.view.isColumnHidden(PLACES["notes"])
    several.resize(900, 500)
    assert not several.view.isColumnHidden(PLACES["notes"])
    assert several.view.isColumnHidden(PLACES["state"])


def test_nothing_is_cut_in_wide_columns(qtbot, several, monkeypatch):
    painted = {}

    def spy(painter, area, words, colour, elide=Qt.TextElideMode.ElideRight):
        painted[words] = painter.fontMetrics().elidedText(words, elide, area.width())

    monkeypatch.setattr(several.cell, "_words", spy)
    several.resize(1400, 500)
    several.view.grab()
    assert {"finished", "r", "cora", "train loss 0.5", "50 s", "baseline", "slow but sure"} <= painted.keys()
    assert all(shown == words for words, shown in painted.items())


def test_columns_are_kept_from_start_to_start(qtbot, theme, digits_run, tmp_path):
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    for hidden in (False, True):
        runlist = RunList(digits_run.parent, theme, settings=settings)
        qtbot.addWidget(runlist)
        runlist.resize(900, 400)
        runlist.show()
        assert runlist.view.isColumnHidden(PLACES["tags"]) == hidden
        runlist.view.setColumnHidden(PLACES["tags"], True)
        runlist.close_worker()


def test_rows_look_right_in_both_themes_and_shapes(qtbot, several, theme, pixels_of):
    for mode in ("dark", "light"):
        theme.set_mode(mode)
        for wide in (250, 900):
            several.resize(wide, 500)
            row = several.view.visualRect(several.order.index(names(several).index("digits"), 0))
            right = several.view.viewport().width()
            if wide == 900:
                row.setLeft(several.view.columnViewportPosition(PLACES["state"]))
            pixels = pixels_of(several.view.viewport())[row.top() : row.bottom(), row.left() : right].reshape(
                -1, 3
            )
            for colour in (theme.palette.good, theme.palette.foreground):
                part = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
                assert (np.abs(pixels.astype(int) - part).max(axis=-1) <= 24).any(), (mode, wide, colour)


def test_what_has_not_changed_is_not_touched(qtbot, runlist):
    qtbot.waitUntil(lambda: len(names(runlist)) == 1)
    changed = []
    runlist.model.dataChanged.connect(lambda *_: changed.append(True))
    runlist.model.rowsInserted.connect(lambda *_: changed.append(True))
    runlist._take(list(runlist.entries))
    assert changed == []


def test_click_opens_a_run_and_its_box_checks_it(qtbot, several):
    row = names(several).index("digits")
    chosen, checked = [], []
    several.chosen.connect(chosen.append)
    several.checked.connect(lambda path, on: checked.append((path.name, on)))
    qtbot.mouseClick(several.view.viewport(), Qt.MouseButton.LeftButton, pos=box(several, row))
    assert (chosen, checked) == ([], [("digits", True)])
    several.show_checked(frozenset({several.root / "digits"}))
    qtbot.mouseClick(several.view.viewport(), Qt.MouseButton.LeftButton, pos=box(several, row))
    assert checked[1:] == [("digits", False)]
    place = several.view.visualRect(several.order.index(row, 0)).center()
    qtbot.mouseClick(several.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert [path.name for path in chosen] == ["digits"]


def test_keys_open_check_note_and_delete(qtbot, several):
    wanted, chosen, checked = [], [], []
    several.wanted.connect(lambda name, path: wanted.append((name, path.name)))
    several.chosen.connect(lambda path: chosen.append(path.name))
    several.checked.connect(lambda path, on: checked.append((path.name, on)))
    several.sort("name")
    several.view.setCurrentIndex(several.order.index(0, 0))
    qtbot.keyClick(several.view, Qt.Key.Key_Down)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_F2, Qt.Key.Key_Delete, Qt.Key.Key_Return):
        qtbot.keyClick(several.view, key)
    assert checked == [("b", True)]
    assert wanted == [("notes", "b"), ("delete", "b")]
    assert chosen == ["b"]


def test_menu_offers_what_the_run_allows(qtbot, runlist):
    qtbot.waitUntil(lambda: len(names(runlist)) == 1)
    menu = runlist.menu_of(runlist.entries[0])
    enabled = {a.text().split("\t")[0]: a.isEnabled() for a in menu.actions() if a.text()}
    assert enabled["Open"]
    assert enabled["Tags and notes…"]
    assert enabled["Delete…"]
    assert not enabled["Resume training"]
    assert not enabled["Stop training"]
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


def test_of_a_folder_its_only_run_is_wanted_or_the_newest_that_is_running(tmp_path):
    assert run_to_open(tmp_path) is None
    assert run_to_open(tmp_path / "nothing") is None
    first = RunWriter.create(tmp_path, "a", {})
    first.close("finished")
    assert run_to_open(tmp_path) == first.folder
    second = RunWriter.create(tmp_path, "b", {})
    second.close("finished")
    assert run_to_open(tmp_path) is None
    with RunWriter.create(tmp_path, "c", {}) as older, RunWriter.create(tmp_path, "d", {}) as newer:
        os.utime(older.folder / "config.toml", (1, 1))
        assert run_to_open(tmp_path) == newer.folder


def test_the_open_run_is_marked_where_the_folder_was_given_as_seen_from_here(
    qtbot, theme, digits_run, monkeypatch
):
    monkeypatch.chdir(digits_run.parent)
    runlist = RunList(Path(), theme)
    qtbot.addWidget(runlist)
    runlist.show_run(digits_run)
    qtbot.waitUntil(lambda: any(entry.path == digits_run for entry in runlist.entries))
    qtbot.waitUntil(lambda: runlist.view.currentIndex().isValid())
    assert runlist.view.currentIndex().data() == digits_run.name
    runlist.close_worker()
