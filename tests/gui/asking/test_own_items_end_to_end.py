"""Files are dropped on a real window over runs that were really trained; a real process says what it makes of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from scipy.io import wavfile

from mmgraph.runs import RunReader
from mmgraph_gui.frame.window import MainWindow

Dropping = Callable[[MainWindow, Path], None]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits that were seen and heard once."""
    from mmgraph.recipes import launch

    options = {
        "epochs": 1,
        "device": "cpu",
        "threads": 1,
        "filters": 4,
        "dim": 16,
        "copies": 1,
        "probe_items": 40,
    }
    folder, _ = launch.train(
        "multimodal-classification", options, runs=tmp_path_factory.mktemp("runs"), run_name="digits"
    )
    return folder


def shown_on(run: Path, settings_file: Path) -> MainWindow:
    settings = QSettings(str(settings_file), QSettings.Format.IniFormat)
    settings.setValue("theme", "light")
    window = MainWindow(run.parent, settings)
    window.resize(1280, 800)
    window.show()
    window.open_run(run)
    return window


@pytest.fixture(scope="module")
def digits_window_once(qapp: Any, digits: Path) -> Iterator[MainWindow]:
    window = shown_on(digits, digits.parent / "settings.ini")
    yield window
    window.close()


@pytest.fixture
def digits_window(qtbot: Any, digits: Path, digits_window_once: MainWindow) -> MainWindow:
    """A window on the digits, and its model process, for all who drop something on it; no item is dropped yet."""
    window = digits_window_once
    window.own.leave()
    qtbot.waitUntil(lambda: window.state.path == digits and window.state.items is not None)
    return window


@pytest.fixture
def window_on(qtbot: Any, tmp_path: Path) -> Iterator[Callable[[Path], MainWindow]]:
    made: list[MainWindow] = []

    def open_on(run: Path) -> MainWindow:
        window = shown_on(run, tmp_path / "settings.ini")
        made.append(window)
        qtbot.addWidget(window)
        qtbot.waitUntil(lambda: window.state.path == run and window.state.items is not None)
        return window

    yield open_on
    for window in made:
        window.close()


