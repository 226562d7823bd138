"""Attention of queries on keys: names, patches of pictures, rollout, all heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from mmgraph.analysis import rollout
from mmgraph.runs import ItemSet, Recordings, RunWriter, Snapshot
from mmgraph_gui.views import Context
from mmgraph_gui.views.attention.maps import token_names
from mmgraph_gui.views.attention.view import AttentionView
from mmgraph_gui.views.attention.word_maps import DIMMEST, lit_frames

LAYERS, HEADS, ITEMS = 3, 2, 2
WORDS = [["the", "cat", "sat", "down"], ["קפה", "☕", "go"]]


def weights(tokens: int, items: int = ITEMS) -> np.ndarray:
    found = np.random.default_rng(0).dirichlet(np.ones(tokens), size=(LAYERS, items, HEADS, tokens))
    return found.astype(np.float32)


def write(
    root: Path, array: np.ndarray, notes: dict[str, Any], items: ItemSet | None = None, steps: Sequence[int] = (1,)
) -> Path:  # fmt: skip
    with RunWriter.create(root, "transformer", {"run": {"recipe": "watch"}}) as run:
        run.items(items or ItemSet(texts=("one", "two"), noun="sentence"))
        for step in steps:
            run.snapshots(
                step,
                [
                    Snapshot("attention", f"layers.{layer}", step * array[layer], items="items", notes=notes)
                    for layer in range(LAYERS)
                ],
                wait=True,
            )
    return run.folder


@pytest.fixture
def open_view(
    qtbot: Any, tmp_path: Path, context: Context, show_view: Callable[[Any], Any]
) -> Callable[..., AttentionView]:
    def opened(*given: Any, **more: Any) -> AttentionView:
        view = show_view(AttentionView)
        context.follower.open(write(tmp_path, *given, **more))
        qtbot.waitUntil(lambda: view.map is not None)
        return view

    return opened


def choose(view: AttentionView, way: str) -> None:
    place = view.way_box.findData(way)
    view.way_box.setCurrentIndex(place)
    view.way_box.activated.emit(place)


def test_words_are_joined_by_lines(
    qtbot: Any, open_view: Callable[..., AttentionView], has_colour: Callable[..., bool]
) -> None:
    array = weights(4)
    view = open_view(array, {"queries": WORDS, "keys": WORDS})
    assert view.page.currentWidget().widget() is view.page.links
    assert view.map.keys == tuple(WORDS[0])
    np.testing.assert_allclose(view.map.values, array[0, 0].mean(axis=0), rtol=1e-6)
    links = view.page.links
    QTest.mouseMove(links, links.places()[0][2].center().toPoint())
    qtbot.waitUntil(lambda: view.caption.text().startswith("“sat” looks most at"))
    strongest = WORDS[0][int(view.map.values[2].argmax())]
    assert view.caption.text().startswith(f"“sat” looks most at “{strongest}”")
    QTest.keyClick(links, Qt.Key.Key_Down)
    assert links.current == 3
    QTest.keyClick(links, Qt.Key.Key_Down)
    assert links.current == 0
    view.state.select([1])  # a shorter sentence, partly right to left and partly a picture
    qtbot.waitUntil(lambda: view.map is not None and view.map.item == 1)
    assert view.map.queries == tuple(WORDS[1])
    assert view.map.values.shape == (3, 3)
    assert has_colour(links, view.theme.palette.foreground)


def test_named_tokens_stand_beside_the_map(qtbot: Any, open_view: Callable[..., AttentionView]) -> None:
    view = open_view(weights(4), {"queries": "frame", "keys": "frame"})
    choose(view, "map")
    qtbot.waitUntil(lambda: view.page.currentWidget() is view.page.named_heat)
    heat = view.page.named_heat
    QTest.mouseMove(heat, heat.cell_box(1, 3).center().toPoint())
    qtbot.waitUntil(lambda: "“frame 1” attends to “frame 3”" in view.caption.text())
    _, rows = view.table()
    assert next(iter(rows))[:2] == ("frame 0", "frame 0")


def test_patches_are_laid_over_the_picture(
    qtbot: Any, open_view: Callable[..., AttentionView], pixels_of: Callable[[Any], np.ndarray]
) -> None:
    array = weights(7)
    pictures = np.zeros((ITEMS, 20, 30, 3), np.uint8)
    pictures[..., 0] = 200
    view = open_view(array, {"grid": [2, 3], "before": 1}, ItemSet(thumbnails=pictures, noun="image"))
    overlay = view.page.overlay
    assert view.page.currentWidget() is overlay
    assert view.opacity.isVisible()
    mean = array[0, 0].mean(axis=0)
    np.testing.assert_allclose(overlay.weights(), mean[0, 1:].reshape(2, 3), rtol=1e-6)
    assert "class token looks" in view.caption.text()
    QTest.mouseClick(overlay, Qt.MouseButton.LeftButton, pos=overlay.box(1, 2).center().toPoint())
    np.testing.assert_allclose(overlay.weights(), mean[6, 1:].reshape(2, 3), rtol=1e-6)
    QTest.keyClick(overlay, Qt.Key.Key_Up)
    np.testing.assert_allclose(overlay.weights(), mean[3, 1:].reshape(2, 3), rtol=1e-6)
    QTest.keyClick(overlay, Qt.Key.Key_Home)
    assert overlay.query is None
    middle = overlay.area().center().toPoint()
    view.opacity.setValue(0)
    assert pixels_of(overlay)[middle.y(), middle.x()].tolist() == [200, 0, 0]
    view.opacity.setValue(100)
    bare = pixels_of(overlay)[middle.y(), middle.x()]
    assert np.abs(bare.astype(int) - [200, 0, 0]).max() > 30


def test_without_thumbnails_the_places_stand_for_themselves(open_view: Callable[..., AttentionView]) -> None:
    view = open_view(weights(6), {"grid": [2, 3]})
    assert view.page.currentWidget() is view.page.overlay
    assert not view.opacity.isVisible()
    assert "mean of all queries" in view.caption.text()


def test_rollout_multiplies_the_layers_up_to_the_chosen_one(
    qtbot: Any, open_view: Callable[..., AttentionView]
) -> None:
    array = weights(4)
    view = open_view(array, {"keys": WORDS})
    view.state.set_layer("attention", "layers.1")
    qtbot.waitUntil(lambda: view.map.layer == "layers.1")
    place = view.head_box.findData("rollout")
    view.head_box.activated.emit(place)
    qtbot.waitUntil(lambda: view.map.layers == 2)
    np.testing.assert_allclose(view.map.values, rollout(array[:2, 0]), rtol=1e-6)
    assert "rollout of 2 layers" in view.caption.text()
    view.head_box.activated.emit(1)
    qtbot.waitUntil(lambda: view.map.layers == 0 and view.map.head == 0)


def test_all_heads_of_all_layers(qtbot: Any, open_view: Callable[..., AttentionView]) -> None:
    view = open_view(weights(5), {}, steps=(1, 2))
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: view.heads is not None and view.heads.complete)
    assert [len(row) for row in view.heads.cells] == [HEADS] * LAYERS
    assert view.way_box.currentData() == "heads"
    view.state.set_step(1)
    qtbot.waitUntil(lambda: view.heads is not None and view.heads.step == 1 and view.heads.complete)
    boxes = view.grid.places()
    assert len(boxes) == LAYERS * HEADS
    for box in boxes.values():
        assert view.grid.rect().contains(box.toRect())
    QTest.keyClick(view.grid, Qt.Key.Key_Right)
    QTest.keyClick(view.grid, Qt.Key.Key_Down)
    assert "layers.1, head 0" in view.caption.text()
    QTest.mouseClick(view.grid, Qt.MouseButton.LeftButton, pos=boxes[2, 1].center().toPoint())
    qtbot.waitUntil(lambda: view.map is not None)
    assert (view.map.layer, view.map.head) == ("layers.2", 1)
    assert view.state.layer("attention") == "layers.2"


def test_a_cell_of_the_grid_has_the_colours_of_its_map(
    qtbot: Any, open_view: Callable[..., AttentionView]
) -> None:
    view = open_view(weights(5), {})
    view.toggle_heads()
    qtbot.waitUntil(lambda: view.heads is not None and view.heads.complete)
    cell = view.heads.cells[1][1]
    view._open_head(1, 1)
    qtbot.waitUntil(lambda: view.map is not None and view.map.head == 1)
    assert cell == view.map.image


def test_one_item_one_token_and_nan(qtbot: Any, open_view: Callable[..., AttentionView]) -> None:
    array = np.full((LAYERS, 1, HEADS, 1, 1), np.nan, np.float32)
    view = open_view(array, {"queries": [["🙂"]], "keys": [["🙂"]]}, ItemSet(texts=("🙂",)))
    for way in ("words", "map", "heads"):
        choose(view, way)
        qtbot.waitUntil(lambda: not view.is_pending)
        view.grab()
        assert not view.message
    qtbot.waitUntil(lambda: view.heads is not None)


def test_keys_go_to_the_map_and_not_to_the_window(
    qtbot: Any, open_view: Callable[..., AttentionView]
) -> None:
    view = open_view(weights(6), {"grid": [2, 3]})
    from PySide6.QtGui import QKeySequence, QShortcut

    taken = []
    shortcut = QShortcut(QKeySequence("Right"), view)
    shortcut.activated.connect(lambda: taken.append(True))
    view.page.overlay.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is view.page.overlay)
    QTest.keyClick(view.page.overlay, Qt.Key.Key_Right)
    assert view.page.overlay.query is not None
    assert not taken


def test_whatever_way_is_shown_takes_the_keys(qtbot: Any, open_view: Callable[..., AttentionView]) -> None:
    view = open_view(weights(6), {"grid": [2, 3], "queries": list("abcdef"), "keys": list("abcdef")})
    view.setFocus()
    for way, part in (
        ("words", view.page.links),
        ("map", view.page.named_heat),
        ("picture", view.page.overlay),
        ("heads", view.grid),
    ):
        choose(view, way)
        qtbot.waitUntil(lambda part=part: QApplication.focusWidget() is part)
    view.way_box.setFocus()
    choose(view, "map")
    qtbot.waitUntil(lambda: view.map is not None and not view.is_pending)
    assert QApplication.focusWidget() is view.way_box  # what somebody is choosing in keeps it


def test_what_is_shown_can_be_painted_as_vectors(qtbot: Any, open_view: Callable[..., AttentionView]) -> None:
    view = open_view(weights(4), {"queries": WORDS, "keys": WORDS})
    for way in ("words", "map", "heads"):
        choose(view, way)
        qtbot.waitUntil(lambda way=way: view.way_box.currentData() == way and not view.is_pending)
        qtbot.waitUntil(lambda way=way: (view.heads is not None) == (way == "heads"))
        qtbot.waitUntil(lambda: colours_across(view) > 3)  # once the page has the size that it will have


def colours_across(view: AttentionView) -> int:
    """How many colours the middle row of what is exported has."""
    drawing = view.vector_source()
    image = QImage(drawing.size, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    return len({image.pixel(x, image.height() // 2) for x in range(image.width())})


def test_names_of_tokens() -> None:
    assert token_names({"keys": "frame"}, {}, "keys", 0, 2) == ("frame 0", "frame 1")
    assert token_names({"keys": "frame"}, {"keys": np.array([3, 9])}, "keys", 0, 2) == ("frame 3", "frame 9")
    assert token_names({"keys": ["a", "b", "c"]}, {"keys": np.array([0, 2])}, "keys", 1, 2) == ("a", "c")
    assert token_names({"keys": [["a"], ["b", "c"]]}, {}, "keys", 1, 5) == ("b", "c")
    assert token_names({"words": [["x"]]}, {}, "queries", 0, 5) == ("x",)
    for odd in (None, [], [[]], 7, [["a"]]):
        assert token_names({"keys": odd}, {}, "keys", 3, 2) is None


# -- over the frames of a clip -----------------------------------------------------------------------------

FRAMES = 5
OVER = {"queries": ["the clip"], "keys": [f"frame {frame + 1}" for frame in range(FRAMES)], "over": "frames"}


def clips(frames: int = FRAMES) -> ItemSet:
    pictures = [np.full((frames, 6, 8, 3), 200 - 50 * item, np.uint8) for item in range(ITEMS)]
    return ItemSet(clips=Recordings.of_clips(pictures, 25), noun="clip")


def test_frames_are_the_brighter_the_more_is_looked_at_them(
    qtbot: Any, open_view: Callable[..., AttentionView], has_colour: Callable[..., bool]
) -> None:
    array = weights(FRAMES)[:, :, :1, :1]
    view = open_view(array, OVER, items=clips())
    assert view.way_box.currentData() == "frames"
    assert view.page.currentWidget() is view.page.strip
    view.state.select([1])
    qtbot.waitUntil(lambda: view.map.item == 1)
    row = array[0, 1, 0, 0]
    shades = [image.pixelColor(3, 3).red() for image in view.map.frames]
    expected = 150 * (DIMMEST + (1 - DIMMEST) * row / row.max())
    np.testing.assert_allclose(shades, expected, atol=1)
    assert has_colour(view.page.strip, "#969696")  # the one that is looked at most, as it is
    view.page.strip.setFocus()
    QTest.keyClick(view.page.strip, Qt.Key.Key_Right)
    assert view.caption.text() == f"frame 1: {row[0]:.4f}, {row[0] * FRAMES:.2f} times the mean"
    QTest.keyClick(view.page.strip, Qt.Key.Key_End)
    assert view.caption.text().startswith(f"frame {FRAMES}: {row[-1]:.4f}")
    columns, rows = view.table()
    assert columns == ("query", "key", "weight")
    assert [key for _, key, _ in rows] == OVER["keys"]
    assert view.vector_source() is not None
    choose(view, "map")
    qtbot.waitUntil(lambda: view.page.currentWidget() is view.page.named_heat)


def test_frames_that_do_not_fit_or_are_missing_stay_names(
    qtbot: Any, open_view: Callable[..., AttentionView]
) -> None:
    view = open_view(weights(FRAMES)[:, :, :1, :1], OVER, items=clips(FRAMES + 1))
    assert view.map.frames == ()
    assert view.way_box.currentData() == "words"


def test_one_frame_and_weights_that_are_no_numbers() -> None:
    frames = np.full((2, 3, 3, 1), 100, np.uint8)
    dark, bright = lit_frames(frames, np.array([np.nan, 0.5], np.float32))
    assert (dark.pixelColor(1, 1).red(), bright.pixelColor(1, 1).red()) == (25, 100)
    (only,) = lit_frames(frames[:1, ..., 0], np.ones(1, np.float32))
    assert only.pixelColor(1, 1).red() == 100
    assert [image.pixelColor(1, 1).red() for image in lit_frames(frames, np.zeros(2, np.float32))] == [25, 25]
