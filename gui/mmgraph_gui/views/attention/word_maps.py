"""Where a decoder looked before each word of a sentence: one picture per word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.attention.pieces import Pieces, next_in_ring

Weights = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

DIMMEST = 0.25
"""What remains of a place that is not looked at."""
GAP = 8
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
ENDS = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: -1}


@dataclass(frozen=True, eq=False)
class WordMaps:
    """A sentence about an item, and where was looked before each of its words.

    Args:
        item: row of the item set; None where it is a person's own item, `name`.

    Shapes:
        weights (words, rows, columns); images and words (words,).
    """

    layer: str
    step: int
    item: int | None
    words: tuple[str, ...]
    weights: Weights
    images: tuple[QImage, ...]
    name: str = ""


def word_maps(
    array: npt.NDArray[np.floating],
    words: Sequence[str],
    grid: Sequence[int],
    head: int | None,
    picture: Pixels | None,
    *,
    layer: str,
    step: int,
    item: int | None = None,
    name: str = "",
) -> WordMaps:
    """The maps of an item.

    Args:
        array: its attention (heads, queries, keys); queries after the last word do not count, nor words after the last
            query: a sentence that was cut off has no look before its end.
        grid: rows and columns of the places that the keys are.
        head: None for the mean of all.
        picture: of the item; without it the maps stand for themselves.
    """
    weights = (array.mean(axis=0) if head is None else array[head])[: len(words)]
    maps: Weights = weights.reshape(len(weights), *grid).astype(np.float32)
    images = tuple(to_image(spotlight(picture, each)) for each in maps)
    return WordMaps(layer, step, item, tuple(map(str, words[: len(maps)])), maps, images, name)


def lit_frames(frames: Pixels, weights: Weights) -> tuple[QImage, ...]:
    """Frames that are the brighter the more is looked at them; the highest weight leaves one as it is.

    Shapes:
        frames (t, height, width) or (t, height, width, 1 or 3), weights (t,).
    """
    finite = np.nan_to_num(weights)
    light = DIMMEST + (1 - DIMMEST) * finite / max(float(finite.max(initial=0)), 1e-12)
    pixels = frames[..., 0] if frames.ndim == 4 and frames.shape[-1] == 1 else frames
    return tuple(
        to_image(np.rint(frame * share).astype(np.uint8)) for frame, share in zip(pixels, light, strict=True)
    )


def spotlight(picture: Pixels | None, weights: Weights) -> Pixels:
    """A picture whose places are the brighter the more is looked at them; the highest weight leaves it as it is.

    Shapes:
        picture (height, width) or (height, width, 3), None for plain white; weights (rows, columns); the result has the
        size of the picture, or sixteen pixels per place.
    """
    if picture is None:
        picture = np.full((weights.shape[0] * 16, weights.shape[1] * 16), 255, np.uint8)
    colours = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
    finite = np.nan_to_num(weights)
    light = _enlarged(finite / max(float(finite.max(initial=0)), 1e-12), colours.shape[0], colours.shape[1])
    lit: Pixels = np.rint(colours * (DIMMEST + (1 - DIMMEST) * light)[..., None]).astype(np.uint8)
    return lit


def _enlarged(values: npt.NDArray[np.floating], height: int, width: int) -> npt.NDArray[np.float64]:
    """Linear between the middles of the places, constant beyond the outermost."""

    def along(
        old: int, new: int
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
        at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.floor(at).astype(np.intp)
        return low, np.minimum(low + 1, old - 1), at - low

    top, bottom, down = along(values.shape[0], height)
    left, right, across = along(values.shape[1], width)
    rows = values[top] * (1 - down)[:, None] + values[bottom] * down[:, None]
    whole: npt.NDArray[np.float64] = rows[:, left] * (1 - across) + rows[:, right] * across
    return whole


class WordMapsPicture(Pieces[int]):
    """All words of a sentence in reading order, each under its picture; arrows, Home, End and the mouse choose one."""

    own_keys = (*STEPS, *ENDS)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._maps: WordMaps | None = None

    def show_maps(self, maps: WordMaps) -> None:
        """Show another sentence."""
        self._maps = maps
        if self.current is not None and self.current >= len(maps.words):
            self.current = None
        self.setAccessibleDescription(" ".join(maps.words))
        self.update()

    def places(self) -> list[QRectF]:
        """Where each word and its picture lie, as large as fits."""
        if self._maps is None or not self._maps.words:
            return []
        count, line = len(self._maps.words), self.fontMetrics().height() + 2
        shape = self._maps.images[0].size()
        ratio = shape.height() / max(shape.width(), 1)
        best, columns = 0.0, 1
        for tried in range(1, count + 1):
            rows = -(-count // tried)
            wide = (self.width() - GAP * (tried + 1)) / tried
            high = ((self.height() - GAP * (rows + 1)) / rows - line) / ratio
            if min(wide, high) > best:
                best, columns = min(wide, high), tried
        size = QRectF(0, 0, max(best, 8.0), max(best, 8.0) * ratio + line)
        left = (self.width() - columns * (size.width() + GAP) + GAP) / 2
        rows = -(-count // columns)
        top = (self.height() - rows * (size.height() + GAP) + GAP) / 2
        return [
            size.translated(
                left + index % columns * (size.width() + GAP), top + index // columns * (size.height() + GAP)
            )
            for index in range(count)
        ]

    def piece_at(self, at: QPointF) -> int | None:
        return next((index for index, box in enumerate(self.places()) if box.contains(at)), None)

    def paint_all(self, painter: QPainter) -> None:
        palette = self._theme.palette
        painter.fillRect(self.rect(), QColor(palette.background))
        if self._maps is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        metrics = self.fontMetrics()
        line = metrics.height() + 2
        for index, box in enumerate(self.places()):
            picture = box.adjusted(0, 0, 0, -line)
            painter.drawImage(picture, self._maps.images[index])
            chosen = index == self.current
            if chosen:
                painter.setPen(QPen(QColor(palette.accent), 2))
                painter.drawRect(picture.adjusted(-1, -1, 1, 1))
            painter.setPen(QColor(palette.accent if chosen else palette.foreground))
            word = metrics.elidedText(self._maps.words[index], Qt.TextElideMode.ElideRight, int(box.width()))
            painter.drawText(box.adjusted(0, picture.height(), 0, 0), int(Qt.AlignmentFlag.AlignCenter), word)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, count = Qt.Key(event.key()), len(self._maps.words) if self._maps is not None else 0
        if count and key in STEPS:
            self.go_to(next_in_ring(self.current, STEPS[key], count))
        elif count and key in ENDS:
            self.go_to(ENDS[key] % count)
        else:
            super().keyPressEvent(event)
