from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmgraph.runs import Cursor, ItemSet, RunReader, Series, SnapshotInfo, Status, Update
from mmgraph_gui.state import AppState
from mmgraph_gui.state.colouring import colouring_of
from mmgraph_gui.state.prediction import Prediction
from mmgraph_gui.state.snapshot_index import nearest


def info(number: int, step: int, kind: str = "embedding", layer: str = "encoder") -> SnapshotInfo:
    return SnapshotInfo(number, step, 0.0, 0.0, kind, layer, (), (), "float32", "f", None, 0)


def update(**changes) -> Update:
    empty = Update(Cursor(), Status("running"), {}, (), ())
    return dataclasses.replace(empty, **changes)


def series(*steps: int) -> Series:
    numbers = np.array(steps, dtype=np.int64)
    return Series(numbers, numbers * 1.0, numbers * 1.0, numbers * 2.0)


@pytest.fixture
def state() -> AppState:
    state = AppState()
    state.open(Path("run"), {"run": {"recipe": "r"}})
    return state


def heard(state: AppState) -> list[str]:
    topics: list[str] = []
    state.subscribe(topics.append)
    return topics


def test_opening_notifies_every_topic_and_forgets_the_run_before(state):
    state.apply(update(snapshots=(info(1, 5),), scalars={"a": series(1)}))
    topics = heard(state)
    state.open(None)
    assert set(topics) >= {"run", "scalars", "snapshots", "step", "selection"}
    assert (state.steps(), state.series, state.step, state.status) == ([], {}, 0, None)


def test_unsubscribed_listeners_hear_nothing(state):
    topics: list[str] = []
    end = state.subscribe(topics.append)
    end()
    end()
    state.hover(3)
    assert topics == []


def test_updates_join_series_and_notify_only_what_changed(state):
    state.apply(update(scalars={"train/loss": series(1, 2)}))
    topics = heard(state)
    state.apply(update(scalars={"train/loss": series(3), "validation/loss": series(3)}))
    assert state.series["train/loss"].step.tolist() == [1, 2, 3]
    assert state.series["validation/loss"].value.tolist() == [6.0]
    assert topics == ["scalars"]


def test_rewinding_forgets_what_came_later(state):
    state.apply(update(scalars={"a": series(1, 2, 3)}, snapshots=(info(1, 1), info(2, 3))))
    state.apply(update(rewound_to=2, scalars={"a": series(3, 4)}, snapshots=(info(3, 4),)))
    assert state.series["a"].step.tolist() == [1, 2, 3, 4]
    assert state.steps() == [1, 4]
    assert state.step == 4


def test_follows_newest_snapshot_until_moved_back(state):
    state.apply(update(snapshots=(info(1, 10), info(2, 20))))
    assert (state.step, state.follow) == (20, True)
    state.set_step(10)
    state.apply(update(snapshots=(info(3, 30),)))
    assert (state.step, state.follow) == (10, False)
    state.set_step(30)
    assert not state.follow
    state.set_step(10)
    state.set_follow(True)
    assert (state.step, state.follow) == (30, True)


def test_snapshot_at_is_the_newest_at_or_before(state):
    state.apply(update(snapshots=(info(1, 10), info(2, 20), info(3, 20, "graph", "graph"))))
    assert state.snapshot_at("embedding", step=19).id == 1
    assert state.snapshot_at("embedding", step=20).id == 2
    assert state.snapshot_at("embedding", step=9) is None
    assert state.snapshot_at("attention") is None
    assert state.snapshot_at("graph", step=500).id == 3


@pytest.mark.parametrize(("wanted", "found"), [(0, 10), (14, 10), (15, 10), (16, 20), (99, 30)])
def test_nearest_step_takes_the_earlier_of_two(wanted, found):
    assert nearest([10, 20, 30], wanted) == found


def test_steps_move_within_what_there_is(state):
    state.move_step(1)
    assert state.step == 0
    state.apply(update(snapshots=tuple(info(n, 10 * n) for n in (1, 2, 3))))
    state.move_step(-1)
    assert state.step == 20
    state.move_step(-5)
    assert state.step == 10
    state.move_step(9)
    assert state.step == 30


def test_deepest_embedding_and_first_filters_are_shown_until_chosen(state):
    found = (info(1, 1), info(2, 1, layer="convs.1"), info(3, 1, "filters", "a"), info(4, 1, "filters", "b"))
    state.apply(update(snapshots=found))
    assert (state.layer("embedding"), state.layer("filters"), state.layer("attention")) == (
        "convs.1",
        "a",
        None,
    )
    topics = heard(state)
    state.set_layer("filters", "b")
    assert state.layer("filters") == "b"
    assert topics == ["layer"]


