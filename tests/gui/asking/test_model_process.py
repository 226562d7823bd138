"""The real process, on a tiny real run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmgraph.questions import Caption, Locate, Maximise, TopItems
from mmgraph_gui.asking.model_process import ModelProcess
from mmgraph_gui.reading.follower import RunFollower
from mmgraph_gui.state import AppState


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A Siamese network that has seen the digits twice."""
    from mmgraph.recipes import launch

    runs = tmp_path_factory.mktemp("runs")
    folder, _ = launch.train(
        "metric-learning", {"epochs": 2, "probe_images": 40}, runs=runs, run_name="digits"
    )
    return folder


@pytest.fixture
def window(qtbot, qapp):
    """State and follower of a window, and what was told by slot."""
    state = AppState()
    follower = RunFollower(state)
    made = []

    def start(folder, program=None):
        model = ModelProcess(state, follower, program=program)
        made.append(model)
        with qtbot.waitSignal(follower.opened, timeout=60_000):
            follower.open(folder)
        return model

    yield start
    for model in made:
        model.close()
    follower.close()


@pytest.fixture(scope="module")
def shared(qapp, trained):
    """One process for all who only ask: state, follower and process of a window on the trained run."""
    state = AppState()
    follower = RunFollower(state)
    model = ModelProcess(state, follower)
    follower.open(trained)
    yield model, state, follower
    model.close()
    follower.close()


@pytest.fixture
def asked(qtbot, shared, trained):
    model, state, _ = shared
    qtbot.waitUntil(lambda: state.path == trained)
    return model


class Told:
    def __init__(self):
        self.answers, self.failures, self.shares, self.texts = [], [], [], []

    def to(self, model, slot, question):
        model.ask(
            slot,
            question,
            self.answers.append,
            self.failures.append,
            self._progress,
        )

    def _progress(self, share, text):
        self.shares.append(share)
        self.texts.append(text)

    @property
    def done(self):
        return bool(self.failures) or any(not answer.partial for answer in self.answers)


def test_a_file_is_found_among_the_items_of_the_run(qtbot, asked, tmp_path):
    from sklearn.datasets import load_digits

    model = asked
    Image.fromarray((load_digits().images[3] * 15).astype(np.uint8)).save(tmp_path / "digit.png")
    told = Told()
    told.to(model, "a", Locate(file=str(tmp_path / "digit.png"), k=4))
    qtbot.waitUntil(lambda: told.done, timeout=120_000)
    assert told.failures == []
    (answer,) = told.answers
    assert len(answer.facts["neighbours"]) == 4
    assert answer.snapshot("embedding", "vectors").array.shape == (1, 64)
    assert answer.snapshot("image").array.shape[0] == 1
    assert answer.step == model.greeting["step"] > 0
    assert model.greeting["units"]

    # The process is asked again without being loaded again.
    process = model._process
    several = [Told() for _ in range(3)]
    layer = next(iter(model.greeting["units"]))
    several[0].to(model, "b", TopItems(layer=layer, unit=1, k=3))
    several[1].to(model, "c", Caption(row=0))
    several[2].to(model, "d", Maximise(layer=layer, unit=0, steps=30))
    qtbot.waitUntil(lambda: all(one.done for one in several), timeout=60_000)
    assert several[0].answers[0].facts["of"] == 40
    assert "cannot answer" in several[1].failures[0]
    assert several[2].answers[-1].snapshot("image").array.dtype == np.uint8
    assert several[2].shares[-1] == 1.0
    assert model._process is process
    assert list(Path(model._folder.name).iterdir()) == []


def test_the_latest_question_of_a_slot_wins_and_one_can_be_cancelled(qtbot, asked):
    model = asked
    long, gone, short = Told(), Told(), Told()
    endless = Maximise(layer="model", unit=0, steps=10_000)
    long.to(model, "a", endless)
    gone.to(model, "b", endless)
    qtbot.waitUntil(lambda: bool(long.answers) and long.answers[-1].partial, timeout=120_000)
    model.cancel("b")
    short.to(model, "a", Locate(row=1, k=1))
    qtbot.waitUntil(lambda: short.done, timeout=60_000)
    assert short.failures == long.failures == gone.failures == []
    assert all(answer.partial for answer in long.answers)
    assert gone.answers == []


def test_a_run_without_a_recipe_says_so(qtbot, window, digits_run):
    model = window(digits_run)
    told = Told()
    told.to(model, "a", Locate(row=0))
    qtbot.waitUntil(lambda: told.done, timeout=120_000)
    assert "checkpoint" in told.failures[0]


def test_a_program_that_is_not_there_is_a_message(qtbot, window, digits_run, monkeypatch):
    monkeypatch.setattr("mmgraph_gui.asking.model_process.politely", list)
    model = window(digits_run, ["/nowhere/python"])
    told = Told()
    told.to(model, "a", Locate(row=0))
    qtbot.waitUntil(lambda: told.done, timeout=60_000)
    assert told.failures[0]


def test_all_who_wait_are_told_what_for(qtbot, window, trained):
    model = window(trained)
    first, later = Told(), Told()
    first.to(model, "a", Locate(row=0))
    assert first.texts == ["Starting Python …"]
    qtbot.waitUntil(lambda: "Loading PyTorch …" in first.texts)
    stage = first.texts[-1]
    later.to(model, "b", Locate(row=1))
    assert later.texts == [stage]
    qtbot.waitUntil(lambda: first.done and later.done)
    stages = ["Loading PyTorch …", "Reading digits …", "Loading weights …", "Trying the model …"]
    assert [text for text in first.texts if text in stages] == stages
    assert [text for text in later.texts if text in stages] == stages[stages.index(stage) :]
    after = Told()
    after.to(model, "a", Locate(row=2))
    assert after.texts == []  # it is loaded


def test_nothing_is_started_before_somebody_asks(window, trained):
    assert not window(trained).is_running


def test_without_a_run_nothing_is_started(qapp, context):
    told = Told()
    told.to(context.model, "a", Locate(row=0))
    assert told.failures == ["No run is open."]
    assert not context.model.is_running


PARROT = """
import json, sys
print(json.dumps({"ready": 1, "step": 3, "units": {}}), flush=True)
print("somebody prints", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("row") == 13:
        sys.exit("mmgraph: Something broke.")
    if "ask" in asked:
        print(json.dumps({"id": asked["id"], "answer": {"facts": asked}, "step": 3}), flush=True)
"""


def test_a_crash_is_a_message_and_the_next_question_starts_anew(qtbot, window, digits_run, tmp_path):
    (tmp_path / "parrot.py").write_text(PARROT)
    model = window(digits_run, [sys.executable, str(tmp_path / "parrot.py")])
    told, again = Told(), Told()
    told.to(model, "a", Locate(row=13))
    qtbot.waitUntil(lambda: told.done, timeout=60_000)
    assert told.failures == ["Something broke."]
    assert not model.is_running
    again.to(model, "a", Locate(row=0))
    qtbot.waitUntil(lambda: again.done, timeout=60_000)
    assert again.failures == []


def test_another_run_ends_the_process(qtbot, window, digits_run, tmp_path, write_run):
    (tmp_path / "parrot.py").write_text(PARROT)
    model = window(digits_run, [sys.executable, str(tmp_path / "parrot.py")])
    told = Told()
    told.to(model, "a", Locate(row=0))
    qtbot.waitUntil(lambda: told.done, timeout=60_000)
    assert told.answers[0].facts["row"] == 0
    other = write_run(tmp_path, "other", steps=(10,))
    with qtbot.waitSignal(model._follower.opened, timeout=60_000):
        model._follower.open(other)
    assert not model.is_running
