from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from scipy.spatial.distance import cdist

from mmgraph.runs import ItemSet, RunReader, RunWriter, Snapshot
from mmgraph_gui.views.items.view import ItemsView


@pytest.fixture
def view(qtbot, opened, show_view):
    view = show_view(ItemsView)
    qtbot.waitUntil(lambda: view.order is not None and view.order.judged)
    return view


def shown(view):
    return view.gallery.rows.rows.tolist()


def vectors(view, layer="convs.1", step=40):
    with RunReader(view.state.path) as reader:
        infos = reader.snapshots(kind="embedding", step=step)
        return reader.load(next(info for info in infos if info.layer == layer)).array


def nearest(view, item, k, metric="euclidean", **where):
    array = vectors(view, **where)
    distances = cdist(array[item : item + 1], array, metric)[0]
    return [row for row in np.argsort(distances, kind="stable").tolist() if row != item][:k], distances


def test_words_filter_as_they_are_typed_and_enter_selects_what_fits(qtbot, view):
    view.state.select([0, 1])
    view.focus_search()
    qtbot.waitUntil(view.search.field.hasFocus)
    qtbot.keyClicks(view.search.field, "label:7 split:validation")
    items = view.state.items
    wanted = np.flatnonzero((items.labels == 7) & (items.splits == 1)).tolist()
    qtbot.waitUntil(lambda: sorted(shown(view)) == wanted)
    assert view.state.selection.tolist() == [0, 1]
    assert f"{len(wanted)} of 300 digits shown" in view.caption.text()
    qtbot.keyClick(view.search.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: view.state.selection.tolist() == wanted)
    assert sorted(shown(view)) == wanted


def test_escape_empties_the_field_and_leaves_the_selection(qtbot, view):
    view.state.select([3])
    view.focus_search()
    qtbot.keyClicks(view.search.field, "nothing like it")
    qtbot.waitUntil(lambda: view.message == "No item fits 'nothing like it'.")
    assert view.search.field.isVisible()
    qtbot.keyClick(view.search.field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: shown(view) == [3] and view.message == "")
    qtbot.keyClick(view.search.field, Qt.Key.Key_Escape)
    assert view.state.selection.tolist() == [3]
    assert not view.search.field.hasFocus()


def test_the_nearest_of_the_selected_item_are_exact_selected_and_in_order(qtbot, view):
    view.state.select([17])
    qtbot.mouseClick(view.search.near, Qt.MouseButton.LeftButton)
    rows, distances = nearest(view, 17, 10)
    qtbot.waitUntil(lambda: shown(view) == [17, *rows])
    assert view.state.selection.tolist() == sorted([17, *rows])
    for place, row in enumerate([17, *rows]):
        said = view.gallery.rows.data(view.gallery.rows.index(place), Qt.ItemDataRole.ToolTipRole)
        assert f"distance {distances[row]:.4g}" in said
    same = (view.state.items.labels[rows] == view.state.items.labels[17]).sum()
    assert (
        f"the 10 nearest to digit 17  ·  euclidean distance in convs.1 at step 40  ·  {same} of its class"
        in (view.caption.text())
    )
    columns, values = view.table()
    assert columns[-1] == "distance"
    assert [row[-1] for row in values] == pytest.approx(distances[[17, *rows]].tolist(), rel=1e-5, abs=1e-6)


def test_number_distance_step_and_layer_change_what_is_near(qtbot, view):
    view.state.select([17])
    view.show_neighbours()
    qtbot.waitUntil(lambda: len(shown(view)) == 11)
    selected = view.state.selection.tolist()
    view.search.k_box.setValue(3)
    qtbot.waitUntil(lambda: shown(view) == [17, *nearest(view, 17, 3)[0]])
    view.search.metric_box.setCurrentText("cosine")
    view.search.metric_box.activated.emit(1)
    qtbot.waitUntil(lambda: shown(view) == [17, *nearest(view, 17, 3, "cosine")[0]])
    view.state.set_step(10)
    qtbot.waitUntil(lambda: view.nearest.info.step == 10)
    assert shown(view) == [17, *nearest(view, 17, 3, "cosine", step=10)[0]]
    view.state.set_layer("embedding", "encoder")
    qtbot.waitUntil(lambda: view.nearest.info.layer == "encoder")
    assert shown(view) == [17, *nearest(view, 17, 3, "cosine", layer="encoder", step=10)[0]]
    assert view.state.selection.tolist() == selected


def test_neighbours_end_with_the_button_or_with_words(qtbot, view):
    view.state.select([17])
    for end in ("button", "words"):
        view.state.select([17])
        view.show_neighbours()
        qtbot.waitUntil(lambda: len(view.state.selection) == 11)
        if end == "button":
            qtbot.mouseClick(view.search.near, Qt.MouseButton.LeftButton)
            qtbot.waitUntil(lambda: view.gallery.rows.distances == {})
            assert sorted(shown(view)) == view.state.selection.tolist()
        else:
            qtbot.keyClicks(view.search.field, "id:5")
            qtbot.waitUntil(lambda: shown(view) == [5])
        assert not view.search.near.isChecked()
        assert view.nearest is None
        assert view.gallery.rows.distances == {}


def test_without_one_selected_item_it_says_so(qtbot, view):
    qtbot.mouseClick(view.search.near, Qt.MouseButton.LeftButton)
    assert not view.search.near.isChecked()
    assert "Select one item" in view.caption.text()


def test_runs_without_embedding_and_items_without_a_vector_say_so(qtbot, context, show_view, tmp_path):
    view = show_view(ItemsView)
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.items(ItemSet(texts=("one", "two", "three")))
        run.scalars(1, {"train/loss": 1.0})
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.order is not None)
    context.state.select([2])
    view.show_neighbours()
    qtbot.waitUntil(lambda: view.message == "This run recorded no embedding to search.")
    some = Snapshot(
        "embedding", "v", np.eye(2, dtype=np.float32), items="items", extras={"rows": np.array([0, 1])}
    )
    with RunWriter(run.folder) as again:
        again.snapshots(2, [some], wait=True)
    qtbot.waitUntil(lambda: "Item 2 has no vector" in view.message)
    qtbot.mouseClick(view.search.near, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.message == "" and shown(view) == [2])
