"""What is said of an item on hover: picture, label, prediction."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from mmgraph.analysis import wave_picture
from mmgraph.runs import ItemSet
from mmgraph_gui.drawing.one_line import in_one_line
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state import AppState
from mmgraph_gui.state.prediction import Prediction
from mmgraph_gui.state.selection import Rows

PICTURE = 72
WIDEST_TEXT = 260


@dataclass(frozen=True)
class Description:
    """An item in words: `name` is "digit 7", `title` says its split as well.

    `correct` is None where label or prediction is unknown; so is `loss`, −ln p(label), NaN.
    """

    name: str
    title: str
    label: str
    prediction: str
    confidence: float
    correct: bool | None
    more: tuple[str, ...] = ()
    loss: float = math.nan

    @property
    def lines(self) -> list[str]:
        """Everything, one line each."""
        lines = [self.title]
        if self.label:
            lines.append(f"label {self.label}")
        if self.prediction:
            mark = {True: " ✓", False: " ✗", None: ""}[self.correct]
            lines.append(f"predicted {self.prediction} ({self.confidence:.2f}){mark}")
        if not math.isnan(self.loss):
            lines.append(f"loss {self.loss:.3g}")
        return [*lines, *self.more]


def class_name(items: ItemSet | None, code: int) -> str:
    """Name of a class, its number where it has none, nothing for −1."""
    if code < 0:
        return ""
    if items is None:
        return str(code)
    return items.class_names[code] if code < len(items.class_names) else str(code)


def describe(state: AppState, row: int, more: tuple[str, ...] = ()) -> Description:
    """What is known of a row of the item set."""
    items, prediction = state.items, state.prediction
    if items is None or not 0 <= row < len(items):
        return Description(f"node {row}", f"node {row}", "", "", float("nan"), None, more)
    number = int(items.ids[row]) if items.ids is not None else row
    label = int(items.labels[row]) if items.labels is not None else -1
    predicted = int(prediction.classes[row]) if prediction is not None else -1
    confidence = float(prediction.confidence[row]) if prediction is not None else float("nan")
    split = int(items.splits[row]) if items.splits is not None else -1
    name = f"{items.noun} {number}"
    known_split = 0 <= split < len(items.split_names)
    text = (in_one_line(items.texts[row]),) if items.texts is not None else ()
    return Description(
        name,
        f"{name} · {items.split_names[split]}" if known_split else name,
        in_one_line(class_name(items, label)),
        in_one_line(class_name(items, predicted)),
        confidence,
        predicted == label if predicted >= 0 and label >= 0 else None,
        (*text, *more),
        float("nan") if prediction is None else prediction.loss(row, label),
    )


def thumbnail(items: ItemSet | None, row: int) -> QImage | None:
    """The picture of an item: its thumbnail, else the middle of what moves, else the wave of its sound, else none."""
    if items is None or not 0 <= row < len(items):
        return None
    if items.thumbnails is not None:
        return to_image(items.thumbnails[row])
    if items.clips is not None and len(frames := items.clips[row]):
        return to_image(frames[len(frames) // 2])
    if items.sounds is not None and len(samples := items.sounds[row]):
        return to_image(wave_picture(samples))
    return None


def has_pictures(items: ItemSet | None) -> bool:
    """Whether `thumbnail` has pictures of some items."""
    return items is not None and any(of is not None for of in (items.thumbnails, items.clips, items.sounds))


def paint_card(
    painter: QPainter, theme: Theme, at: QPointF, area: QRectF, content: Description, picture: QImage | None
) -> None:
    """Draw a card beside a point, inside an area."""
    palette = theme.palette
    metrics = QFontMetricsF(painter.font())
    lines = [metrics.elidedText(line, Qt.TextElideMode.ElideRight, WIDEST_TEXT) for line in content.lines]
    text_width = max(metrics.horizontalAdvance(line) for line in lines)
    text_height = metrics.lineSpacing() * len(lines)
    side = PICTURE + 8 if picture is not None else 0
    size_x, size_y = text_width + side + 20, max(text_height, PICTURE if picture is not None else 0) + 16
    left = at.x() + 16 if at.x() + 16 + size_x < area.right() else at.x() - 16 - size_x
    top = at.y() + 16 if at.y() + 16 + size_y < area.bottom() else at.y() - 16 - size_y
    frame = QRectF(max(left, area.left() + 2), max(top, area.top() + 2), size_x, size_y)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(palette.grid), 1))
    painter.setBrush(QColor(palette.raised))
    painter.drawRoundedRect(frame, 5, 5)
    if picture is not None:
        paint_picture(painter, QRectF(frame.left() + 8, frame.top() + 8, PICTURE, PICTURE), picture)
    for number, line in enumerate(lines):
        colour = palette.foreground if number == 0 else palette.muted
        if line.endswith("✗"):
            colour = palette.error
        elif line.endswith("✓"):
            colour = palette.good
        painter.setPen(QColor(colour))
        y = frame.top() + 8 + metrics.ascent() + number * metrics.lineSpacing()
        painter.drawText(QPointF(frame.left() + side + 10, y), line)
    painter.restore()


def paint_picture(painter: QPainter, box: QRectF, picture: QImage) -> None:
    """Draw a picture as large as fits in a box, without distortion; small pictures keep sharp pixels."""
    scale = min(box.width() / picture.width(), box.height() / picture.height())
    width, height = picture.width() * scale, picture.height() * scale
    target = QRectF(box.center().x() - width / 2, box.center().y() - height / 2, width, height)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
    painter.drawImage(target, picture)


ROW_COLUMNS = ("row", "id", "label", "prediction", "confidence", "loss")


def row_values(state: AppState, rows: Rows) -> Iterator[tuple[object, ...]]:
    """(row, id, label, prediction, confidence, loss) of each row, for tables; empty where not known.

    What is known now is kept; the work is done when the iterator is used, which may be in another thread.
    """
    return _row_values(state.items, state.prediction, rows)


def _row_values(
    items: ItemSet | None, prediction: Prediction | None, rows: Rows
) -> Iterator[tuple[object, ...]]:
    known = rows < (len(items) if items is not None else 0)
    ids, labels, classes = rows.copy(), np.full(len(rows), -1), np.full(len(rows), -1)
    confidences = np.full(len(rows), np.nan)
    if items is not None:
        ids[known] = items.ids[rows[known]] if items.ids is not None else rows[known]
        if items.labels is not None:
            labels[known] = items.labels[rows[known]]
    if prediction is not None:
        classes[known] = prediction.classes[rows[known]]
        confidences[known] = prediction.confidence[rows[known]]
    columns = (values.tolist() for values in (rows, ids, labels, classes, confidences))
    for row, number, label, predicted, confidence in zip(*columns, strict=True):
        sure = "" if math.isnan(confidence) else confidence
        loss = math.nan if prediction is None else prediction.loss(row, label)
        lost = "" if math.isnan(loss) else loss
        yield row, number, class_name(items, label), class_name(items, predicted), sure, lost
