"""What is opened, dropped and pasted."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication

from mmgraph.runs import RunWriter


def files(*paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


HELD = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def drop(window, data):
    action, button, key = HELD
    window.dropEvent(QDropEvent(QPointF(5, 5), action, data, button, key))


def may_drop(window, data):
    action, button, key = HELD
    event = QDragEnterEvent(QPoint(5, 5), action, data, button, key)
    event.ignore()
    window.dragEnterEvent(event)
    return event.isAccepted()


def test_dropping_a_file_of_a_run_opens_it(qtbot, window, digits_run):
    with qtbot.waitSignal(window.follower.opened):
        drop(window, files(digits_run / "config.toml"))
    assert window.state.path == digits_run


@pytest.fixture
def brought(opened_window, monkeypatch):
    """What is brought before the model of the open run, as (how, what)."""
    found = []
    for how in ("bring_file", "bring_text", "bring_image"):
        monkeypatch.setattr(opened_window.own, how, lambda what, how=how: found.append((how, what)))
    return found


def test_own_items_are_dropped_and_pasted(qtbot, opened_window, brought, tmp_path):
    picture = tmp_path / "shoe.PNG"
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    image.save(str(picture))
    drop(opened_window, files(picture))
    qtbot.waitUntil(lambda: brought == [("bring_file", picture)])
    clipboard = QApplication.clipboard()
    clipboard.setText("a red circle")
    opened_window.actions_["paste"].trigger()
    assert brought[1] == ("bring_text", "a red circle")
    clipboard.setImage(image)
    opened_window.actions_["paste"].trigger()
    assert brought[2][0] == "bring_image"
    assert brought[2][1].size() == image.size()
    clipboard.clear()


def test_a_text_can_be_dropped_where_a_run_is_open(opened_window, tmp_path):
    text = QMimeData()
    text.setText("a red circle")
    assert may_drop(opened_window, text)
    assert may_drop(opened_window, files(tmp_path))
    assert not may_drop(opened_window, QMimeData())
    opened_window.follower.open(None)
    assert not may_drop(opened_window, text)


def test_an_empty_clipboard_and_several_files_at_once_are_told(qtbot, opened_window, brought, tmp_path):
    QApplication.clipboard().clear()
    opened_window.actions_["paste"].trigger()
    assert "no picture, file or text" in opened_window.banner.text
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for one in pictures:
        one.touch()
    opened_window.opening.open(pictures)
    qtbot.waitUntil(lambda: opened_window.banner.text == "Bring one item at a time: these are 2 files.")
    assert brought == []


def test_opening_a_folder_of_runs_lists_them(qtbot, window, tmp_path):
    RunWriter.create(tmp_path / "other", "a", {}).close("finished")
    window.opening.open([tmp_path / "other"])
    qtbot.waitUntil(lambda: [entry.path.name for entry in window.runs.entries] == ["a"])
    qtbot.waitUntil(lambda: window.state.path == tmp_path / "other" / "a")  # the only one
    for name in ("b", "c"):
        RunWriter.create(tmp_path / "more", name, {}).close("finished")
    window.opening.open([tmp_path / "more"])
    qtbot.waitUntil(lambda: {"b", "c"} <= {entry.path.name for entry in window.runs.entries})
    assert window.state.path == tmp_path / "other" / "a"


@pytest.mark.parametrize("what", ["nothing", "empty", "damaged"])
def test_what_is_no_run_gives_a_message(qtbot, window, tmp_path, what):
    folder = tmp_path / what
    if what != "nothing":
        folder.mkdir()
    if what == "damaged":
        (folder / "run.db").write_bytes(b"x" * 500)
    window.opening.open([folder])
    qtbot.waitUntil(lambda: str(folder) in window.banner.text)
    assert window.state.path is None
