from __future__ import annotations

import os
import sys

import pytest

from mmgraph.runs import RunReader, RunWriter
from mmgraph_gui.processes.launcher import Launcher, flags, free_name
from mmgraph_gui.processes.politeness import NICENESS

TRAINER = """
import os, sys
from mmgraph.runs import RunWriter
words = sys.argv[1:]
if "--bad" in words:
    sys.exit("There is no such thing.")
root, name = words[words.index("--runs") + 1], words[words.index("--name") + 1]
with RunWriter.create(root, name, {"words": words, "nice": os.nice(0) if os.name == "posix" else 0}) as run:
    run.scalars(1, {"train/loss": 1.0})
"""


@pytest.fixture
def launcher(qapp, tmp_path):
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    launcher = Launcher(program=[sys.executable, str(script)])
    yield launcher
    launcher.close()


def test_flags_are_those_of_the_command_line():
    values = {"learning_rate": 0.01, "shuffle": False, "amp": True, "patience": None, "conv": "gat"}
    assert flags(values) == [
        "--learning-rate", "0.01", "--no-shuffle", "--amp", "--patience", "none", "--conv", "gat",
    ]  # fmt: skip


def test_started_training_appears_as_a_run(qtbot, launcher, tmp_path):
    with qtbot.waitSignal(launcher.appeared) as found:
        launcher.start("digits-graph", {"epochs": 3}, tmp_path / "runs")
    folder = found.args[0]
    assert folder.parent == tmp_path / "runs"
    qtbot.waitUntil(lambda: RunReader(folder).status().state == "finished")
    words = RunReader(folder).config["words"]
    assert words[:2] == ["train", "digits-graph"]
    assert words[-3:] == ["--quiet", "--epochs", "3"]


@pytest.mark.skipif(os.name != "posix", reason="niceness is a matter of POSIX")
def test_training_gives_way_to_the_window(qtbot, launcher, tmp_path):
    with qtbot.waitSignal(launcher.appeared) as found:
        launcher.start("digits-graph", {}, tmp_path / "runs")
    qtbot.waitUntil(lambda: RunReader(found.args[0]).status().state == "finished")
    assert RunReader(found.args[0]).config["nice"] == min(os.nice(0) + NICENESS, 19)


def test_training_that_cannot_start_says_why(qtbot, launcher, tmp_path):
    with qtbot.waitSignal(launcher.failed) as told:
        launcher.start("digits-graph", {"bad": True}, tmp_path)
    assert told.args[0] == "Training of digits-graph did not start: There is no such thing."


def test_resuming_that_fails_says_why(qtbot, launcher, tmp_path):
    run = RunWriter.create(tmp_path, "old", {})
    run.close("stopped")
    with qtbot.waitSignal(launcher.failed) as told:
        launcher.resume(run.folder)
    assert told.args[0].startswith("'old' could not be resumed: ")


def test_missing_program_is_told(qtbot, qapp, tmp_path):
    launcher = Launcher(program=[str(tmp_path / "nothing")])
    with qtbot.waitSignal(launcher.failed) as told:
        launcher.start("digits-graph", {}, tmp_path)
    assert "did not start" in told.args[0]
    launcher.close()


def test_names_are_free(tmp_path):
    first = free_name(tmp_path, "r")
    (tmp_path / first).mkdir()
    assert not (tmp_path / free_name(tmp_path, "r")).exists()


def test_a_file_of_weights_that_cannot_be_opened_says_why(qtbot, launcher, tmp_path, monkeypatch):
    monkeypatch.setattr("mmgraph_gui.processes.launcher.opened_root", lambda: tmp_path / "opened")
    launcher._program = [sys.executable, "-c", "import sys; sys.exit('It holds more than weights.')"]
    with qtbot.waitSignal(launcher.failed) as told:
        launcher.open_model(tmp_path / "bomb.pt")
    assert told.args[0] == "'bomb.pt' could not be opened: It holds more than weights."


@pytest.mark.parametrize(
    ("written", "told_of_it"),
    [
        ("mmgraph: It holds more than weights.", "It holds more than weights."),
        ("Compiling: takes a while.\nmmgraph: It is bad.\nTry another.", "It is bad.\nTry another."),
        ("Traceback\n  mmgraph: no message of ours", "Traceback\n  mmgraph: no message of ours"),
        ("", "it ended without a word."),
    ],
)
def test_what_a_command_says_is_told_without_its_name(
    qtbot, launcher, tmp_path, monkeypatch, written, told_of_it
):
    monkeypatch.setattr("mmgraph_gui.processes.launcher.opened_root", lambda: tmp_path / "opened")
    launcher._program = [sys.executable, "-c", f"import sys; sys.stderr.write({written!r}); sys.exit(1)"]
    with qtbot.waitSignal(launcher.failed) as told:
        launcher.open_model(tmp_path / "bomb.pt")
    assert told.args[0] == f"'bomb.pt' could not be opened: {told_of_it}"


def test_an_explanation_says_when_it_is_there_and_can_be_given_up(qtbot, launcher, tmp_path):
    launcher._program = [sys.executable, "-c", "import sys; assert sys.argv[1] == 'explain'"]
    with qtbot.waitSignal(launcher.explained) as told:
        launcher.explain(tmp_path / "run", 7)
    assert told.args == [7]
    launcher._program = [sys.executable, "-c", "import sys; sys.exit('no such item')"]
    with qtbot.assertNotEmitted(launcher.explained), qtbot.waitSignal(launcher.failed) as told:
        launcher.explain(tmp_path / "run", 7)
    assert told.args == ["Item 7 could not be explained: no such item"]
    launcher._program = [sys.executable, "-c", "import time; time.sleep(3600)"]
    with qtbot.assertNotEmitted(launcher.explained), qtbot.assertNotEmitted(launcher.failed):
        launcher.explain(tmp_path / "run", 7)()
        qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in launcher._threads))


def test_starting_can_be_given_up_until_the_run_appears(qtbot, launcher, tmp_path):
    launcher._program = [sys.executable, "-c", "import time; time.sleep(3600)"]
    give_up = launcher.start("digits-graph", {}, tmp_path / "runs")
    assert launcher.is_training
    give_up()
    qtbot.waitUntil(lambda: not launcher.is_training)


def test_a_resumed_run_says_when_it_is_being_trained(qtbot, launcher, tmp_path):
    run = RunWriter.create(tmp_path, "old", {})
    run.close("stopped")
    launcher._program = [
        sys.executable,
        "-c",
        "import sys, time; from mmgraph.runs import RunWriter\n"
        "assert sys.argv[3:] == ['--quiet', '--epochs', '7']\n"
        "with RunWriter(sys.argv[2]):\n    time.sleep(2)",
    ]
    with qtbot.waitSignal(launcher.resumed) as told:
        launcher.resume(run.folder, 7)
    assert told.args == [run.folder]
