"""One item, whole: what can be seen, heard and said of it."""

from __future__ import annotations

import itertools
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from mmgraph.runs import ItemSet, Recordings, RunWriter, Snapshot
from mmgraph_gui.views import Context
from mmgraph_gui.views.items.cell import ROW_ROLE
from mmgraph_gui.views.items.view import ItemsView

CLIPS, FRAMES = 6, 10


@pytest.fixture
def run(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    clips = [np.full((FRAMES, 12, 16, 3), 20 * number, np.uint8) for number in range(CLIPS)]
    for clip in clips:
        clip[:, :, :, 0] += np.arange(FRAMES, dtype=np.uint8)[:, None, None] * 10
    sounds = [generator.uniform(-1, 1, 400 if number != 2 else 0) for number in range(CLIPS)]
    thoughts = generator.dirichlet(np.ones(3), (4, FRAMES)).astype(np.float32)
    probabilities = generator.dirichlet(np.ones(3), CLIPS).astype(np.float32)
    probabilities[5] = np.nan
    shares = generator.normal(size=(CLIPS, 2)).astype(np.float32)
    shares[1, 0] = np.nan
    notes = {"columns": ["image", "sound"], "rows": "item", "method": "leave-one-out"}
    with RunWriter.create(tmp_path, "clips", {"run": {"recipe": "video"}}) as writer:
        writer.items(
            ItemSet(
                ids=np.array([30, 10, 20, 60, 50, 40]),
                labels=np.array([0, 1, 2, 0, 1, -1]),
                class_names=("left", "right", "שמאלה"),
                clips=Recordings.of_clips(clips, 25),
                sounds=Recordings.of_sounds(sounds, 1000),
                columns={"length": np.arange(CLIPS)},
                noun="clip",
            )
        )
        writer.snapshots(
            3,
            [
                Snapshot("prediction", "output", probabilities, items="items"),
                Snapshot("matrix", "contributions/items", shares, notes=notes),
                Snapshot(
                    "image", "frames", np.zeros((2, 4, 4, 3), np.uint8), items="items",
                    extras={"rows": np.arange(2), "predictions": thoughts, "prediction_rows": np.arange(4)},
                    notes={"classes": ["left", "right", "up"]},
                ),
            ],
            wait=True,
        )  # fmt: skip
        return writer.folder


@pytest.fixture
def view(qtbot: Any, run: Path, context: Context, show_view: Callable[[Any], Any]) -> ItemsView:
    view = show_view(ItemsView)
    view.detail.player._players = ()
    context.follower.open(run)
    qtbot.waitUntil(lambda: view.order is not None and view.order.judged)
    return view


def select(qtbot: Any, view: ItemsView, row: int) -> None:
    view.state.select([row])
    qtbot.waitUntil(lambda: view.detail.isVisible() and view.detail.row == row)


def test_one_selected_item_is_shown_whole(qtbot: Any, view: ItemsView) -> None:
    assert not view.detail.isVisible()
    select(qtbot, view, 0)
    qtbot.waitUntil(lambda: bool(view.detail.bars.rows))
    text = view.detail.words.toPlainText()
    probabilities = view.state.prediction.probabilities
    assert "clip 30" in text
    assert "label left" in text
    assert f"loss {-np.log(probabilities[0, 0]):.3g}" in text
    assert "length 0" in text
    assert [name for name, _ in view.detail.bars.rows] == ["image", "sound"]
    select(qtbot, view, 1)
    qtbot.waitUntil(lambda: bool(view.detail.bars.rows))
    assert np.isnan(view.detail.bars.rows[0][1])
    view.state.select([0, 1])
    qtbot.waitUntil(lambda: not view.detail.isVisible())


def test_frames_are_stepped_through_with_what_is_thought_at_each(
    qtbot: Any, view: ItemsView, pixels_of: Callable[[Any], np.ndarray]
) -> None:
    select(qtbot, view, 3)
    detail = view.detail
    qtbot.waitUntil(lambda: detail.timeline.footage.thoughts is not None)
    likeliest = detail.timeline.footage.thoughts[0].argmax()
    assert f"frame 1 of {FRAMES}: {('left', 'right', 'up')[likeliest]}" in detail.words.toPlainText()
    QTest.keyClick(detail.timeline, Qt.Key.Key_Right)
    assert f"frame 2 of {FRAMES}" in detail.words.toPlainText()
    QTest.keyClick(detail.timeline, Qt.Key.Key_End)
    assert f"frame {FRAMES} of {FRAMES}" in detail.words.toPlainText()
    assert pixels_of(detail.picture)[detail.picture.height() // 2, 60].tolist() == [60 + 90, 60, 60]
    QTest.keyClick(detail.timeline, Qt.Key.Key_Home)
    assert pixels_of(detail.picture)[detail.picture.height() // 2, 60].tolist() == [60, 60, 60]
    band = {tuple(colour) for colour in pixels_of(detail.timeline).reshape(-1, 3).tolist()}
    wanted = view.theme.category(int(likeliest))
    assert tuple(int(wanted[i : i + 2], 16) for i in (1, 3, 5)) in band


def test_a_silent_clip_plays_again_and_again_until_it_is_stopped(qtbot: Any, view: ItemsView) -> None:
    select(qtbot, view, 2)
    detail, seen = view.detail, []
    detail.timeline.setFocus()
    QTest.keyClick(detail.timeline, Qt.Key.Key_Space)
    assert detail.is_playing

    def twice() -> bool:
        seen.append(detail.timeline.seconds)
        return any(later < earlier for earlier, later in itertools.pairwise(seen))

    qtbot.waitUntil(twice, timeout=30_000)
    detail.play_button.click()
    assert not detail.is_playing
    QTest.keyClick(detail.timeline, Qt.Key.Key_Space)
    view.state.clear_selection()
    qtbot.waitUntil(lambda: not detail.is_playing)


def test_space_in_the_gallery_plays_the_item(
    qtbot: Any, view: ItemsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = []
    monkeypatch.setattr(view.detail.player, "play", lambda samples, rate: played.append((len(samples), rate)))
    gallery = view.gallery
    gallery.setFocus()
    gallery.setCurrentIndex(gallery.rows.index(0))
    first = gallery.currentIndex().data(ROW_ROLE)
    QTest.keyClick(gallery, Qt.Key.Key_Right)
    row = gallery.currentIndex().data(ROW_ROLE)
    assert row != first
    assert view.state.hovered == row
    QTest.keyClick(gallery, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: view.detail.row == row and view.detail.is_playing)
    assert played == ([] if row == 2 else [(400, 1000.0)])
    assert view.state.selection.tolist() == [row]


def test_orders(qtbot: Any, view: ItemsView) -> None:
    def rows(order: str) -> list[int]:
        before = view.order
        place = view.order_box.findData(order)
        view.order_box.setCurrentIndex(place)
        view.order_box.activated.emit(place)
        qtbot.waitUntil(lambda: view.order is not before)
        return view.gallery.rows.rows.tolist()

    prediction, labels = view.state.prediction, view.state.items.labels
    assert rows("id") == [1, 2, 0, 5, 4, 3]
    sure = rows("sure")
    assert sorted(sure[:5], key=lambda row: -prediction.confidence[row]) == sure[:5]
    assert sure[5] == 5
    right = rows("right")
    losses = [-np.log(prediction.probabilities[row, labels[row]]) for row in right[:5]]
    assert losses == sorted(losses)
    assert right[5] == 5


def test_clips_and_sounds_have_pictures_and_badges(view: ItemsView, has_colour: Callable[..., bool]) -> None:
    view.grab()
    box = view.gallery.visualRect(view.gallery.rows.index(0))
    assert box.width() < 200  # the size of pictures, not of texts
    assert not view.message


def test_a_sound_that_cannot_be_played_is_said(
    qtbot: Any, view: ItemsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmgraph_gui.views.items.sound_player.QDesktopServices.openUrl", lambda url: False)
    select(qtbot, view, 0)
    view.detail.toggle_play()
    assert "No player of sound was found" in view.caption.text()


def test_the_sound_is_saved_as_wav(
    qtbot: Any, view: ItemsView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(qtbot, view, 2)
    assert not view.detail.save_button.isVisible()
    select(qtbot, view, 0)
    path = tmp_path / "out"
    monkeypatch.setattr(
        "mmgraph_gui.views.items.detail.QFileDialog.getSaveFileName", lambda *given: (str(path), "")
    )
    view.detail.save_button.click()
    with wave.open(str(path.with_suffix(".wav"))) as file:
        assert (file.getnframes(), file.getframerate()) == (400, 1000)
    path = tmp_path / "no" / "such.wav"
    view.detail.save_button.click()
    assert "could not be written" in view.caption.text()


def test_one_item_without_anything(
    qtbot: Any, tmp_path: Path, context: Context, show_view: Callable[[Any], Any]
) -> None:
    with RunWriter.create(tmp_path, "bare", {}) as writer:
        writer.items(ItemSet(ids=np.array([7])))
    view = show_view(ItemsView)
    context.follower.open(writer.folder)
    qtbot.waitUntil(lambda: view.order is not None)
    select(qtbot, view, 0)
    assert view.detail.words.toPlainText() == "item 7"
    assert not view.detail.timeline.isVisible()
    view.detail.toggle_play()
    assert not view.detail.is_playing
