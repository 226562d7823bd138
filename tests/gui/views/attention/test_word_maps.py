from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from mmgraph.runs import ItemSet, RunWriter, Snapshot
from mmgraph_gui.views import Context
from mmgraph_gui.views.attention.view import AttentionView
from mmgraph_gui.views.attention.word_maps import DIMMEST, spotlight, word_maps

WORDS = ["a", "red", "circle", "<end>"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    weights = generator.dirichlet(np.ones(6), size=(3, 2, 6)).astype(np.float32)
    pictures = generator.integers(0, 255, (5, 20, 30, 3), dtype=np.uint8)
    notes = {"grid": [2, 3], "words": [WORDS, WORDS[:2], ["unseen", *WORDS]]}
    with RunWriter.create(tmp_path, "captioning", {"run": {"recipe": "captioning"}}) as writer:
        writer.items(ItemSet(thumbnails=pictures, noun="image"))
        rows = np.array([0, 2, 4])
        writer.snapshots(
            1,
            [Snapshot("attention", "decoder", weights, items="items", extras={"rows": rows}, notes=notes)],
            epoch=0.0,
            wait=True,
        )
        return writer.folder


@pytest.fixture
def view(qtbot: Any, run: Path, context: Context, show_view: Callable[[Any], Any]) -> Any:
    view = show_view(AttentionView)
    context.follower.open(run)
    qtbot.waitUntil(lambda: view.words is not None)
    return view


def test_a_picture_per_word_of_the_selected_item(qtbot: Any, view: AttentionView) -> None:
    assert view.words is not None
    assert view.words.words == tuple(WORDS)
    assert "a red circle" in view.caption.text()
    view.state.select([4])
    qtbot.waitUntil(lambda: view.words is not None and view.words.item == 4)
    assert view.words.words[0] == "unseen"
    view.state.select([3])
    qtbot.waitUntil(lambda: "no maps" in view.caption.text())


def test_heads_are_averaged_or_shown_alone(qtbot: Any, view: AttentionView) -> None:
    mean = view.words.weights.copy()
    view.head_box.activated.emit(2)
    qtbot.waitUntil(lambda: not np.array_equal(view.words.weights, mean))
    assert view.state.head == 1


def test_mouse_and_arrows_choose_a_word(qtbot: Any, view: AttentionView) -> None:
    boxes = view.sentence.places()
    assert len(boxes) == 4
    for one, other in itertools.pairwise(boxes):
        assert not one.intersects(other)
    QTest.mouseMove(view.sentence, boxes[2].center().toPoint())
    qtbot.waitUntil(lambda: "“circle”" in view.caption.text())
    QTest.keyClick(view.sentence, Qt.Key.Key_Left)
    assert "“red”" in view.caption.text()
    QTest.keyClick(view.sentence, Qt.Key.Key_Left)
    QTest.keyClick(view.sentence, Qt.Key.Key_Left)
    assert "“<end>”" in view.caption.text()


def test_nothing_is_cut_off_at_any_size(view: AttentionView) -> None:
    for width, height in ((900, 600), (320, 300), (1400, 300)):
        view.resize(width, height)
        for box in view.sentence.places():
            assert view.sentence.rect().contains(box.toRect())


def test_the_table_has_every_weight(view: AttentionView) -> None:
    names, rows = view.table()
    rows = list(rows)
    assert names == ("position", "word", "row", "column", "weight")
    assert len(rows) == 4 * 6
    assert rows[7][:4] == (1, "red", 0, 1)
    assert rows[7][4] == pytest.approx(view.words.weights[1, 0, 1])


def test_a_sentence_that_was_cut_off_has_a_picture_for_each_word_that_was_looked_for() -> None:
    maps = word_maps(
        np.ones((2, 3, 4)), ["a", "red", "circle", "<end>"], (2, 2), None, None, layer="d", step=1
    )
    assert maps.words == ("a", "red", "circle")
    assert len(maps.images) == len(maps.weights) == 3


def test_a_spotlight_leaves_the_brightest_place_as_it_is_and_dims_the_others() -> None:
    picture = np.full((40, 40, 3), 200, np.uint8)
    weights = np.array([[0.0, 0.0], [0.0, 1.0]], np.float32)
    lit = spotlight(picture, weights)
    assert (lit[35:, 35:] == 200).all()
    assert (lit[:5, :5] == 200 * DIMMEST).all()
    assert spotlight(None, weights).shape == (32, 32, 3)
    assert (spotlight(picture[..., 0], np.zeros((2, 2), np.float32)) == 200 * DIMMEST).all()
