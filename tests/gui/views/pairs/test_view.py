from __future__ import annotations

import functools
import shutil

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter

from mmgraph.recipes import launch
from mmgraph.runs import ItemSet, RunReader, RunWriter, Snapshot
from mmgraph_gui.views.pairs.branch_list import column_box
from mmgraph_gui.views.pairs.view import PairsView

OPTIONS = {"epochs": 2, "device": "cpu", "threads": 1, "filters": 4, "probe_images": 80}


@functools.cache
def trained(root, loss):
    return launch.train("metric-learning", OPTIONS | {"loss": loss}, runs=root / loss)[0]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("siamese")


@pytest.fixture(params=["triplet", "contrastive"])
def loss(request):
    return request.param


@pytest.fixture
def open_run(qtbot, context):
    def open_(folder):
        with qtbot.waitSignal(context.follower.opened):
            context.follower.open(folder)

    return open_


@pytest.fixture
def view(qtbot, runs, loss, open_run, show_view):
    open_run(trained(runs, loss))
    view = show_view(PairsView)
    ready(qtbot, view)
    return view


def ready(qtbot, view):
    qtbot.waitUntil(
        lambda: view.read is not None and view.picture.vectors is not None and view.spread is not None
    )


def recorded(view, layer="pairs/drawn", step=None):
    with RunReader(view.state.path) as reader:
        wanted = view.state.step if step is None else step
        infos = [info for info in reader.snapshots() if info.layer == layer and info.step <= wanted]
        return reader.load(infos[-1])


def cell(view, place, branch):
    rect = view.list.visualRect(view.list.rows.index(place))
    return column_box(rect, branch, view.read.rows.shape[1]).center()


def test_it_shows_what_was_recorded_hardest_first(view, loss):
    snapshot = recorded(view)
    np.testing.assert_array_equal(view.read.rows, snapshot.extras["branches"])
    np.testing.assert_allclose(view.read.distances, snapshot.array)
    assert view.read.rows.shape[1] == {"triplet": 3, "contrastive": 2}[loss]
    hardness = view.read.hardness[view.list.rows.order]
    assert (np.diff(hardness) <= 0).all()
    assert view.list.current == view.read.hardness.argmax()
    noun = {"triplet": "triplets", "contrastive": "pairs"}[loss]
    assert f"{len(view.read)} {noun}" in view.caption.text()
    assert f"{view.read.wrong.sum()} misjudged" in view.caption.text()
    assert view.names.names == view.read.names


def test_the_picture_has_the_vectors_of_the_current_one_and_the_histogram_its_distances(view):
    vectors = recorded(view, "vectors").array
    row = view.list.current
    np.testing.assert_allclose(view.picture.vectors, vectors[view.read.rows[row]])
    spread = recorded(view, "distances/validation")
    np.testing.assert_allclose(view.bars.shown.shares, spread.array, rtol=1e-6)
    threshold, *distances = [level.value for level in view.bars.levels]
    assert threshold == view.read.threshold
    assert distances == view.read.distances[row].tolist()
    assert [level.row for level in view.bars.levels[1:]] == [0 if s else 1 for s in view.read.similar[row]]


def test_arrow_keys_step_through_and_enter_selects_all_of_one(qtbot, view):
    order = view.list.rows.order
    view.setFocus()
    for place in (1, 2):
        qtbot.keyClick(view.list, Qt.Key.Key_Down)
        assert view.list.current == order[place]
        np.testing.assert_array_equal(view.picture.row, order[place])
        assert view.bars.levels[1].value == view.read.distances[order[place], 0]
    qtbot.keyClick(view.list, Qt.Key.Key_Up)
    assert view.list.current == order[1]
    assert len(view.state.selection) == 0
    qtbot.keyClick(view.list, Qt.Key.Key_Return)
    assert view.state.selection.tolist() == sorted(set(view.read.rows[order[1]].tolist()))


