from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QSettings

from mmgraph_gui.frame.window import MainWindow
from mmgraph_gui.processes.launcher import Launcher

TRAINER = """
import sys, time
from mmgraph.runs import RunWriter
words = sys.argv[1:]
root, name = words[words.index("--runs") + 1], words[words.index("--name") + 1]
with RunWriter.create(root, name, {"run": {"recipe": words[1]}}) as run:
    step = 0
    while True:
        step += 1
        run.scalars(step, {"train/loss": 1 / step})
        run.status(step=step, learning_rate=0.1)
        for command in run.commands():
            run.answer(command, "done", step=step)
            if command.name == "stop":
                run.close("stopped")
                sys.exit(0)
            if command.name in ("pause", "resume"):
                run.status(state={"pause": "paused", "resume": "running"}[command.name])
        time.sleep(0.01)
"""


@pytest.fixture
def settings(tmp_path):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("theme", "light")
    return settings


@pytest.fixture
def make_window(qtbot, settings, digits_run, tmp_path):
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    made = []

    def make() -> MainWindow:
        window = MainWindow(digits_run.parent, settings, Launcher(program=[sys.executable, str(script)]))
        made.append(window)
        qtbot.addWidget(window)
        window.resize(1200, 800)
        window.show()
        return window

    yield make
    for window in made:
        window.close()


@pytest.fixture
def window(make_window):
    return make_window()


@pytest.fixture
def opened_window(qtbot, window, digits_run):
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(digits_run)
    return window