def test_selection_adds_removes_and_undoes(state):
    topics = heard(state)
    state.select([3, 1, 3])
    assert state.selection.tolist() == [1, 3]
    state.select([2], "add")
    state.select([1, 9], "remove")
    assert state.selection.tolist() == [2, 3]
    state.select([2, 3])
    assert topics == ["selection"] * 3
    state.undo()
    assert state.selection.tolist() == [1, 2, 3]
    state.redo()
    assert state.selection.tolist() == [2, 3]
    state.redo()
    state.clear_selection()
    assert state.selection.tolist() == []


def test_undo_takes_back_what_was_chosen_to_be_seen(state):
    state.apply(update(snapshots=(info(1, 1), info(2, 1, layer="convs.1"))))
    state.select([1])
    state.set_colour_by("ink")
    state.set_layer("embedding", "convs.1")  # the one shown already
    state.set_layer("embedding", "encoder")
    state.set_head(2)
    topics = heard(state)
    state.undo()
    assert (state.head, state.layer("embedding")) == (None, "encoder")
    state.undo()
    assert (state.layer("embedding"), state.colour_by) == ("convs.1", "ink")
    state.undo()
    assert (state.colour_by, state.selection.tolist()) == ("label", [1])
    state.undo()
    state.undo()  # there is nothing before
    assert state.selection.tolist() == []
    assert topics == ["layer", "layer", "colour", "selection"]
    for _ in range(9):
        state.redo()
    assert (state.head, state.layer("embedding"), state.colour_by) == (2, "encoder", "ink")
    assert state.selection.tolist() == [1]
    state.undo()
    state.set_colour_by("label")
    state.redo()  # another way was taken
    assert state.head is None


def test_the_history_ends_with_the_run(state, tmp_path):
    state.select([1])
    state.open(tmp_path)
    state.undo()
    assert state.selection.tolist() == []


def test_selection_cannot_be_written_to(state):
    state.select([1, 2])
    with pytest.raises(ValueError, match="read-only"):
        state.selection[0] = 7


def test_colour_falls_back_to_what_the_items_have(state):
    state.set_items(ItemSet(columns={"degree": np.array([1.0, np.nan, 3.0])}))
    assert state.colour_by == "degree"
    colouring = colouring_of(state)
    assert (colouring.low, colouring.high, colouring.codes) == (1.0, 3.0, None)


def test_colouring_by_label_prediction_and_correctness(state):
    state.apply(update(snapshots=(info(1, 1, "prediction", "output"),)))
    state.set_items(ItemSet(labels=np.array([0, 1, -1]), class_names=("cat", "dog")))
    assert state.colour_choices() == ["label", "prediction", "correct", "loss", "confidence"]
    assert colouring_of(state).names == ("cat", "dog")
    state.set_colour_by("correct")
    assert colouring_of(state) is None
    state.set_prediction(Prediction(1, np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]], dtype=np.float32)))
    assert colouring_of(state).codes.tolist() == [1, 0, -1]
    state.set_colour_by("prediction")
    assert colouring_of(state).codes.tolist() == [0, 0, 1]


def test_prediction_of_some_rows_leaves_the_others_unknown(digits_run_once):
    with RunReader(digits_run_once) as run:
        snapshot = run.load(run.snapshots(kind="prediction")[0])
    some = dataclasses.replace(
        snapshot, array=snapshot.array[:2], extras={"rows": np.array([4, 1], dtype=np.int64)}
    )
    prediction = Prediction.of(some, 10, 6)
    assert prediction.classes.tolist()[1] == snapshot.array[1].argmax()
    assert np.flatnonzero(prediction.classes >= 0).tolist() == [1, 4]
    assert np.isnan(prediction.confidence[[0, 2, 3, 5]]).all()


def test_model_imports_no_qt():
    code = (
        "import sys, mmgraph_gui.state, mmgraph_gui.state.colouring\n"
        "assert not any(name.startswith('PySide6') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_layers_chosen_at_once_are_taken_back_at_once(state):
    state.apply(update(snapshots=tuple(info(n, 1, kind, layer) for n, (kind, layer) in enumerate(
        [("filters", "a"), ("filters", "b"), ("embedding", "a"), ("embedding", "b")]
    ))))  # fmt: skip
    before = state.layer("filters"), state.layer("embedding")
    state.set_layers({"filters": "b", "embedding": "a"})
    assert (state.layer("filters"), state.layer("embedding")) == ("b", "a")
    state.undo()
    assert (state.layer("filters"), state.layer("embedding")) == before


def test_the_part_that_a_view_shows_is_brought_back(state):
    topics = heard(state)
    state.set_part("graph", "all", "left")
    state.set_part("graph", "left", "corner", goes_on=True)
    assert topics == []  # the view knows
    state.undo()
    assert (dict(state.parts), topics) == ({"graph": "all"}, ["part"])
    state.redo()
    assert state.parts["graph"] == "corner"
    state.set_part("graph", "corner", "right")
    state.forget_part("graph")
    state.undo()
    assert dict(state.parts) == {}
