from __future__ import annotations

import time

import numpy as np
import pytest

from mmgraph.runs import RunNotes, RunWriter, write_notes
from mmgraph_gui.runs.runentry import EntryReader, age, changed_options


@pytest.mark.parametrize(
    ("seconds", "words"), [(2, ""), (45, "45 s ago"), (130, "2 min ago"), (90000, "1 d ago")]
)
def test_age_in_words(seconds, words):
    assert age(time.time() - seconds) == words


def test_the_best_of_a_curve_counts_rather_than_its_last_value(tmp_path):
    for name, tag, values, best in (
        ("low", "train/loss", [3.0, 1.0, 2.0], 1.0),
        ("high", "validation/auc", [0.5, 0.9, np.nan, 0.7], 0.9),
        ("either", "size", [3.0, 1.0, 2.0], 2.0),
    ):
        with RunWriter.create(tmp_path, name, {}) as run:
            for step, value in enumerate(values):
                run.scalars(step, {tag: value})
            run.status(step=2, metrics={tag: values[-1]})
            run.flush()
        assert EntryReader().read(run.folder).best == (tag, best)


def test_the_test_score_is_told_as_it_is(tmp_path):
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.scalars(1, {"validation/accuracy": 0.9})
        run.status(metrics={"test/accuracy": 0.8, "validation/accuracy": 0.9})
        run.flush()
    entry = EntryReader().read(run.folder)
    assert entry.best == ("test/accuracy", 0.8)
    assert entry.trace_of == "validation/accuracy"


def test_a_spike_survives_in_the_small_curve(tmp_path):
    values = np.zeros(5000)
    values[1234] = 1.0
    with RunWriter.create(tmp_path, "run", {}) as run:
        for step, value in enumerate(values):
            run.scalars(step, {"train/loss": value})
    trace = EntryReader().read(run.folder).trace
    assert len(trace) < 100
    assert max(trace) == 1.0


def test_an_ended_run_is_read_again_only_when_something_changed(tmp_path, monkeypatch):
    run = RunWriter.create(tmp_path, "run", {})
    run.close("finished")
    reader = EntryReader()
    reader.read(run.folder)  # the first reader of a closed run may leave an empty log beside it
    known = reader.read(run.folder)
    assert reader.read(run.folder) is known
    write_notes(run.folder, RunNotes(("new",)))
    assert reader.read(run.folder).summary.notes.tags == ("new",)


def test_a_live_run_grows(tmp_path):
    with RunWriter.create(tmp_path, "run", {}) as run:
        reader = EntryReader()
        assert reader.read(run.folder).trace == ()
        run.scalars(1, {"train/loss": 1.0})
        run.flush()
        reader._traces.clear()  # as if long enough had passed
        assert reader.read(run.folder).trace == (0.5,)


def test_options_that_are_not_at_their_defaults_are_told_and_found(tmp_path):
    config = {
        "run": {"recipe": "digits-graph"},
        "options": {"learning_rate": 0.003, "seed": 0, "threads": 7, "epochs": 12, "foreign": "x"},
    }
    run = RunWriter.create(tmp_path, "run", config)
    run.close("finished")
    entry = EntryReader().read(run.folder)
    assert "learning rate 0.003" in entry.options
    assert "epochs 12" in entry.options
    assert not any(word in entry.options for word in ("seed", "threads", "foreign", "hidden"))
    assert "learning rate 0.003" in entry.searched


@pytest.mark.parametrize(("recipe", "recorded"), [("watch", {"a": 1}), ("digits-graph", 3), ("", None)])
def test_what_has_no_recipe_or_no_options_has_none_to_tell(recipe, recorded):
    assert changed_options(recipe, recorded) == ""


@pytest.mark.parametrize(
    ("said", "known"),
    [("2020-02-03T04:05:06+00:00", True), ("once upon a time", False), (7, False), (None, False)],
)
def test_a_copy_began_when_the_run_did(tmp_path, said, known):
    with RunWriter.create(tmp_path, "run", {"run": {} if said is None else {"created": said}}) as run:
        run.scalars(1, {"train/loss": 1.0})
    created = EntryReader().read(run.folder).created
    written = (run.folder / "config.toml").stat().st_mtime
    assert created == pytest.approx(1580702706.0 if known else written)
