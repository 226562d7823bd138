"""One item, whole: picture, sound and frames that play, what is known and thought of it, what each modality says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QElapsedTimer, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from mmgraph.runs import ItemSet, Snapshot, SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.icon import icon
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state import AppState
from mmgraph_gui.state.guest import Guest
from mmgraph_gui.views.item_card import describe, paint_picture, thumbnail
from mmgraph_gui.views.items.share_bars import ShareBars
from mmgraph_gui.views.items.sound_player import SoundPlayer, write_wav
from mmgraph_gui.views.items.timeline import Footage, Timeline

TICK = 40
MOST_COLUMNS = 8
PICTURE = 132
OWN_RATE = 8.0
"""Frames in a second of a person's own silent clip, of which the model sees a few."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What the snapshots of a step say of one item.

    Args:
        shares: name and contribution of each modality.
        method: how contributions were measured.
        thoughts: probabilities of the classes at each frame.
    """

    row: int
    shares: list[tuple[str, float]] = field(default_factory=list)
    method: str = ""
    thoughts: Any = None
    class_names: tuple[str, ...] = ()


def facts_at(state: AppState) -> list[SnapshotInfo]:
    """The snapshots that `read_facts` reads."""
    found = (
        state.snapshot_at("matrix", "contributions/items"),
        state.snapshot_at("image", "frames"),
    )
    return [info for info in found if info is not None]


def read_facts(_job: Job | None, snapshots: tuple[Snapshot, ...], *, row: int) -> Facts:
    """What is said of a row; in a worker thread."""
    facts: dict[str, Any] = {}
    for snapshot in snapshots:
        if snapshot.kind == "matrix":
            rows = snapshot.extras.get("rows", np.arange(len(snapshot.array)))
            place = np.flatnonzero(rows == row)
            names = snapshot.notes.get("columns")
            if len(place) and isinstance(names, list):
                values = snapshot.array[int(place[0])].tolist()
                facts["shares"] = list(zip(map(str, names), values, strict=False))
                facts["method"] = str(snapshot.notes.get("method", ""))
        elif "predictions" in snapshot.extras:
            thoughts = snapshot.extras["predictions"]
            name = "prediction_rows" if "prediction_rows" in snapshot.extras else "rows"
            place = np.flatnonzero(snapshot.extras.get(name, np.arange(len(thoughts))) == row)
            if len(place) and place[0] < len(thoughts):
                facts["thoughts"] = thoughts[int(place[0])]
                facts["class_names"] = tuple(map(str, snapshot.notes.get("classes", ())))
    return Facts(row, **facts)


class ItemDetail(QWidget):
    """Shows the item that is selected alone, or a person's own.

    Signals:
        said(text): a sound could not be played, and why.
        removed(): the person's own item is not wanted any more.
    """

    said = Signal(str)
    removed = Signal()

    def __init__(self, state: AppState, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._theme = state, theme
        self.row: int | None = None
        self.guest: Guest | None = None
        self._facts = Facts(-1)
        self.player = SoundPlayer(self)
        self.player.failed.connect(self.said)
        self.picture = named(_PictureBox(), "Picture of the item", "")
        self.words = named(QPlainTextEdit(), "What is known of the item", "")
        self.words.setReadOnly(True)
        self.words.setFrameShape(QFrame.Shape.NoFrame)
        self.words.viewport().setAutoFillBackground(False)
        self.bars = ShareBars(theme)
        self.timeline = named(Timeline(theme), "Frames and sound of the item", "")
        self.timeline.sought.connect(self.seek)
        self.timeline.play_wanted.connect(self.toggle_play)
        self.play_button = named(QToolButton(), "Play", "Play the sound and the frames (Space)")
        self.play_button.clicked.connect(self.toggle_play)
        self.remove_button = named(QToolButton(), "Remove your own item", "Remove your own item (Esc)")
        self.remove_button.setText("×")
        self.remove_button.clicked.connect(self.removed)
        self.remove_button.hide()
        theme.changed.connect(self._style)
        self._clock, self._from = QElapsedTimer(), 0.0
        self._timer = QTimer(self, interval=TICK)
        self._timer.timeout.connect(self._tick)
        right = QVBoxLayout()
        right.addWidget(self.words, 1)
        right.addWidget(self.bars)
        upper = QHBoxLayout()
        upper.addWidget(self.picture)
        upper.addLayout(right, 1)
        upper.addWidget(self.remove_button, 0, Qt.AlignmentFlag.AlignTop)
        self._lower = QWidget()
        lower = QHBoxLayout(self._lower)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.addWidget(self.play_button)
        lower.addWidget(self.timeline, 1)
        self.save_button = named(QToolButton(), "Save the sound", "Save the sound as a WAV file")
        self.save_button.setText("WAV")
        self.save_button.clicked.connect(self._save)
        lower.addWidget(self.save_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 4, 0, 0)
        whole.addLayout(upper, 1)
        whole.addWidget(self._lower)
        self._style()

    def show_item(self, row: int) -> None:
        """Show an item of the item set; a prediction that changed is written anew, and what plays goes on."""
        if row != self.row or self.guest is not None:
            self.stop()
            self.row, self.guest, self._facts = row, None, Facts(row)
            self.remove_button.hide()
            self._show_footage()
        self._write()

    def show_guest(self, guest: Guest) -> None:
        """Show a person's own item and what is known of it so far."""
        if guest is self.guest:
            return
        earlier, self.row, self.guest = self.guest, None, guest
        self.bars.show_shares([], "")
        self.remove_button.show()
        if earlier is None or guest.frames is not earlier.frames or guest.samples is not earlier.samples:
            self.stop()
            footage = footage_of_guest(guest)
            self.timeline.show_footage(footage)
            self._lower.setVisible(footage.seconds > 0)
            self.save_button.setVisible(footage.samples is not None)
            self.picture.setVisible(guest.picture is not None)
            if guest.picture is not None:
                self.picture.show_image(to_image(guest.picture))
        self._put_words(guest.lines)

    def show_facts(self, facts: Facts) -> None:
        """Show what the snapshots say of it."""
        if facts.row != self.row:
            return
        changed = (facts.thoughts is None) != (self._facts.thoughts is None) or (
            facts.thoughts is not None and not np.array_equal(facts.thoughts, self._facts.thoughts)
        )
        self._facts = facts
        self.bars.show_shares(facts.shares, facts.method)
        if changed:
            seconds = self.timeline.seconds
            self._show_footage()
            if seconds:
                self._move(seconds)
            self._write()

    def forget(self) -> None:
        """No item is shown any more."""
        self.stop()
        self.row = self.guest = None

    # -- playing -----------------------------------------------------------------------------------------

    @property
    def is_playing(self) -> bool:
        """Whether time passes."""
        return self._timer.isActive()

    def toggle_play(self) -> None:
        """Play from where the cursor is, or stop."""
        if self.is_playing:
            self.stop()
            return
        footage = self.timeline.footage
        if footage.seconds <= 0:
            return
        self._from = 0.0 if self.timeline.seconds >= footage.seconds - 1e-3 else self.timeline.seconds
        if footage.samples is not None:
            start = int(self._from * footage.sample_rate)
            self.player.play(footage.samples[start:], footage.sample_rate)
        self._clock.start()
        self._timer.start()
        self._style()

    def stop(self) -> None:
        """Stop playing; the cursor stays."""
        played = self.is_playing
        self._timer.stop()
        self.player.stop()
        if played:
            self._style()

    def seek(self, seconds: float) -> None:
        """Go to a moment; what plays stops."""
        self.stop()
        self._move(seconds)

    def _tick(self) -> None:
        footage, now = self.timeline.footage, self._from + self._clock.elapsed() / 1000
        if now >= footage.seconds:
            if footage.samples is not None:  # a sound once, silent frames again and again
                self.stop()
                self._move(0.0)
                return
            self._from, now = 0.0, 0.0
            self._clock.start()
        self._move(now)

    def _move(self, seconds: float) -> None:
        self.timeline.go_to(seconds)
        image = self.timeline.image()
        if image is not None:
            self.picture.show_image(image)
        self._write()

    def hideEvent(self, event: QHideEvent) -> None:
        self.stop()
        super().hideEvent(event)

    def close_player(self) -> None:
        """Stop and remove what was written to be played."""
        self.player.close()

    def _save(self) -> None:
        footage = self.timeline.footage
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the sound", str(Path.home() / f"{self._name()}.wav"), "Sound (*.wav)"
        )
        if chosen and footage.samples is not None:
            path = Path(chosen)
            try:
                write_wav(
                    path if path.suffix else path.with_suffix(".wav"), footage.samples, footage.sample_rate
                )
            except OSError as error:
                self.said.emit(f"'{path}' could not be written ({error.strerror}).")

    def _name(self) -> str:
        return "sound" if self.row is None else describe(self._state, self.row).name.replace(" ", "-")

    # -- what is shown -----------------------------------------------------------------------------------

    def _style(self) -> None:
        name = "pause" if self.is_playing else "play"
        self.play_button.setIcon(icon(name, self._theme.palette))
        self.play_button.setAccessibleName("Stop" if self.is_playing else "Play")

    def _show_footage(self) -> None:
        items, row = self._state.items, self.row
        if items is None or row is None or not 0 <= row < len(items):
            return
        footage = footage_of(items, row, self._facts)
        self.timeline.show_footage(footage)
        self._lower.setVisible(footage.seconds > 0)
        self.save_button.setVisible(footage.samples is not None)
        self.bars.show_shares(self._facts.shares, self._facts.method)
        image = self.timeline.image() or thumbnail(items, row)
        self.picture.setVisible(image is not None)
        if image is not None:
            self.picture.show_image(image)

    def _write(self) -> None:
        if self.row is None:
            return
        known = describe(self._state, self.row)
        lines = known.lines
        items = self._state.items
        if items is not None:
            columns = sorted(items.columns)[:MOST_COLUMNS]
            lines += [f"{name} {float(items.columns[name][self.row]):.6g}" for name in columns]
        footage = self.timeline.footage
        if footage.frames is not None:
            frame = footage.frame_at(self.timeline.seconds)
            code, sure = footage.thought(frame)
            thought = f": {footage.class_name(code)} ({sure:.2f})" if code >= 0 else ""
            lines.append(f"frame {frame + 1} of {len(footage.frames)}{thought}")
        self._put_words(lines)

    def _put_words(self, lines: list[str]) -> None:
        text = "\n".join(lines)
        if text != self.words.toPlainText():
            self.words.setPlainText(text)