def drop(window: MainWindow, *paths: Path) -> None:
    """As a file manager does it: the drag enters, then the files are let go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    moment = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enters = QDragEnterEvent(window.rect().center(), *moment)
    window.dragEnterEvent(enters)
    assert enters.isAccepted()
    event = QDropEvent(QPointF(window.rect().center()), *moment)
    window.dropEvent(event)
    assert event.isAccepted()


def answered(window: MainWindow) -> bool:
    guest = window.state.guest
    return guest is not None and not guest.waits


def test_a_dropped_picture_and_a_dropped_sound_land_among_the_items(
    qtbot: Any, digits_window: MainWindow, tmp_path: Path
) -> None:
    from sklearn.datasets import load_digits

    window = digits_window
    items, embedding = window.area.show_view("items"), window.area.show_view("embedding")
    qtbot.waitUntil(lambda: len(embedding.points) == 40 and items.order is not None)
    picture = tmp_path / "שלום 🙂.png"
    Image.fromarray((load_digits().images[3] * 15).astype(np.uint8)).save(picture)
    drop(window, picture)
    qtbot.waitUntil(lambda: answered(window))
    assert window.area.current_view() is items
    guest = window.state.guest
    assert guest.name == picture.name
    assert guest.refusals == ()
    assert guest.frames.shape == (1, 8, 8, 1)
    best, chance = guest.classes[0]
    qtbot.waitUntil(lambda: f"predicted {best} ({chance:.2f})" in items.detail.words.toPlainText())
    assert picture.name in items.detail.words.toPlainText()
    assert items.detail.picture.isVisible()
    assert items.gallery.rows.rows.tolist() == [row for row, _ in guest.neighbours]
    assert len(guest.neighbours) == 12
    window.area.show_view("embedding")
    qtbot.waitUntil(lambda: embedding.guest_mark.isVisible())
    assert embedding.caption.text().startswith(f"★ {picture.name}")
    first = embedding.guest_mark.place
    spread = embedding.points.max(0) - embedding.points.min(0)
    assert (np.abs(np.array(first) - embedding.points.mean(0)) < 2 * spread).all()

    sound = tmp_path / "tone.wav"
    wavfile.write(sound, 16000, (8000 * np.sin(np.arange(3000) / 3)).astype(np.int16))
    drop(window, sound)
    qtbot.waitUntil(lambda: answered(window) and window.state.guest.name == "tone.wav")
    heard = window.state.guest
    assert heard.frames is None
    assert len(heard.samples) / heard.sample_rate == pytest.approx(0.1)
    assert heard.classes
    qtbot.waitUntil(lambda: items.detail.guest is heard)
    footage = items.detail.timeline.footage
    assert footage.samples is not None
    assert footage.seconds == pytest.approx(0.1)
    assert items.detail.save_button.isVisibleTo(items.detail)
    qtbot.waitUntil(lambda: embedding.guest_mark.place not in (None, first))


def huge_png(side: int) -> bytes:
    """A PNG file that announces side² pixels and holds next to none of them."""
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    pixels = chunk(b"IDAT", zlib.compress(bytes(side)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


BROKEN = {
    "broken.wav": (b"RIFF\x10\x00\x00\x00WAVEfmt nonsense", "'broken.wav' is not a WAV file"),
    "שבור 🙂.wav": (b"nonsense", "'שבור 🙂.wav' is not a WAV file"),
    "broken.png": (b"\x89PNG\r\n\x1a\nnonsense", "'broken.png' is not an image"),
    "huge.png": (huge_png(10_000), "'huge.png' has 10,000 × 10,000 pixels"),
    "broken.mp4": (b"nonsense", "broken.mp4 is not a video that can be read"),
    "blank.txt": (b" \n", "There is no text to look at"),
}


def test_a_broken_file_is_a_message_in_place_and_the_next_one_is_looked_at(
    qtbot: Any,
    digits_window: MainWindow,
    tmp_path: Path,
    write_video: Callable[..., Path],
) -> None:
    window = digits_window
    for name, (content, says) in BROKEN.items():
        (tmp_path / name).write_bytes(content)
        drop(window, tmp_path / name)
        qtbot.waitUntil(lambda says=says: says in window.banner.text)
        assert window.state.guest is None
    # A clip that says it has pictures and has none: its header alone is kept.
    clip = write_video(np.zeros((3, 16, 16, 3), np.uint8))
    whole = clip.read_bytes()
    clip.write_bytes(whole[: whole.index(b"movi") + 4])
    drop(window, clip)
    qtbot.waitUntil(
        lambda: "without a single frame" in window.banner.text or "not a video" in window.banner.text
    )
    process = window.model._process
    good = tmp_path / "good.png"
    Image.fromarray(np.full((9, 9), 77, np.uint8)).save(good)
    drop(window, good, good)
    qtbot.waitUntil(lambda: "one item at a time" in window.banner.text)
    drop(window, good)
    qtbot.waitUntil(lambda: answered(window))
    assert window.model._process is process


def test_without_a_run_there_is_no_model_to_ask(
    qtbot: Any, window_on: Callable[[Path], MainWindow], digits: Path, tmp_path: Path
) -> None:
    window = window_on(digits)
    window.state.open(None)
    Image.fromarray(np.full((9, 9), 77, np.uint8)).save(tmp_path / "good.png")
    drop(window, tmp_path / "good.png")
    qtbot.waitUntil(lambda: "Open a run first" in window.banner.text)


# -- attention ---------------------------------------------------------------------------------------------


def test_a_sentence_is_said_of_a_dropped_picture_with_a_map_before_each_word(
    qtbot: Any, window_on: Callable[[Path], MainWindow], tmp_path: Path
) -> None:
    from mmgraph.recipes import launch

    options = {"images": 60, "epochs": 2, "hidden": 16, "embedding": 8, "filters": 4, "probe_images": 20}
    options |= {"device": "cpu", "threads": 1}
    run, _ = launch.train("captioning", options, runs=tmp_path / "runs", run_name="scenes")
    window = window_on(run)
    view = window.area.show_view("attention")
    qtbot.waitUntil(lambda: view.words is not None and view.words.item is not None)
    picture = tmp_path / "circle.png"
    drawn = np.full((90, 120, 3), 30, np.uint8)
    drawn[20:60, 40:80] = (220, 30, 30)
    Image.fromarray(drawn).save(picture)
    drop(window, picture)
    qtbot.waitUntil(lambda: answered(window))
    guest = window.state.guest
    assert len(guest.sentence) > 1
    assert set(guest.attention) == {"decoder"}
    assert guest.vectors
    window.area.show_view("attention")
    qtbot.waitUntil(lambda: view.words is not None and view.words.name == picture.name)
    shown = view.words
    assert shown.words[: len(guest.sentence)] == guest.sentence
    assert shown.weights.shape == (len(shown.words), 6, 6)
    np.testing.assert_allclose(shown.weights.sum((1, 2)), 1, atol=1e-4)
    # The brightest place of each map is the picture that was dropped, as the model sees it.
    assert shown.images[0].width() == guest.picture.shape[1] == 48
    assert " ".join(guest.sentence) in view.caption.text()
    view.sentence.setFocus()
    for place, word in enumerate(shown.words[:3]):
        QTest.keyClick(view.sentence, Qt.Key.Key_Right)
        most = int(np.argmax(shown.weights[place]))
        assert f"before “{word}”: most at row {most // 6}, column {most % 6}" in view.caption.text()
    said = window.area.views["items"].detail.words.toPlainText()
    assert " ".join(guest.sentence) in said
    window.own.leave()
    qtbot.waitUntil(lambda: view.words is not None and not view.words.name)


def test_what_is_written_for_a_dropped_text_is_joined_to_what_was_read(
    qtbot: Any, window_on: Callable[[Path], MainWindow], tmp_path: Path
) -> None:
    from mmgraph.recipes import launch

    options = {"task": "reverse", "pairs": 200, "shortest": 2, "longest": 4, "hidden": 16, "epochs": 2}
    options |= {"device": "cpu", "threads": 1, "probe_pairs": 30}
    run, _ = launch.train("sequence-to-sequence", options, runs=tmp_path / "runs", run_name="digits")
    window = window_on(run)
    text = tmp_path / "number.txt"
    text.write_text("3 0 2\n", encoding="utf-8")
    drop(window, text)
    qtbot.waitUntil(lambda: answered(window))
    guest = window.state.guest
    assert len(guest.neighbours) == 12
    view = window.area.show_view("attention")
    qtbot.waitUntil(lambda: view.map is not None and view.map.name == "3 0 2")
    assert view.map.keys == ("3", "0", "2")
    assert view.map.queries == (*guest.sentence, "<end>")
    np.testing.assert_allclose(view.map.values.sum(1), 1, atol=1e-4)
    text.write_text("שלום 🙂", encoding="utf-8")
    drop(window, text)
    qtbot.waitUntil(lambda: "reads up to 256 tokens" in window.banner.text)
    assert window.state.guest is None


def test_frames_of_recorded_clips_and_of_a_dropped_one_are_as_bright_as_they_are_looked_at(
    qtbot: Any,
    window_on: Callable[[Path], MainWindow],
    tmp_path: Path,
    write_video: Callable[..., Path],
) -> None:
    from mmgraph.recipes import launch

    options = {"model": "cnn-lstm", "read": "attention", "clips": 80, "frames": 5, "image_size": 16}
    options |= {"filters": 2, "features": 8, "epochs": 2, "probe_clips": 12, "device": "cpu", "threads": 1}
    options |= {"snapshots_per_second": 1000.0, "snapshot_share": 1.0}
    run, _ = launch.train("video-classification", options, runs=tmp_path / "runs", run_name="clips")
    window = window_on(run)
    state, view = window.state, window.area.show_view("attention")
    qtbot.waitUntil(lambda: view.map is not None and bool(view.map.frames))
    steps = [info.step for info in state.history("attention", "encoder.attends")]
    assert len(steps) > 2
    shown: dict[tuple[int, int], np.ndarray] = {}
    for item in (0, 7):
        state.select(np.array([item]))
        for step in (steps[0], steps[-1]):
            state.set_step(step)
            qtbot.waitUntil(
                lambda item=item, step=step: (
                    (view.map.item, view.map.step) == (item, step)
                    and view.page.currentWidget() is view.page.strip
                )
            )
            with RunReader(run) as reader:
                (info,) = reader.snapshots(kind="attention", step=step)
                recorded = reader.load(info).array
            shown[item, step] = view.map.values[0]
            np.testing.assert_allclose(view.map.values[0], recorded[item, 0, 0], atol=1e-6)
            assert [image.width() for image in view.map.frames] == [16] * 5
            words = " ".join(f"frame {n + 1} · {w:.3f}" for n, w in enumerate(recorded[item, 0, 0]))
            assert view.page.strip.accessibleDescription() == words
    # Each frame is looked at alike before anything is learned, and no longer afterwards.
    assert np.ptp(shown[7, steps[-1]]) > np.ptp(shown[7, steps[0]])
    view.page.strip.setFocus()
    QTest.keyClick(view.page.strip, Qt.Key.Key_Right)
    assert view.caption.text().startswith("frame 1: ")
    QTest.keyClick(view.page.strip, Qt.Key.Key_Right)
    assert "times the mean" in view.caption.text()
    assert view.caption.text().startswith("frame 2: ")

    moving = np.zeros((9, 40, 40, 3), np.uint8)
    for frame in range(9):
        moving[frame, 10:20, 3 * frame : 3 * frame + 10] = 255
    clip = write_video(moving, "קליפ 🙂.avi")
    state.select(np.array([], dtype=np.int64))
    drop(window, clip)
    qtbot.waitUntil(lambda: answered(window))
    guest = state.guest
    assert guest.refusals == ()
    assert guest.frames.shape[0] == 5
    window.area.show_view("attention")
    qtbot.waitUntil(lambda: view.map.name == clip.name and bool(view.map.frames))
    np.testing.assert_allclose(view.map.values.sum(1), 1, atol=1e-4)
    assert view.map.keys == tuple(f"frame {frame + 1}" for frame in range(5))
    brightness = [
        max(image.pixelColor(x, y).red() for x in range(16) for y in range(16)) for image in view.map.frames
    ]
    assert int(np.argmax(brightness)) == int(np.argmax(view.map.values[0]))
    window.own.leave()
    qtbot.waitUntil(lambda: not view.map.name)
