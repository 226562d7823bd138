"""Cells of the gallery: what is kept of them, when it is drawn anew, and that it looks as if nothing were kept."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QRegion

from mmgraph.runs import ItemSet
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state.prediction import Prediction
from mmgraph_gui.state.selection import EMPTY
from mmgraph_gui.views.items import cell
from mmgraph_gui.views.items.gallery import Gallery

Pixels = Callable[[Any], np.ndarray]


def predictions(step: int, n_items: int) -> Prediction:
    chances = np.random.default_rng(step).random((n_items, 3)).astype(np.float32)
    return Prediction(step, chances / chances.sum(axis=1, keepdims=True))


def items_of(n_items: int, seed: int = 0) -> ItemSet:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 255, (n_items, 8, 8)).astype(np.uint8)
    return ItemSet(labels=np.arange(n_items) % 3, class_names=("a", "b", "c"), thumbnails=pictures)


def gallery_of(qtbot: Any, state: Any) -> Gallery:
    gallery = Gallery(state, Theme())
    gallery.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no frame of the one that has it
    qtbot.addWidget(gallery)
    gallery.resize(640, 420)
    gallery.rows.set_rows(np.arange(len(state.items)))
    with qtbot.waitExposed(gallery):
        gallery.show()
    qtbot.waitUntil(lambda: gallery.verticalScrollBar().maximum() > 0 and not gallery.is_pending)
    return gallery


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """New cells are drawn at once, however busy the machine is."""
    monkeypatch.setattr("mmgraph_gui.views.items.gallery.BUDGET", np.inf)


@pytest.fixture
def state() -> Any:
    return SimpleNamespace(items=items_of(40), prediction=predictions(1, 40), selection=EMPTY, hovered=None)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows whose lasting part was drawn, in order."""
    rows: list[int] = []
    paint = cell.GalleryCell._paint_lasting

    def paint_and_note(self: cell.GalleryCell, painter: Any, look: cell.Look, known: Any) -> None:
        rows.append(look.row)
        paint(self, painter, look, known)

    monkeypatch.setattr(cell.GalleryCell, "_paint_lasting", paint_and_note)
    return rows


def test_a_new_step_draws_only_predictions(
    qtbot: Any, state: Any, drawn: list[int], pixels_of: Pixels
) -> None:
    gallery = gallery_of(qtbot, state)
    before = pixels_of(gallery)
    assert sorted(set(drawn)) == list(range(max(drawn) + 1))
    drawn.clear()
    state.prediction = predictions(2, 40)
    assert not np.array_equal(pixels_of(gallery), before)
    assert drawn == []


def test_what_is_kept_looks_as_what_is_drawn(qtbot: Any, state: Any, pixels_of: Pixels) -> None:
    kept = gallery_of(qtbot, state)
    pixels_of(kept)
    state.prediction, state.selection = predictions(2, 40), np.array([1, 3])
    pixels_of(kept)
    state.selection = np.array([3])
    anew = gallery_of(qtbot, state)
    assert np.array_equal(pixels_of(kept.viewport()), pixels_of(anew.viewport()))


def test_a_selected_item_and_other_items_are_drawn_anew(
    qtbot: Any, state: Any, drawn: list[int], pixels_of: Pixels
) -> None:
    gallery = gallery_of(qtbot, state)
    before = pixels_of(gallery)
    drawn.clear()
    state.selection = np.array([2])
    chosen = pixels_of(gallery)
    assert drawn == [2]
    assert not np.array_equal(chosen, before)
    state.selection, state.items = EMPTY, items_of(40, seed=1)
    assert not np.array_equal(pixels_of(gallery), before)
    assert len(drawn) > 10


def test_no_more_than_so_many_bytes_are_kept(
    qtbot: Any, state: Any, monkeypatch: pytest.MonkeyPatch, pixels_of: Pixels
) -> None:
    monkeypatch.setattr(cell, "MOST_BYTES", 3.5 * 4 * cell.PICTURE_CELL[0] * cell.PICTURE_CELL[1])
    gallery = gallery_of(qtbot, state)
    picture = pixels_of(gallery)
    delegate = gallery.itemDelegate()
    assert isinstance(delegate, cell.GalleryCell)
    assert 1 <= len(delegate._kept) <= 3
    assert delegate._bytes == sum(4 * kept.width() * kept.height() for kept in delegate._kept.values())
    assert np.array_equal(pixels_of(gallery), picture)


