"""Train → kill → resume → open in the window → the same numbers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSettings

from mmgraph.runs import RunReader, is_run
from mmgraph_gui.frame.window import MainWindow

COMMAND = [sys.executable, "-m", "mmgraph"]
OPTIONS = ["--epochs", "14", "--device", "cpu", "--threads", "1", "--quiet", "--checkpoint-seconds", "0"]


def kill_after(folder: Path, steps: int) -> None:
    """Start a run and kill its process, without a word, once so many steps are recorded."""
    process = subprocess.Popen([*COMMAND, "train", "digits-graph", *OPTIONS, "--name", folder.name])
    recorded = 0
    while recorded < steps and process.poll() is None:
        if is_run(folder):
            with RunReader(folder) as run:
                recorded = run.status().step
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    assert process.poll() is None, "the run ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_and_resumed_run_shows_the_numbers_of_the_uninterrupted_one(qtbot, tmp_path, mmgraph):
    whole = Path(
        json.loads(mmgraph("train", "digits-graph", *OPTIONS, "--name", "whole", "--json").out)["run"]
    )
    killed = whole.with_name("killed")
    kill_after(killed, steps=5)
    with RunReader(killed) as run:
        assert run.status().state == "interrupted"
        before = run.series("train/loss")
        assert len(before) >= 5
    assert json.loads(mmgraph("resume", "killed", "--quiet", "--json").out)["state"] == "finished"

    window = MainWindow(whole.parent, QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    shown = {}
    for folder in (whole, killed):
        window.open_run(folder)
        qtbot.waitUntil(
            lambda folder=folder: (
                window.state.path == folder
                and window.state.status is not None
                and len(window.state.series.get("test/accuracy", ())) == 1
            ),
            timeout=30_000,
        )
        shown[folder.name] = dict(window.state.series)
        assert window.state.status.state == "finished"
        assert window.state.step == 14
    assert shown["whole"].keys() == shown["killed"].keys()
    for tag, series in shown["whole"].items():
        assert np.array_equal(series.step, shown["killed"][tag].step), tag
        assert np.array_equal(series.value, shown["killed"][tag].value), tag
    # What was recorded before the kill is still in the file, also what the resumed run replaced.
    assert np.array_equal(before.value, shown["whole"]["train/loss"].value[: len(before)])
    window.close()
