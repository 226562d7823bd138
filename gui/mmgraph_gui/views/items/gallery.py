"""A gallery of items of any number: only those on screen are drawn."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from mmgraph.runs import ItemSet
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.item_card import Description, describe, has_pictures, paint_picture, thumbnail
from mmgraph_gui.keys import keeps_keys
from mmgraph_gui.state import AppState
from mmgraph_gui.views.picking import mode_of

Index = QModelIndex | QPersistentModelIndex

PICTURE_CELL = (104, 132)
TEXT_CELL = (220, 118)
BARE_CELL = (216, 72)
ROW_ROLE = Qt.ItemDataRole.UserRole
DISTANCE_ROLE = ROW_ROLE + 1
MOVES = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space}


class GalleryModel(QAbstractListModel):
    """Rows of the item set in some order."""

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.rows: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.distances: dict[int, float] = {}

    def set_rows(self, rows: npt.NDArray[np.int64], distances: npt.NDArray[np.float64] | None = None) -> None:
        """Show other rows, or the same in another order; with how far each is from what was searched for."""
        known = {} if distances is None else dict(zip(rows.tolist(), distances.tolist(), strict=True))
        if known != self.distances or not np.array_equal(rows, self.rows):
            self.beginResetModel()
            self.rows, self.distances = rows, known
            self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = int(self.rows[index.row()])
        if role == ROW_ROLE:
            return row
        if role == DISTANCE_ROLE:
            return self.distances.get(row)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            distance = self.distances.get(row)
            more = () if distance is None else (f"distance {distance:.4g}",)
            return "\n".join(describe(self._state, row, more).lines)
        return None


class GalleryCell(QStyledItemDelegate):
    """Draws one item: picture or text, its label, what was predicted and how surely."""

    def __init__(self, state: AppState, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._theme = state, theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return cell_size(self._state.items, option.fontMetrics.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(ROW_ROLE)
        if row is None:
            return
        known = describe(self._state, int(row))
        palette = self._theme.palette
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(option.rect).adjusted(3, 3, -3, -3)
        state = option.state
        hovered = bool(state & QStyle.StateFlag.State_MouseOver) or row == self._state.hovered
        chosen = bool(np.isin(row, self._state.selection))
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(QPen(QColor(palette.accent if chosen else palette.grid), 2 if chosen else 1))
        if focused and not chosen:
            painter.setPen(QPen(QColor(palette.accent), 1, Qt.PenStyle.DashLine))
        painter.setBrush(QColor(palette.raised if hovered or chosen else palette.background))
        painter.drawRoundedRect(box, 5, 5)
        inner = box.adjusted(6, 6, -6, -6)
        line = option.fontMetrics.height()
        top = QRectF(inner.left(), inner.top(), inner.width(), inner.height() - 2 * line - 4)
        self._paint_content(painter, top, int(row), known)
        self._paint_words(painter, inner, line, known, index.data(DISTANCE_ROLE))
        painter.restore()

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

    def _paint_words(
        self, painter: QPainter, inner: QRectF, line: int, known: Description, distance: float | None
    ) -> None:
        palette, metrics = self._theme.palette, painter.fontMetrics()
        width = int(inner.width())

        def write(text: str, ending: str, colour: str, from_bottom: int) -> None:
            painter.setPen(QColor(colour))
            place = QRectF(inner.left(), inner.bottom() - from_bottom * line, width, line)
            room = width - metrics.horizontalAdvance(ending)
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room) + ending
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, text)

        label, far = f"label {known.label}" if known.label else "no label", ""
        if distance is not None:
            far = f" · {distance:.3g}"
        if known.label and metrics.horizontalAdvance(label + far) > width - 6:  # rounding elides early
            label = known.label
        write(label, far, palette.muted, 2)
        if known.prediction:
            mark, colour = "", palette.foreground
            if known.correct is not None:
                mark, colour = ("✓ ", palette.good) if known.correct else ("✗ ", palette.error)
            sure = "" if math.isnan(known.confidence) else f" ({known.confidence:.2f})"
            write(mark + known.prediction, sure, colour, 1)


class Gallery(QListView):
    """Shows items in rows that wrap.

    Signals:
        hovered(row): the item under the mouse, or None.
        clicked_row(row, mode): an item was clicked, or chosen with Enter.
        play_wanted(row): Space was pressed on an item.
    """

    hovered = Signal(object)
    clicked_row = Signal(int, str)
    play_wanted = Signal(int)

    def __init__(self, state: AppState, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.rows = GalleryModel(state, self)
        self.setModel(self.rows)
        self.setItemDelegate(GalleryCell(state, theme, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(500)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.entered.connect(lambda index: self.hovered.emit(index.data(ROW_ROLE)))
        self.viewportEntered.connect(lambda: self.hovered.emit(None))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self.clicked_row.emit(index.data(ROW_ROLE), mode_of(event.modifiers()))
        super().mouseReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        return keeps_keys(event, MOVES) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().data(ROW_ROLE) if self.currentIndex().isValid() else None
        if event.key() == Qt.Key.Key_Space and row is not None:
            self.play_wanted.emit(row)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row is not None:
            self.clicked_row.emit(row, mode_of(event.modifiers()))
        else:
            super().keyPressEvent(event)
            moved = self.currentIndex()
            self.hovered.emit(moved.data(ROW_ROLE) if moved.isValid() else None)

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)
        super().leaveEvent(event)


def cell_size(items: ItemSet | None, line: int) -> QSize:
    """Size of a cell, by what there is to show, with room for the font in use."""
    width, height = BARE_CELL
    if has_pictures(items):
        width, height = PICTURE_CELL
    elif items is not None and items.texts is not None:
        width, height = TEXT_CELL
    return QSize(max(width, 6 * line), height + 2 * max(line - 16, 0))
