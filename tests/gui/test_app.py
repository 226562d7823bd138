from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from mmgraph import compiled
from mmgraph.errors import DisplayError, UsageError
from mmgraph_gui import app, display
from mmgraph_gui.collector import Collector
from mmgraph_gui.views.registry import VIEW_FOR_KIND, VIEW_SPECS

OPEN_EVERYTHING = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from mmgraph_gui import app
from mmgraph_gui.frame import window

class Window(window.MainWindow):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.follower.opened.connect(self.look)
    def look(self):
        for name in list(self.area.docks):
            self.area.show_view(name)
            QApplication.processEvents()
        self.new_run = None
        from mmgraph_gui.runs.newrun import NewRunDialog
        NewRunDialog(self.theme, self).close()
        print(*sorted(self.area.views))
        print([name for name in ("torch", "torch_geometric") if name in sys.modules])
        self.close()
        QApplication.quit()

window.MainWindow = Window
sys.exit(app.main(Path(sys.argv[1])))
"""


def test_window_with_every_view_and_the_form_imports_no_torch(digits_run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    command = [sys.executable, "-c", OPEN_EVERYTHING, str(digits_run)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    views, torch = done.stdout.splitlines()
    assert {"metrics", "log"} <= set(views.split())
    assert torch == "[]"


def test_what_is_there_is_left_to_the_window(tmp_path, monkeypatch):
    app._check_there(tmp_path)  # a folder without runs
    (tmp_path / "a.txt").write_text("no run")
    app._check_there(tmp_path / "a.txt")

    def forbidden(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(app.os, "stat", forbidden)
    app._check_there(tmp_path)
    monkeypatch.undo()
    with pytest.raises(UsageError, match="There is nothing at 'nowhere'"):
        app.main("nowhere")


def test_without_a_display_there_is_an_error_and_no_abort(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(DisplayError, match="mmgraph train"):
        display.check_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    display.check_display()


def test_missing_libraries_of_the_system_are_named_with_their_packages(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(display, "XCB_LIBRARIES", {"libc.so.6": "libc6", "libnothing.so.9": "libnothing9"})
    with pytest.raises(DisplayError, match=r"libnothing\.so\.9 .* apt-get install libnothing9$"):
        display.check_display()
    monkeypatch.setattr(display, "XCB_LIBRARIES", {"libc.so.6": "libc6"})
    display.check_display()


def test_garbage_is_collected_by_the_window_while_it_lives(qapp):
    was = gc.isenabled()
    collector = Collector()
    assert not gc.isenabled()
    for _ in range(gc.get_threshold()[0] + 10):
        cycle: list[object] = []
        cycle.append(cycle)
    collector.collect()
    assert gc.get_count()[0] < gc.get_threshold()[0]
    collector.close()
    assert gc.isenabled() == was


def test_nothing_is_collected_while_a_compiler_runs_and_what_it_leaves_is_set_aside(qapp, monkeypatch):
    monkeypatch.setattr(compiled, "is_compiling", lambda: True)
    collector = Collector()
    before = gc.get_freeze_count()
    kept = [[] for _ in range(gc.get_threshold()[0] + 10)]
    collector.collect()
    assert gc.get_count()[0] > gc.get_threshold()[0]
    monkeypatch.setattr(compiled, "is_compiling", lambda: False)
    collector.collect()
    assert gc.get_freeze_count() >= before + len(kept)
    before = gc.get_freeze_count()
    kept += [[] for _ in range(gc.get_threshold()[0] + 10)]
    collector.collect()
    assert gc.get_freeze_count() == before
    collector.close()


def test_what_many_imports_brought_is_not_looked_through(qapp, monkeypatch):
    collector = Collector()
    before = gc.get_freeze_count()
    kept = [[] for _ in range(gc.get_threshold()[0] + 10)]
    for number in range(20):
        monkeypatch.setitem(sys.modules, f"made_up_{number}", sys)
    collector.collect()
    assert gc.get_freeze_count() >= before + len(kept)
    before = gc.get_freeze_count()
    kept += [[] for _ in range(gc.get_threshold()[0] + 10)]
    collector.collect()
    assert gc.get_freeze_count() == before
    collector.close()


def test_each_kind_has_a_view_and_names_differ():
    names = [spec.name for spec in VIEW_SPECS]
    assert len(set(names)) == len(names)
    assert set(VIEW_FOR_KIND) == {
        "embedding",
        "filters",
        "feature_maps",
        "attention",
        "graph",
        "matrix",
        "pairs",
        "prediction",
        "histograms",
    }
    assert set(VIEW_FOR_KIND.values()) <= set(names)


@pytest.mark.parametrize("spec", VIEW_SPECS, ids=lambda spec: spec.name)
def test_registered_views_say_what_they_are(spec):
    view = spec.load()
    assert (view.name, view.title) == (spec.name, spec.title)
    assert view.topics