def footage_of(items: ItemSet, row: int, facts: Facts) -> Footage:
    """What can be seen and heard of an item over time."""
    given: dict[str, Any] = {}
    if items.clips is not None and len(frames := items.clips[row]):
        given |= {"frames": frames, "frame_rate": items.clips.rate, "thoughts": facts.thoughts}
    if items.sounds is not None and len(samples := items.sounds[row]):
        given |= {"samples": samples, "sample_rate": items.sounds.rate}
    return Footage(**given, class_names=facts.class_names or items.class_names)


def footage_of_guest(guest: Guest) -> Footage:
    """What can be seen and heard of a person's own item over time; the frames of a clip last as long as its sound."""
    given: dict[str, Any] = {}
    heard = 0.0
    if guest.samples is not None and len(guest.samples):
        given |= {"samples": guest.samples, "sample_rate": guest.sample_rate}
        heard = len(guest.samples) / guest.sample_rate
    if guest.frames is not None and len(guest.frames) > 1:
        frames = guest.frames[..., 0] if guest.frames.shape[-1] == 1 else guest.frames
        given |= {"frames": frames, "frame_rate": len(frames) / heard if heard else OWN_RATE}
    return Footage(**given)


class _PictureBox(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.setFixedWidth(PICTURE)
        self.setMinimumHeight(PICTURE // 2)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(PICTURE, PICTURE)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._image.isNull():
            painter = QPainter(self)
            paint_picture(painter, QRectF(self.rect()).adjusted(2, 2, -2, -2), self._image)
            painter.end()