def test_another_order_leaves_the_gallery_where_it_was_scrolled(qtbot: Any, state: Any) -> None:
    gallery = gallery_of(qtbot, state)
    gallery.verticalScrollBar().setValue(gallery.verticalScrollBar().maximum())
    at = gallery.verticalScrollBar().value()
    gallery.rows.set_rows(np.arange(40)[::-1])
    qtbot.wait(50)
    assert gallery.verticalScrollBar().value() == at
    assert gallery.rows.index(0).data(cell.ROW_ROLE) == 39
    gallery.rows.set_rows(np.arange(3))
    assert gallery.rows.rowCount() == 3
    gallery.rows.set_rows(np.zeros(0, dtype=np.int64))
    gallery.rows.set_rows(np.zeros(0, dtype=np.int64), np.zeros(0))
    assert gallery.rows.rowCount() == 0


def test_new_cells_are_drawn_bit_by_bit(
    qtbot: Any, state: Any, drawn: list[int], monkeypatch: pytest.MonkeyPatch, pixels_of: Pixels
) -> None:
    gallery = gallery_of(qtbot, state)
    whole = pixels_of(gallery.viewport())
    monkeypatch.setattr("mmgraph_gui.views.items.gallery.BUDGET", 0.0)
    state.items = items_of(40, seed=1)
    drawn.clear()
    gallery.viewport().repaint()
    assert len(drawn) == 1
    assert gallery.is_pending
    qtbot.waitUntil(lambda: not gallery.is_pending)
    assert len(drawn) > 10
    assert len(set(drawn)) == len(drawn)
    other = pixels_of(gallery.viewport())
    assert not np.array_equal(other, whole)
    monkeypatch.setattr("mmgraph_gui.views.items.gallery.BUDGET", np.inf)
    assert np.array_equal(other, pixels_of(gallery_of(qtbot, state).viewport()))


def test_two_corners_are_repainted_without_the_cells_between_them(
    qtbot: Any, state: Any, drawn: list[int], pixels_of: Pixels
) -> None:
    gallery = gallery_of(qtbot, state)
    gallery.viewport().repaint()
    state.items = items_of(40, seed=1)
    drawn.clear()
    first, last = (gallery.visualRect(gallery.rows.index(row, 0)) for row in (0, 11))
    gallery.viewport().repaint(QRegion(first) + QRegion(last))
    assert drawn == [0, 11]
    gallery.viewport().repaint()
    assert np.array_equal(pixels_of(gallery.viewport()), pixels_of(gallery_of(qtbot, state).viewport()))


def test_what_is_late_is_drawn_at_once_for_a_picture_and_where_it_was_scrolled_to(
    qtbot: Any, state: Any, drawn: list[int], monkeypatch: pytest.MonkeyPatch, pixels_of: Pixels
) -> None:
    gallery = gallery_of(qtbot, state)
    monkeypatch.setattr("mmgraph_gui.views.items.gallery.BUDGET", 0.0)
    state.items = items_of(40, seed=1)
    gallery.viewport().repaint()
    assert gallery.is_pending
    gallery.finish()
    assert not gallery.is_pending
    state.items = items_of(40, seed=2)
    gallery.viewport().repaint()
    gallery.verticalScrollBar().setValue(30)
    qtbot.waitUntil(lambda: not gallery.is_pending)
    scrolled = pixels_of(gallery.viewport())
    monkeypatch.setattr("mmgraph_gui.views.items.gallery.BUDGET", np.inf)
    anew = gallery_of(qtbot, state)
    anew.verticalScrollBar().setValue(30)
    qtbot.waitUntil(lambda: not anew.is_pending)
    assert np.array_equal(scrolled, pixels_of(anew.viewport()))


def test_a_class_is_named_whole_rather_than_with_how_sure_it_is(
    qtbot: Any, state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.items = ItemSet(
        labels=np.arange(40) % 3,
        class_names=("Pullover", "a", "a name that has no room in any cell"),
        thumbnails=np.zeros((40, 8, 8), dtype=np.uint8),
    )
    said: list[tuple[str, str]] = []
    write = cell._write
    monkeypatch.setattr(
        cell,
        "_write",
        lambda painter, place, text, ending: (
            said.append((text, ending)),
            write(painter, place, text, ending),
        ),
    )
    gallery_of(qtbot, state)
    endings = {
        name: {ending for text, ending in said if text.endswith(name) and text != name}
        for name in state.items.class_names
    }
    assert endings["Pullover"] == {""} == endings["a name that has no room in any cell"]
    assert all(ending.startswith(" (0.") for ending in endings["a"])
