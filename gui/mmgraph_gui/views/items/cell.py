"""One item in the gallery: picture or text, its label, what was predicted and how surely."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPixmap, QRegion
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from mmgraph.runs import ItemSet
from mmgraph_gui.drawing.theme import Palette, Theme
from mmgraph_gui.state import AppState
from mmgraph_gui.views.item_card import Description, describe, has_pictures, paint_picture, thumbnail

Index = QModelIndex | QPersistentModelIndex

PICTURE_CELL = (104, 132)
TEXT_CELL = (220, 118)
BARE_CELL = (216, 72)
ROW_ROLE = Qt.ItemDataRole.UserRole
DISTANCE_ROLE = ROW_ROLE + 1
MOST_BYTES = 64e6
MOST_FRAMES = 16
BUDGET = 0.006
"""Seconds of a repaint in which new cells are drawn."""
FLAGS = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter


class Frame(NamedTuple):
    """All that the frame of a cell depends on."""

    lit: bool
    chosen: bool
    focused: bool
    size: QSize
    scale: float
    palette: Palette


class Look(NamedTuple):
    """All that the lasting part of a cell depends on, but for the items."""

    row: int
    distance: float | None
    font: str
    frame: Frame


class GalleryCell(QStyledItemDelegate):
    """Draws cells. All but the prediction is drawn once and kept, so that a new step costs a line of text a cell.

    Where many are new, those that a repaint has no time for stay empty frames and are `late`: the next draws them.
    """

    def __init__(self, state: AppState, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._theme = state, theme
        self._items: ItemSet | None = None
        self._kept: dict[Look, QPixmap] = {}
        self._frames: dict[Frame, QPixmap] = {}
        self._bytes = 0
        self._left = BUDGET
        self._wanted = QRegion()
        self.late = QRegion()

    def begin(self, region: QRegion, seconds: float = BUDGET) -> None:
        """A repaint of a region begins, with so much time for new cells."""
        self._left, self._wanted = seconds, region
        self.late -= region

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return cell_size(self._state.items, option.fontMetrics.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        # The list asks for every cell within the rectangle around the region.
        row = index.data(ROW_ROLE) if self._wanted.intersects(option.rect) else None
        if row is None:
            return
        look = self._look(painter, option, int(row), index.data(DISTANCE_ROLE))
        if self._left < 0 and look not in self._kept and self._is_on_screen(look, option.widget):
            self.late += option.rect
            painter.drawPixmap(option.rect.topLeft(), self._frame(look.frame))
            return
        known = describe(self._state, int(row))
        painter.drawPixmap(option.rect.topLeft(), self._lasting(look, painter, known))
        inner = _inner(QRectF(option.rect))
        if known.prediction:
            self._paint_prediction(painter, inner, option.fontMetrics.height(), known)

    def _look(
        self, painter: QPainter, option: QStyleOptionViewItem, row: int, distance: float | None
    ) -> Look:
        state, selection = option.state, self._state.selection
        at = int(selection.searchsorted(row))
        frame = Frame(
            bool(state & QStyle.StateFlag.State_MouseOver) or row == self._state.hovered,
            at < len(selection) and int(selection[at]) == row,
            bool(state & QStyle.StateFlag.State_HasFocus),
            option.rect.size(),
            painter.deviceTransform().m11(),
            self._theme.palette,
        )
        return Look(row, distance, option.font.key(), frame)

    @staticmethod
    def _is_on_screen(look: Look, widget: QWidget) -> bool:
        """Whether a cell has the scale of the screen: pictures for files of another are drawn at once."""
        return look.frame.scale == widget.devicePixelRatioF()

    def _lasting(self, look: Look, painter: QPainter, known: Description) -> QPixmap:
        """The cell without its prediction, as it was drawn before or drawn now."""
        if self._items is not self._state.items:
            self._items, self._kept, self._bytes = self._state.items, {}, 0
        kept = self._kept.pop(look, None)
        if kept is None:
            began = time.perf_counter()
            kept = self._frame(look.frame).copy()
            own = QPainter(kept)
            own.setFont(painter.font())
            self._paint_lasting(own, look, known)
            own.end()
            self._left -= time.perf_counter() - began
            self._bytes += _bytes(kept)
        self._kept[look] = kept  # at the end: the first is the one that was not seen for the longest
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            self._bytes -= _bytes(self._kept.pop(next(iter(self._kept))))
        return kept

    def _frame(self, look: Frame) -> QPixmap:
        """An empty cell, as it was drawn before or drawn now."""
        if look in self._frames:
            return self._frames[look]
        picture = QPixmap((look.size.toSizeF() * look.scale).toSize())
        picture.setDevicePixelRatio(look.scale)
        picture.fill(QColor(look.palette.background))  # opaque: a copy instead of a blend each time
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(look.palette.grid), 1))
        if look.chosen:
            painter.setPen(QPen(QColor(look.palette.accent), 2))
        elif look.focused:
            painter.setPen(QPen(QColor(look.palette.accent), 1, Qt.PenStyle.DashLine))
        painter.setBrush(QColor(look.palette.raised if look.lit or look.chosen else look.palette.background))
        painter.drawRoundedRect(
            QRectF(0, 0, look.size.width(), look.size.height()).adjusted(3, 3, -3, -3), 5, 5
        )
        painter.end()
        if len(self._frames) >= MOST_FRAMES:
            self._frames.clear()
        self._frames[look] = picture
        return picture

    def _paint_lasting(self, painter: QPainter, look: Look, known: Description) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = look.frame.size
        inner, line = _inner(QRectF(0, 0, size.width(), size.height())), painter.fontMetrics().height()
        top = QRectF(inner.left(), inner.top(), inner.width(), inner.height() - 2 * line - 4)
        self._paint_content(painter, top, look.row, known)
        self._paint_label(painter, inner, line, known, look.distance)

    def _paint_content(self, painter: QPainter, box: QRectF, row: int, known: Description) -> None:
        items = self._state.items
        picture = thumbnail(items, row)
        if picture is not None:
            paint_picture(painter, box, picture)
            self._paint_badge(painter, box, row)
            return
        painter.setPen(QColor(self._theme.palette.foreground))
        text = items.texts[row] if items is not None and items.texts is not None else known.title
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        painter.setClipRect(box)
        painter.drawText(box, int(flags), text)
        painter.setClipping(False)

    def _paint_badge(self, painter: QPainter, box: QRectF, row: int) -> None:
        """Says that an item can be played: ▶ where it moves, ♪ where it can only be heard."""
        items = self._state.items
        if items is None:
            return
        moves = items.clips is not None and len(items.clips[row]) > 0
        sounds = items.sounds is not None and len(items.sounds[row]) > 0
        if moves or sounds:
            side = painter.fontMetrics().height() + 2
            plate = QRectF(box.right() - side, box.top(), side, side)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 170))
            painter.drawRoundedRect(plate, 4, 4)
            painter.setPen(QColor("white"))
            painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, "▶" if moves else "♪")

    def _paint_label(
        self, painter: QPainter, inner: QRectF, line: int, known: Description, distance: float | None
    ) -> None:
        label = known.label or "no label"
        far = "" if distance is None else f" · {distance:.3g}"
        painter.setPen(QColor(self._theme.palette.muted))
        _write(painter, QRectF(inner.left(), inner.bottom() - 2 * line, inner.width(), line), label, far)

    def _paint_prediction(self, painter: QPainter, inner: QRectF, line: int, known: Description) -> None:
        palette = self._theme.palette
        mark, colour = "", palette.foreground
        if known.correct is not None:
            mark, colour = ("✓ ", palette.good) if known.correct else ("✗ ", palette.error)
        sure = "" if math.isnan(known.confidence) else f" ({known.confidence:.2f})"
        painter.setPen(QColor(colour))
        place = QRectF(inner.left(), inner.bottom() - line, inner.width(), line)
        said = mark + known.prediction
        _write(painter, place, said, sure if fits(painter.fontMetrics(), said + sure, place) else "")


def _inner(place: QRectF) -> QRectF:
    """What the frame leaves for the content."""
    return place.adjusted(9, 9, -9, -9)


def fits(metrics: QFontMetrics, text: str, place: QRectF) -> bool:
    """Whether there is room for all of a text: a class is named whole rather than with how sure the model is."""
    return metrics.horizontalAdvance(text) <= int(place.width())


def _write(painter: QPainter, place: QRectF, text: str, ending: str) -> None:
    """A line of text, cut where it is too long for all but its ending."""
    metrics, whole = painter.fontMetrics(), text + ending
    if not fits(metrics, whole, place):
        room = int(place.width()) - metrics.horizontalAdvance(ending)
        whole = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room) + ending
    painter.drawText(place, FLAGS, whole)


def _bytes(picture: QPixmap) -> int:
    return 4 * picture.width() * picture.height()


def cell_size(items: ItemSet | None, line: int) -> QSize:
    """Size of a cell, by what there is to show, with room for the font in use."""
    width, height = BARE_CELL
    if has_pictures(items):
        width, height = PICTURE_CELL
    elif items is not None and items.texts is not None:
        width, height = TEXT_CELL
    return QSize(max(width, 6 * line), height + 2 * max(line - 16, 0))
