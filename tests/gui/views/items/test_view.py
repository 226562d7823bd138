from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from mmgraph.runs import ItemSet, RunWriter, Snapshot
from mmgraph_gui.state.guest import Guest
from mmgraph_gui.views import Context
from mmgraph_gui.views.items.view import ItemsView, sort_items


@pytest.fixture
def view(qtbot: Any, opened: Context, show_view: Callable[[Any], Any]) -> ItemsView:
    view = show_view(ItemsView)
    qtbot.waitUntil(lambda: view.order is not None and view.order.judged)
    return view


def rows_of(view: ItemsView) -> list[int]:
    return view.gallery.rows.rows.tolist()


def choose(qtbot: Any, view: ItemsView, box: str, key: str) -> None:
    before = view.order
    chooser = getattr(view, box)
    index = chooser.findData(key)
    chooser.setCurrentIndex(index)
    chooser.activated.emit(index)
    qtbot.waitUntil(lambda: view.order is not before)


def test_all_items_with_the_most_wrong_first(view: ItemsView) -> None:
    state = view.state
    labels = state.items.labels
    losses = -np.log(state.prediction.probabilities[np.arange(300), labels])
    order = rows_of(view)
    assert sorted(order) == list(range(300))
    assert (np.diff(losses[order]) <= 1e-5).all()
    wrong = int((state.prediction.classes != labels).sum())
    assert f"{wrong} of 300 with a label are wrong" in view.caption.text()


def test_the_selection_is_shown_alone_and_clearing_brings_all_back(qtbot: Any, view: ItemsView) -> None:
    view.state.select([4, 9, 2])
    qtbot.waitUntil(lambda: sorted(rows_of(view)) == [2, 4, 9])
    assert "3 of 300 digits shown" in view.caption.text()
    view.state.clear_selection()
    qtbot.waitUntil(lambda: len(rows_of(view)) == 300)