def test_clicking_a_branch_selects_its_item_everywhere(qtbot, view, theme, has_colour):
    assert not has_colour(view.picture, theme.palette.accent, 2)
    for branch in range(view.read.rows.shape[1]):
        place = cell(view, 1, branch)
        qtbot.mouseMove(view.list.viewport(), place)
        qtbot.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert view.state.selection.tolist() == [view.read.rows[view.list.rows.order[1], branch]]
    assert view.list.current == view.list.rows.order[1]
    qtbot.waitUntil(lambda: has_colour(view.picture, theme.palette.accent, 2))
    first, second = view.read.rows[view.list.current][:2].tolist()
    qtbot.mouseClick(view.picture, Qt.MouseButton.LeftButton, pos=QPoint(10, 60))
    assert view.state.selection.tolist() == [first]
    width = view.picture.width() // view.read.rows.shape[1]
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(view.picture, Qt.MouseButton.LeftButton, control, QPoint(width + 10, 60))
    assert view.state.selection.tolist() == sorted({first, second})


def test_pointing_at_a_branch_hovers_and_names_its_item(qtbot, view):
    qtbot.mouseMove(view.list.viewport(), cell(view, 0, 0))
    item = int(view.read.rows[view.list.rows.order[0], 0])
    qtbot.waitUntil(lambda: view.state.hovered == item)
    assert f"digit {item}" in view.list.toolTip()
    qtbot.mouseMove(view.picture, QPoint(view.picture.width() - 4, 60))
    qtbot.waitUntil(lambda: view.state.hovered == view.read.rows[view.list.current, -1])


def test_the_step_moves_everything_and_the_current_one_stays(qtbot, view):
    qtbot.keyClick(view.list, Qt.Key.Key_Down)
    chosen, last = view.list.current, view.bars.shown.shares.copy()
    view.state.set_step(0)
    qtbot.waitUntil(lambda: view.read.info.step == 0 and view.spread.info.step == 0)
    assert view.list.current == chosen
    np.testing.assert_allclose(view.read.distances, recorded(view, step=0).array)
    assert np.abs(view.bars.shown.shares - last).max() > 0.01
    vectors = recorded(view, "vectors", 0).array
    qtbot.waitUntil(lambda: view.picture.vectors is not None)
    np.testing.assert_allclose(view.picture.vectors, vectors[view.read.rows[chosen]])


def choose(qtbot, box, key):
    box.setCurrentIndex(box.findData(key))
    box.activated.emit(box.currentIndex())


def test_only_misjudged_ones_or_those_with_the_selection(qtbot, view):
    view.state.set_step(0)
    qtbot.waitUntil(lambda: view.read.info.step == 0)
    wrong = np.flatnonzero(view.read.wrong)
    assert 0 < len(wrong) < len(view.read)
    choose(qtbot, view.shown_box, "wrong")
    qtbot.waitUntil(lambda: sorted(view.list.rows.order.tolist()) == wrong.tolist())
    assert f"{len(wrong)} of {len(view.read)}" in view.caption.text()
    choose(qtbot, view.shown_box, "selection")
    qtbot.waitUntil(lambda: not len(view.list.rows.order))
    assert "holds a selected item" in view.none_left.text()
    assert view.none_left.isVisible()
    item = int(view.read.rows[4, 1])
    view.state.select([item])
    holding = np.flatnonzero((view.read.rows == item).any(axis=1))
    qtbot.waitUntil(lambda: sorted(view.list.rows.order.tolist()) == holding.tolist())
    choose(qtbot, view.order_box, "recorded")
    choose(qtbot, view.shown_box, "all")
    qtbot.waitUntil(lambda: view.list.rows.order.tolist() == list(range(len(view.read))))


