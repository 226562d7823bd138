"""Neither process takes the other along: a killed window, a killed trainer; with real processes of both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from mmgraph.runs import RunReader
from mmgraph_gui.frame.window import MainWindow

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is a matter of POSIX")

WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from mmgraph_gui.frame.window import MainWindow

root = Path(sys.argv[1])
application = QApplication([])
window = MainWindow(root / "runs", QSettings(str(root / "s.ini"), QSettings.Format.IniFormat))
window.launcher.appeared.connect(lambda path: print(path, flush=True))
window.show()
window.start("digits-graph", {"epochs": 10, "threads": 1, "device": "cpu"})
application.exec()
"""

OPTIONS = ["--epochs", "2000", "--device", "cpu", "--threads", "1", "--quiet"]
FLUSH_SECONDS = 1.0


@pytest.fixture
def window(qtbot, tmp_path):
    made = MainWindow(tmp_path / "runs", QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_training_goes_on_when_the_window_is_killed(qtbot, window, tmp_path):
    command = [sys.executable, "-c", WINDOW, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shown:
        folder = Path(shown.stdout.readline().strip())
        kill(shown)
    with RunReader(folder) as run:
        assert run.status().step < 10
        qtbot.waitUntil(lambda: run.status().state == "finished", timeout=300_000)
        assert run.series("train/loss").step.tolist() == list(range(1, 11))
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(folder)
    assert len(window.state.series["train/loss"]) == 10


def test_the_window_stays_when_training_is_killed(qtbot, window, tmp_path):
    root = tmp_path / "runs"
    command = [sys.executable, "-m", "mmgraph", "train", "digits-graph", *OPTIONS]
    with subprocess.Popen([*command, "--name", "killed", "--runs", str(root)], text=True) as trainer:
        qtbot.waitUntil(lambda: (root / "killed" / "run.db").exists(), timeout=120_000)
        with qtbot.waitSignal(window.follower.opened):
            window.open_run(root / "killed")
        qtbot.waitUntil(lambda: len(window.state.series.get("train/loss", ())) > 20, timeout=120_000)
        before = time.time()
        kill(trainer)
    qtbot.waitUntil(lambda: window.state.status.state == "interrupted", timeout=30_000)
    shown = window.state.series["train/loss"]
    with RunReader(root / "killed") as run:
        stored = run.series("train/loss")
    # Every step up to the last flush is there, without gaps, and the last flush was a moment ago.
    assert stored.step.tolist() == list(range(1, len(stored) + 1))
    assert before - stored.wall_time[-1] < FLUSH_SECONDS
    qtbot.waitUntil(lambda: len(window.state.series["train/loss"]) == len(stored))
    assert len(shown) >= 20
    window.area.show_view("embedding")
    qtbot.waitUntil(lambda: len(window.area.views["embedding"].points) > 0, timeout=30_000)
    assert window.actions_["resume"].isEnabled()
