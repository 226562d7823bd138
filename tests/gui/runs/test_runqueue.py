"""The queue with real processes: each trainer ends when its run is told to stop."""

from __future__ import annotations

import sys

import pytest

from mmgraph.runs import RunReader, find_runs, send_command
from mmgraph_gui.processes.launcher import Launcher
from mmgraph_gui.runs.runqueue import RunQueue

TRAINER = """
import sys, time
from mmgraph.runs import RunWriter
words = sys.argv[1:]
if words[1] == "broken":
    sys.exit("no such thing")
root, name = words[words.index("--runs") + 1], words[words.index("--name") + 1]
with RunWriter.create(root, name, {"run": {"recipe": words[1]}}) as run:
    while True:
        run.status(step=1)
        for command in run.commands():
            run.answer(command, "done", step=1)
            if command.name == "stop":
                run.close("stopped")
                sys.exit(0)
        time.sleep(0.01)
"""


@pytest.fixture
def launcher(qapp, tmp_path):
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    launcher = Launcher(program=[sys.executable, str(script)])
    yield launcher
    for run in find_runs(tmp_path / "runs"):
        send_command(run, "stop")
    launcher.close()


@pytest.fixture
def busy():
    return []


@pytest.fixture
def queue(launcher, busy):
    queue = RunQueue(launcher, lambda: bool(busy))
    yield queue
    queue.close()


def test_runs_start_one_after_the_other(qtbot, queue, launcher, tmp_path):
    root, seen = tmp_path / "runs", []
    queue.changed.connect(lambda entries: seen.append([entry.recipe for entry in entries]))
    queue.add("first", {}, root)
    queue.add("second", {"epochs": 3}, root)
    qtbot.waitUntil(lambda: len(find_runs(root)) == 1)
    assert seen == [["first"], ["first", "second"], ["second"]]
    assert len(queue) == 1
    (first,) = find_runs(root)
    assert RunReader(first).config["run"]["recipe"] == "first"
    send_command(first, "stop")
    qtbot.waitUntil(lambda: len(find_runs(root)) == 2)
    assert RunReader(first).status().state == "stopped"
    assert len(queue) == 0


def test_what_waits_has_a_place_and_the_next_stands_first(queue, busy, tmp_path):
    busy.append("a run from the command line")
    lists = []
    queue.changed.connect(lists.append)
    for name in ("a", "b", "c"):
        queue.add(name, {"epochs": 3}, tmp_path / "runs")
    told = [(entry.recipe, entry.told_state) for entry in lists[-1]]
    assert told == [("a", "queued, next"), ("b", "queued, no. 2"), ("c", "queued, no. 3")]
    assert sorted(lists[-1], key=lambda entry: -entry.created) == lists[-1]
    queue.cancel(lists[-1][0].path)
    assert [entry.told_state for entry in lists[-1]] == ["queued, next", "queued, no. 2"]


def test_a_run_from_the_queue_is_not_one_that_somebody_waits_for(qtbot, queue, launcher, tmp_path):
    appeared, began = [], []
    launcher.appeared.connect(appeared.append)
    launcher.began.connect(began.append)
    queue.add("first", {}, tmp_path / "runs")
    qtbot.waitUntil(lambda: bool(began))
    assert began == find_runs(tmp_path / "runs")
    assert appeared == []


def test_others_that_are_training_come_first_and_what_waits_can_be_taken_out(
    qtbot, queue, launcher, busy, tmp_path
):
    busy.append("a run from the command line")
    entries = []
    queue.changed.connect(entries.append)
    for name in ("a", "b"):
        queue.add(name, {"dataset": "cora"}, tmp_path / "runs")
    queue._look()
    assert len(queue) == 2
    assert not launcher.is_training
    waiting = entries[-1]
    assert [(entry.state, entry.recipe, entry.summary.dataset) for entry in waiting] == [
        ("queued", "a", "cora"), ("queued", "b", "cora"),
    ]  # fmt: skip
    queue.cancel(waiting[0].path)
    assert [entry.recipe for entry in entries[-1]] == ["b"]
    busy.clear()
    with qtbot.waitSignal(launcher.began) as found:
        queue._look()
    assert found.args[0].name.startswith("b-")


def test_one_that_fails_holds_up_nobody(qtbot, queue, launcher, tmp_path):
    with qtbot.waitSignals([launcher.failed, launcher.began]):
        queue.add("broken", {}, tmp_path / "runs")
        queue.add("good", {}, tmp_path / "runs")