def test_other_layer_table_and_vectors(qtbot, view, loss):
    view.state.set_layer("pairs", "pairs/hardest")
    qtbot.waitUntil(lambda: view.read.info.layer == "pairs/hardest")
    snapshot = recorded(view, "pairs/hardest")
    columns, rows = view.table()
    rows = list(rows)
    assert len(rows) == len(snapshot.array)
    labels = view.state.items.labels
    for row, place in zip(rows, view.list.rows.order, strict=True):
        values = dict(zip(columns, row, strict=True))
        first, second = view.read.names[:2]
        assert values[f"{first} row"] == snapshot.extras["branches"][place, 0]
        assert values[f"{second} label"] == str(labels[snapshot.extras["branches"][place, 1]])
        assert values[f"{second} distance"] == snapshot.array[place, 0]
        judged = snapshot.array[place, 0] <= snapshot.notes["threshold"]
        assert values[f"{second} judged similar"] == judged
    drawing = view.vector_source()
    image = QImage(drawing.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    assert image.pixelColor(3, 3).name() == view.theme.palette.background


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_both_themes_paint_verdicts_and_histogram(qtbot, view, theme, has_colour, mode):
    theme.set_mode(mode)
    qtbot.waitUntil(lambda: not view.is_pending)
    palette = theme.palette
    qtbot.waitUntil(lambda: has_colour(view.picture, palette.background, 2))
    choose(qtbot, view.order_box, "recorded")
    qtbot.waitUntil(lambda: has_colour(view.list, palette.good, 30))
    assert has_colour(view.bars, theme.category(0))
    assert has_colour(view.bars, theme.category(1))


def pairs(**notes):
    return Snapshot(
        "matrix",
        "pairs/given",
        np.array([[0.25], [0.75]], np.float32),
        items="items",
        extras={"branches": np.array([[0, 1], [2, 3]]), "similar": np.array([[True], [False]])},
        notes=notes,
    )


def written(tmp_path, *snapshots):
    texts = ("one", "two", "three", "four")
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.scalars(1, {"train/loss": 1.0})
        run.items(ItemSet(texts=texts, noun="line"))
        if snapshots:
            run.snapshots(1, list(snapshots), wait=True)
    return run.folder


def test_texts_without_threshold_vectors_or_histogram_are_shown_too(
    qtbot, open_run, show_view, tmp_path, pixels_of
):
    open_run(written(tmp_path, pairs(distance="cosine")))
    view = show_view(PairsView)
    qtbot.waitUntil(lambda: view.list.current is not None)
    assert "no threshold" in view.caption.text()
    assert not view.picture.has_vectors
    assert [level.name for level in view.bars.levels] == ["this pair 0.25"]
    assert len(np.unique(pixels_of(view.picture).reshape(-1, 3), axis=0)) > 2
    said = view.list.rows.data(view.list.rows.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert "line 1" in said
    assert "cosine 0.25" in said


def test_damaged_pairs_and_runs_without_any_say_so(qtbot, open_run, show_view, tmp_path):
    view = show_view(PairsView)
    assert view.message == "No run is open."
    open_run(written(tmp_path / "without"))
    qtbot.waitUntil(lambda: view.message == "This run recorded no pairs of a Siamese network.")
    damaged = Snapshot("matrix", "pairs/given", np.zeros((2, 2), np.float32))
    open_run(written(tmp_path / "damaged", damaged))
    qtbot.waitUntil(lambda: "does not say which items" in view.message)
    open_run(written(tmp_path / "whole", pairs()))
    qtbot.waitUntil(lambda: view.message == "" and view.read is not None)


def test_matrices_of_pairs_do_not_appear_among_the_matrices(qtbot, context, runs, open_run, tmp_path):
    open_run(shutil.copytree(trained(runs, "triplet"), tmp_path / "copy"))
    assert not [layer for layer in context.state.layers("matrix") if layer.startswith("pairs/")]


def test_it_learns_that_a_run_ended_without_pairs(qtbot, context, show_view, tmp_path):
    run = RunWriter.create(tmp_path, "live", {})
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    view = show_view(PairsView)
    qtbot.waitUntil(lambda: "waiting for the first snapshot" in view.message)
    run.close("finished")
    qtbot.waitUntil(lambda: view.message == "This run recorded no pairs of a Siamese network.")