def test_clicking_selects_without_emptying_the_gallery(qtbot: Any, view: ItemsView) -> None:
    def click(place: int, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
        box = view.gallery.visualRect(view.gallery.rows.index(place))
        QTest.mouseClick(view.gallery.viewport(), Qt.MouseButton.LeftButton, modifiers, box.center())

    before = rows_of(view)
    click(2)
    assert view.state.selection.tolist() == [before[2]]
    click(4, Qt.KeyboardModifier.ControlModifier)
    assert view.state.selection.tolist() == sorted([before[2], before[4]])
    click(2, Qt.KeyboardModifier.AltModifier)
    assert view.state.selection.tolist() == [before[4]]
    qtbot.waitUntil(lambda: "1 selected" in view.caption.text())
    assert rows_of(view) == before


def test_keys_move_and_enter_selects(view: ItemsView) -> None:
    view.gallery.setCurrentIndex(view.gallery.rows.index(3))
    QTest.keyClick(view.gallery, Qt.Key.Key_Right)
    QTest.keyClick(view.gallery, Qt.Key.Key_Return)
    assert view.state.selection.tolist() == [rows_of(view)[4]]


def test_other_orders(qtbot: Any, view: ItemsView) -> None:
    choose(qtbot, view, "order_box", "row")
    assert rows_of(view) == list(range(300))
    choose(qtbot, view, "order_box", "unsure")
    assert (np.diff(view.state.prediction.confidence[rows_of(view)]) >= 0).all()


def test_wrong_only(qtbot: Any, view: ItemsView) -> None:
    choose(qtbot, view, "shown_box", "wrong")
    wrong = np.flatnonzero(view.state.prediction.classes != view.state.items.labels)
    if len(wrong):
        assert sorted(rows_of(view)) == wrong.tolist()
        assert view.message == ""
    else:
        assert view.message == "No item is predicted wrongly at this step."


def test_pictures_and_verdicts_are_drawn(
    view: ItemsView, pixels_of: Callable[[Any], np.ndarray], has_colour: Callable[..., bool]
) -> None:
    assert len(np.unique(pixels_of(view.gallery).reshape(-1, 3), axis=0)) > 20
    first = view.gallery.rows.index(0)
    spoken = first.data(Qt.ItemDataRole.AccessibleTextRole)
    row = rows_of(view)[0]
    assert spoken.startswith(f"digit {row}")
    assert f"label {view.state.items.labels[row]}" in spoken


def test_selected_cells_are_framed(qtbot: Any, view: ItemsView, has_colour: Callable[..., bool]) -> None:
    assert not has_colour(view.gallery, view.theme.palette.accent)
    view.state.select([1])
    qtbot.waitUntil(lambda: rows_of(view) == [1])
    assert has_colour(view.gallery, view.theme.palette.accent)


def test_the_table_lists_what_is_shown(view: ItemsView) -> None:
    columns, rows = view.table()
    assert columns[0] == "row"
    assert [row[0] for row in rows] == rows_of(view)


def test_texts_without_predictions(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.items(ItemSet(texts=("one", "two"), noun="paper"))
        run.scalars(1, {"train/loss": 1.0})
    view = show_view(ItemsView)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: rows_of(view) == [0, 1])
    assert "no predictions at this step" in view.caption.text()
    choose(qtbot, view, "shown_box", "wrong")
    assert view.message == "There are no predictions at this step to judge by."


def test_a_run_without_items_says_so(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(ItemsView)
    assert view.message == "No run is open."
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.snapshots(1, [Snapshot("embedding", "e", np.zeros((2, 2), np.float32))], wait=True)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.message == "This run recorded no items.")


def test_items_that_were_not_recorded_come_last_and_are_not_wrong() -> None:
    probabilities = np.array([[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8]], np.float32)
    order = sort_items(
        None,
        (),
        probabilities=probabilities,
        labels=np.array([0, 0, 0]),
        count=3,
        selection=np.zeros(0, np.int64),
        shown="all",
        order="wrong",
    )
    assert order.rows.tolist() == [2, 0, 1]
    assert (order.n_wrong, order.n_known) == (1, 2)


def test_texts_of_any_script_without_labels(
    qtbot: Any,
    context: Context,
    show_view: Callable[[Any], Any],
    tmp_path: Any,
    pixels_of: Callable[[Any], np.ndarray],
) -> None:
    texts = ("שלום עולם", "مرحبا", "👩‍👩‍👧 🇪🇺", "", "a\x00b\n" * 3000)
    with RunWriter.create(tmp_path, "texts", {}) as run:
        run.items(ItemSet(texts=texts, noun="مقال"))
        chances = np.full((5, 2), np.nan, np.float32)
        run.snapshots(1, [Snapshot("prediction", "output", chances, items="items")], wait=True)
    view = show_view(ItemsView)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.order is not None and len(rows_of(view)) == 5)
    plain = pixels_of(view.gallery)
    for row in range(5):
        context.state.select([row])
        qtbot.waitUntil(lambda row=row: view.detail.row == row)
        shown = view.detail.words.toPlainText()
        assert shown.startswith(f"مقال {row}")
        view.grab()
        assert not view.message
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) > 4


def test_a_run_that_has_items_later_shows_them_where_those_near_an_own_one_were_shown(
    qtbot: Any, view: ItemsView, tmp_path: Any
) -> None:
    view.state.set_guest(Guest("mine", layer="encoder", neighbours=((7, 0.5), (3, 0.6))))
    qtbot.waitUntil(lambda: rows_of(view) == [7, 3])
    with RunWriter.create(tmp_path, "live", {}) as run:
        run.scalars(1, {"train/loss": 1.0})
        run.flush()
        view.follower.open(run.folder)
        qtbot.waitUntil(lambda: view.message.startswith("No items yet"))
        assert view.state.guest is None
        run.items(ItemSet(ids=np.arange(4)))
        qtbot.waitUntil(lambda: rows_of(view) == [0, 1, 2, 3] and view.message == "")


def test_while_a_run_is_being_read_it_says_so(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(ItemsView)
    assert view.message == "No run is open."
    context.state.open(tmp_path / "run", {})
    qtbot.waitUntil(lambda: view.message == "Reading the run …")
