"""Two runs side by side: a second one that learns faster, has its items in another order and lacks some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from mmgraph.runs import ItemSet, RunReader, RunWriter, Snapshot
from mmgraph_gui.comparing.compare import CompareWindow
from mmgraph_gui.state import AppState
from mmgraph_gui.state.step_lock import Common, StepLock
from mmgraph_gui.views.registry import VIEW_SPECS

SPECS = {spec.name: spec for spec in VIEW_SPECS}


@pytest.fixture
def other_run(digits_run_once, tmp_path):
    """Of digits 50 … 299 in reverse, its embedding turned and doubled, half of its answers wrong."""
    with RunReader(digits_run_once) as run:
        items, config = run.items("items"), run.config
        infos = {info.kind: info for info in run.snapshots(step=40) if info.layer in ("convs.1", "output")}
        vectors, said = run.load(infos["embedding"]).array, run.load(infos["prediction"]).array
    rows = np.arange(299, 49, -1)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(16, 16)))[0]
    wrong = np.roll(said, 1, axis=1)
    config = {**config, "options": {**config["options"], "learning_rate": 0.1, "extra": "שלום 🦊"}}
    run = RunWriter.create(tmp_path, "other", config)
    run.items(ItemSet(ids=rows, labels=items.labels[rows], class_names=items.class_names, noun="digit"))
    for step in (5, 20, 40, 60):
        run.scalars(step, {"train/loss": 1 / step}, epoch=step / 20)
        answers = np.where((rows % 2 == 0)[:, None], said[rows], wrong[rows])
        run.snapshots(
            step,
            [
                Snapshot(
                    "embedding", "convs.1", (2 * vectors[rows] @ turn).astype(np.float32), items="items"
                ),
                Snapshot("prediction", "output", answers, items="items"),
            ],
            epoch=step / 20,
            wait=True,
        )
    run.close("finished")
    return run.folder


@pytest.fixture
def window(qtbot, opened, digits_run_once):
    window = CompareWindow(opened, SPECS, lambda: [digits_run_once])
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


@pytest.fixture
def both(qtbot, window, other_run):
    with qtbot.waitSignal(window.right.follower.opened):
        window.compare_with(other_run)
    qtbot.waitUntil(lambda: window.answers() is not None)
    return window


def test_items_are_the_same_by_their_number_in_the_data_set():
    left, right = ItemSet(ids=np.array([5, 1, 9, 7])), ItemSet(ids=np.array([9, 2, 5]))
    common = Common.of(left, right)
    assert dict(zip(common.left.tolist(), common.right.tolist(), strict=True)) == {0: 2, 2: 0}
    assert common.to_right(np.array([0, 1, 2])).tolist() == [0, 2]
    assert common.to_left(np.array([1, 2])).tolist() == [0]
    assert len(Common.of(None, right)) == 0
    assert len(Common.of(left, ItemSet(ids=np.array([100])))) == 0


def test_steps_go_together_by_step_or_epoch_or_not_at_all(qtbot, both):
    left, right = both.left.state, both.right.state
    assert (left.step, right.step) == (40, 40)
    qtbot.keyClick(both, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: (left.step, right.step) == (30, 20))
    right.set_step(5)
    assert left.step == 10
    both.by.setCurrentIndex(both.by.findData("epoch"))
    left.set_step(20)  # epoch 2 is step 40 of the other
    assert right.step == 40
    both.by.setCurrentIndex(both.by.findData("free"))
    right.set_step(60)
    assert left.step == 20
    left.set_step(10)
    assert right.step == 60


def test_selection_hover_and_colour_go_together_by_item(both):
    left, right = both.left.state, both.right.state
    left.select([10, 60, 299])
    assert right.selection.tolist() == [0, 239]
    right.select([1])
    assert left.selection.tolist() == [298]
    left.hover(60)
    assert right.hovered == 239
    left.hover(3)
    assert right.hovered is None
    left.set_colour_by("prediction")
    assert right.colour_by == "prediction"
    left.undo()
    assert right.colour_by == "label"


def test_what_each_has_correct_can_be_selected(qtbot, both):
    left, right = both.left.state, both.right.state
    answers = both.answers()
    labels = left.items.labels
    rows = np.arange(50, 300)
    fine = left.prediction.classes[rows] == labels[rows]
    other_fine = right.prediction.classes[299 - rows] == labels[rows]
    assert answers.left.tolist() == rows[fine & ~other_fine].tolist()
    assert answers.right.tolist() == rows[~fine & other_fine].tolist()
    assert answers.both.tolist() == rows[fine & other_fine].tolist()
    assert answers.neither.tolist() == rows[~fine & ~other_fine].tolist()
    assert len(answers.left) > 50
    qtbot.waitUntil(lambda: both.judged.rowCount() == 5)
    assert both.judged.item(0, 1).text() == str(len(answers.left))
    both.judged.selectRow(0)
    assert left.selection.tolist() == answers.left.tolist()
    assert right.selection.tolist() == sorted((299 - answers.left).tolist())


def test_an_item_has_the_same_place_in_both_galleries(qtbot, both):
    both.show_view("items")
    left, right = both.pairs["items"]
    qtbot.waitUntil(lambda: len(right.gallery.rows.rows) > 0 and len(left.gallery.rows.rows) > 0)
    shown = [view.state.items.ids[view.gallery.rows.rows] if view.state.items.ids is not None
             else view.gallery.rows.rows for view in (left, right)]  # fmt: skip
    common = np.intersect1d(*shown)
    assert len(common) > 10
    assert [one for one in shown[0].tolist() if one in common] == shown[1][np.isin(shown[1], common)].tolist()


def test_curves_beside_each_other_have_the_same_axes_while_they_are_locked(qtbot, both):
    both.show_view("metrics")
    left, right = both.pairs["metrics"]
    qtbot.waitUntil(lambda: "loss" in left.plots and "loss" in right.plots)
    one, other = left.plots["loss"], right.plots["loss"]
    qtbot.waitUntil(
        lambda: one.filled is not None and other.filled is not None and one.filled != other.filled
    )
    qtbot.waitUntil(lambda: one.span == other.span == (1, 60))
    ends = min(one.filled[0], other.filled[0]), max(one.filled[1], other.filled[1])
    qtbot.waitUntil(lambda: one.limits == other.limits == ends)
    both.together.setChecked(False)
    qtbot.waitUntil(lambda: one.limits == one.filled and other.limits == other.filled)
    assert one.span != other.span


def test_options_that_differ_are_listed(qtbot, both):
    qtbot.waitUntil(lambda: both.options.rowCount() == 2)
    rows = [[both.options.item(row, column).text() for column in range(3)] for row in range(2)]
    assert rows == [["options.extra", "–", "שלום 🦊"], ["options.learning_rate", "0.01", "0.1"]]


def test_embeddings_are_laid_over_each_other(qtbot, both):
    left, right = both.pairs["embedding"]
    qtbot.waitUntil(lambda: len(left.cloud) == 300 and len(right.cloud) == 250)
    common = both.lock.common

    def apart() -> float:
        mine, theirs = left.cloud.positions[common.left], right.cloud.positions[common.right]
        return float(np.abs(mine - theirs).max() / np.ptp(mine))

    qtbot.waitUntil(lambda: apart() < 0.2)  # fitted to fewer items, its axes are not quite the same
    right.aligner = None  # each its own axes
    right.align()
    assert apart() > 0.3


@pytest.mark.parametrize("name", list(SPECS))
def test_every_view_is_shown_of_both(qtbot, both, name):
    both.show_view(name)
    left, right = both.pairs[name]
    assert type(left) is type(right)
    qtbot.waitUntil(lambda: left.isVisible() and right.isVisible())
    qtbot.waitUntil(lambda: not left.is_pending and not right.is_pending)
    assert "could not be drawn" not in left.message + right.message


def test_a_run_is_compared_with_another_step_of_itself(qtbot, window, digits_run_once):
    with qtbot.waitSignal(window.right.follower.opened):
        window.compare_with(digits_run_once)
    qtbot.waitUntil(lambda: window.answers() is not None)
    assert window.by.currentData() == "free"
    assert (window.left.state.step, window.right.state.step) == (40, 10)
    window.left.state.select([3])
    assert window.right.state.selection.tolist() == [3]


def test_a_run_without_the_same_items_says_so(qtbot, window, tmp_path):
    run = RunWriter.create(tmp_path, "odd", {"run": {"recipe": "r", "dataset": "digits"}})
    run.items(ItemSet(ids=np.arange(1000, 1010)))
    run.close("finished")
    with qtbot.waitSignal(window.right.follower.opened):
        window.compare_with(run.folder)
    qtbot.waitUntil(lambda: "none of the numbers in the data set is in both" in window.told.text())
    window.left.state.select([3])
    assert window.right.state.selection.tolist() == []


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"run": {"recipe": "r", "dataset": "fashion-mnist"}}, "A is of digits, B of fashion-mnist"),
        (
            {"run": {"recipe": "watch", "dataset": ""}},
            "B does not say which data set its items are of, A is of digits",
        ),
        ({}, "B does not say which data set its items are of, A is of digits"),
    ],
)
def test_the_same_numbers_in_two_data_sets_are_not_the_same_items(qtbot, window, tmp_path, config, why):
    run = RunWriter.create(tmp_path, "other", config)
    run.items(ItemSet(ids=np.arange(10)))
    run.snapshots(1, [Snapshot("prediction", "output", np.eye(10, dtype=np.float32), items="items")])
    run.close("finished")
    with qtbot.waitSignal(window.right.follower.opened):
        window.compare_with(run.folder)
    qtbot.waitUntil(
        lambda: window.told.text().startswith(f"The items of these runs cannot be matched: {why}.")
    )
    qtbot.waitUntil(lambda: window.right.state.prediction is not None)
    assert window.judged.rowCount() == 0
    window.left.state.select([1, 2])
    assert window.right.state.selection.tolist() == []


def test_a_program_of_ones_own_may_name_its_data_set_among_its_options(qtbot, window, tmp_path):
    config = {"run": {"recipe": "watch", "dataset": ""}, "options": {"dataset": "digits"}}
    run = RunWriter.create(tmp_path, "own", config)
    run.items(ItemSet(ids=np.arange(10)))
    run.close("finished")
    with qtbot.waitSignal(window.right.follower.opened):
        window.compare_with(run.folder)
    qtbot.waitUntil(lambda: len(window.lock.common) == 10)


@pytest.mark.parametrize(("labels", "shared"), [([0, 1, 2, -1], 4), ([0, 1, 1, 2], 0)])
def test_items_of_no_data_set_are_matched_where_their_labels_agree(labels, shared):
    states = AppState(), AppState()
    lock = StepLock(*states)
    for state, given in zip(states, ([0, 1, 2, 2], labels), strict=True):
        state.open(Path("/runs/one"))
        state.set_items(ItemSet(labels=np.array(given)))
    assert len(lock.common) == shared
    assert ("other labels" in lock.unmatched) == (shared == 0)


def test_a_run_that_cannot_be_read_is_told_in_place(qtbot, window, tmp_path):
    window.compare_with(tmp_path / "nothing")
    qtbot.waitUntil(lambda: "is not a run folder" in window.banner.text)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "run.db").write_bytes(b"x" * 600)
    window.compare_with(damaged)
    qtbot.waitUntil(lambda: "damaged" in window.banner.text)


def test_escape_closes_the_message_and_then_selects_nothing(qtbot, both):
    both.left.state.select([60, 61])
    both.banner.show_message("Something went wrong.")
    qtbot.keyClick(both, Qt.Key.Key_Escape)
    assert not both.banner.text
    assert len(both.left.state.selection) == 2
    qtbot.keyClick(both, Qt.Key.Key_Escape)
    assert not len(both.left.state.selection)
