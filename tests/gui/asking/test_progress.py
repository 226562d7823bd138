from __future__ import annotations

import csv
import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from mmgraph.errors import UsageError
from mmgraph.whole_file import whole_file
from mmgraph_gui.asking.progress import ProgressDialog, write_csv, write_in_worker


@pytest.fixture
def parent(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    return widget


def shown(parent):
    return [dialog for dialog in parent.findChildren(ProgressDialog) if dialog.isVisible()]


def test_what_is_quick_shows_no_dialog(qtbot, parent, context, tmp_path):
    done, path = [], tmp_path / "a.csv"
    write_in_worker(
        parent,
        context.follower,
        "Writing",
        lambda progress: write_csv(("n",), [(1,), (2,)], path, progress, total=2),
        lambda: done.append(shown(parent)),
    )
    qtbot.waitUntil(lambda: bool(done))
    assert done == [[]]
    assert list(csv.reader(path.read_text().splitlines())) == [["n"], ["1"], ["2"]]
    qtbot.waitUntil(lambda: parent.findChildren(ProgressDialog) == [])


def test_a_table_without_rows_is_its_head(tmp_path):
    write_csv(("a", "b"), [], tmp_path / "a.csv", lambda *_: None)
    assert (tmp_path / "a.csv").read_text().splitlines() == ["a,b"]


def test_cancel_by_key_leaves_no_half_file(qtbot, parent, context, tmp_path):
    done, messages, path = [], [], tmp_path / "rows.csv"
    context.follower.message.connect(messages.append)

    def endless():
        while True:
            yield (1,)

    def write(progress):
        with whole_file(path, UsageError) as part:
            write_csv(("n",), endless(), part, progress)

    write_in_worker(parent, context.follower, "Writing rows", write, lambda: done.append(True))
    qtbot.waitUntil(lambda: len(shown(parent)) == 1)
    dialog = shown(parent)[0]
    qtbot.waitUntil(lambda: "rows written" in dialog.label.text())
    assert dialog.bar.maximum() == 0  # nobody knows how many there are
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not context.follower.is_busy)
    assert list(tmp_path.iterdir()) == [tmp_path / "cache"] * (tmp_path / "cache").exists()
    assert (done, messages) == ([], [])


def test_the_button_cancels_too_and_share_and_time_left_are_told(qtbot, parent, monkeypatch):
    monkeypatch.setattr("mmgraph_gui.asking.progress.FORETOLD_SECONDS", 0.0)
    dialog = ProgressDialog("Writing", parent)
    dialog.say(0.25, "a quarter")
    assert (dialog.bar.value(), dialog.bar.maximum(), dialog.label.text()) == (250, 1000, "a quarter")
    assert dialog.left.text().endswith("left")
    with qtbot.waitSignal(dialog.cancelled):
        dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Cancel).click()
    assert not dialog.isVisible()


def test_what_fails_says_so_in_a_sentence(qtbot, parent, context, tmp_path):
    path = tmp_path / "no" / "such.csv"

    def write(progress):
        with whole_file(path, UsageError) as part:
            write_csv(("n",), [], part, progress)

    with qtbot.waitSignal(context.follower.message) as told:
        write_in_worker(parent, context.follower, "Writing", write, lambda: None)
    assert told.args == [f"'{path}' could not be written: No such file or directory."]
    qtbot.waitUntil(lambda: parent.findChildren(ProgressDialog) == [])


def test_it_goes_on_when_another_run_is_opened(qtbot, parent, opened, digits_run):
    done, go_on = [], threading.Event()
    write_in_worker(
        parent, opened.follower, "Writing", lambda _: go_on.wait(), lambda: done.append(opened.state.path)
    )
    opened.follower.open(digits_run)
    go_on.set()
    qtbot.waitUntil(lambda: bool(done))
    assert done == [digits_run]
