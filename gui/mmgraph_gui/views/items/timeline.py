"""What can be seen and heard of an item over time: frames, what is thought at each, the wave of its sound, a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from mmgraph.analysis import envelope
from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme

FRAME_HEIGHT = 44
BAND = 16
"""Height of the row that says what is thought at each frame."""
WAVE_HEIGHT = 40
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
ENDS = {Qt.Key.Key_Home, Qt.Key.Key_End}

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Footage:
    """An item over time.

    Args:
        frames: None where nothing moves; `frame_rate` of them in a second.
        samples: None where it is silent; `sample_rate` of them in a second.
        thoughts: probabilities of the classes at each frame; None where not recorded.
        class_names: of the classes.

    Shapes:
        frames (t, height, width) or (t, height, width, 3), samples (n,), thoughts (t, classes).
    """

    frames: Pixels | None = None
    frame_rate: float = 1.0
    samples: npt.NDArray[np.int16] | None = None
    sample_rate: float = 1.0
    thoughts: npt.NDArray[np.float32] | None = None
    class_names: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """How long it is; of frames and sound the longer."""
        seen = len(self.frames) / self.frame_rate if self.frames is not None else 0.0
        heard = len(self.samples) / self.sample_rate if self.samples is not None else 0.0
        return max(seen, heard)

    def frame_at(self, seconds: float) -> int:
        """The frame that is seen at a time."""
        count = len(self.frames) if self.frames is not None else 1
        return min(max(int(seconds * self.frame_rate + 1e-6), 0), count - 1)

    def thought(self, frame: int) -> tuple[int, float]:
        """Likeliest class at a frame and its probability; −1 where nothing is known."""
        if self.thoughts is None or frame >= len(self.thoughts):
            return -1, float("nan")
        row = self.thoughts[frame]
        if not np.isfinite(row).all() or not len(row):
            return -1, float("nan")
        return int(row.argmax()), float(row.max())

    def class_name(self, code: int) -> str:
        """Name of a class, its number where it has none."""
        return self.class_names[code] if 0 <= code < len(self.class_names) else str(code)


class Timeline(Painted):
    """A click or the arrows go to a frame, Space plays.

    Signals:
        sought(seconds): another moment is wanted.
        play_wanted(): Space was pressed.
    """

    own_keys = (*STEPS, *ENDS, Qt.Key.Key_Space)
    sought = Signal(float)
    play_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.footage = Footage()
        self.seconds = 0.0
        self._images: list[QImage] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    def show_footage(self, footage: Footage) -> None:
        """Show another item, from its beginning."""
        self.footage, self.seconds = footage, 0.0
        frames = footage.frames if footage.frames is not None else ()
        self._images = [to_image(frame) for frame in frames]
        self.setFixedHeight(self._height())
        self.setToolTip("Left and Right go from frame to frame, Space plays")
        self.update()

    def go_to(self, seconds: float) -> None:
        """Move the cursor."""
        if seconds != self.seconds:
            self.seconds = seconds
            self.update()

    def image(self) -> QImage | None:
        """The frame under the cursor."""
        return self._images[self.footage.frame_at(self.seconds)] if self._images else None

    def sizeHint(self) -> QSize:
        return QSize(300, self._height())

    def _height(self) -> int:
        height = 4
        if self._images:
            height += FRAME_HEIGHT + 2
            height += self._band() + 2 if self.footage.thoughts is not None else 0
        return height + (WAVE_HEIGHT if self.footage.samples is not None else 0)

    def _band(self) -> int:
        return max(BAND, self.fontMetrics().height() + 2)

    def _across(self, seconds: float) -> float:
        return seconds / max(self.footage.seconds, 1e-9) * self.width()

    def paint_all(self, painter: QPainter) -> None:
        palette, footage = self._theme.palette, self.footage
        painter.fillRect(self.rect(), QColor(palette.background))
        top = 2.0
        if self._images:
            self._paint_frames(painter, top)
            top += FRAME_HEIGHT + 2
            if footage.thoughts is not None:
                self._paint_thoughts(painter, top)
                top += self._band() + 2
        if footage.samples is not None:
            self._paint_wave(
                painter, QRectF(0, top, self._across(len(footage.samples) / footage.sample_rate), WAVE_HEIGHT)
            )
        if footage.seconds > 0:
            x = self._across(self.seconds)
            painter.setPen(QPen(QColor(palette.background), 4))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
            painter.setPen(QPen(QColor(palette.accent), 2))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))

    def _paint_frames(self, painter: QPainter, top: float) -> None:
        """As many frames as fit, each at its time."""
        first, footage = self._images[0], self.footage
        width = FRAME_HEIGHT * first.width() / max(first.height(), 1)
        seen = self._across(len(self._images) / footage.frame_rate)
        count = max(min(int(seen // width), len(self._images)), 1)
        smooth = FRAME_HEIGHT * self.devicePixelRatioF() < first.height()
        painter.setRenderHint(painter.RenderHint.SmoothPixmapTransform, smooth)
        slot = seen / count
        for place in range(count):
            image = self._images[place * len(self._images) // count]
            left = place * slot + max(slot - width, 0) / 2
            painter.drawImage(QRectF(left, top, min(width, slot), FRAME_HEIGHT), image)

    def _paint_thoughts(self, painter: QPainter, top: float) -> None:
        """A band in the colour of the likeliest class, as high as it is sure; its name where it changes."""
        footage, palette, height = self.footage, self._theme.palette, self._band()
        codes = [footage.thought(frame) for frame in range(len(self._images))]
        metrics, start = self.fontMetrics(), 0
        for frame, (code, sure) in enumerate(codes):
            left, right = (self._across(place / footage.frame_rate) for place in (frame, frame + 1))
            share = sure if code >= 0 else 1.0
            box = QRectF(left, top + (1 - share) * height, right - left, share * height)
            painter.fillRect(box, QColor(self._theme.category(code)))
            if frame + 1 == len(codes) or codes[frame + 1][0] != code:
                begin = self._across(start / footage.frame_rate)
                name = footage.class_name(code) if code >= 0 else "not finite"
                if metrics.horizontalAdvance(name) + 8 <= right - begin:
                    plate = QRectF(begin + 2, top + 1, metrics.horizontalAdvance(name) + 4, height - 2)
                    shade = QColor(palette.background)
                    shade.setAlphaF(0.8)
                    painter.fillRect(plate, shade)
                    painter.setPen(QColor(palette.foreground))
                    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, name)
                start = frame + 1

    def _paint_wave(self, painter: QPainter, box: QRectF) -> None:
        samples = self.footage.samples
        assert samples is not None
        swing = envelope(samples, max(int(box.width()), 1))
        loudest = max(float(np.abs(swing).max(initial=0)), 1.0)
        painter.setPen(QColor(self._theme.palette.accent))
        middle = box.center().y()
        step = box.width() / max(len(swing), 1)
        for place, (low, high) in enumerate((swing / loudest * (box.height() / 2 - 2)).tolist()):
            x = box.left() + (place + 0.5) * step
            painter.drawLine(QPointF(x, middle - high), QPointF(x, middle - low))

    def paint_over(self, painter: QPainter) -> None:
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.palette.accent), 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        share = min(max(event.position().x() / max(self.width(), 1), 0.0), 1.0)
        self.sought.emit(share * self.footage.seconds)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, footage = Qt.Key(event.key()), self.footage
        rate = footage.frame_rate if self._images else 20 / max(footage.seconds, 1e-9)
        if key in STEPS:
            frame = int(self.seconds * rate + 1e-6) + STEPS[key]
            last = footage.seconds - (1 / rate if self._images else 0)
            self.sought.emit(min(max(frame / rate, 0.0), max(last, 0.0)))
        elif key in ENDS:
            last = footage.seconds - (1 / rate if self._images else 0)
            self.sought.emit(0.0 if key == Qt.Key.Key_Home else max(last, 0.0))
        elif key == Qt.Key.Key_Space:
            self.play_wanted.emit()
        else:
            super().keyPressEvent(event)
