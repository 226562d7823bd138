"""A gallery of items of any number: only those on screen are drawn."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QWidget,
)

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.keys import keeps_keys
from mmgraph_gui.state import AppState
from mmgraph_gui.views.item_card import describe
from mmgraph_gui.views.items.cell import BUDGET, DISTANCE_ROLE, ROW_ROLE, GalleryCell, Index
from mmgraph_gui.views.picking import mode_of

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
        if known == self.distances and np.array_equal(rows, self.rows):
            return
        if len(rows) == len(self.rows):  # nothing moves: the view need not be laid out again
            self.rows, self.distances = rows, known
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
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
        self._hurries = True
        self.cell = GalleryCell(state, theme, self)
        self.setItemDelegate(self.cell)
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

    @property
    def is_pending(self) -> bool:
        """Whether cells on screen are still to be drawn."""
        return not self.cell.late.isEmpty()

    def finish(self) -> None:
        """Draw what is still to be drawn, now."""
        self._hurries = False
        self.viewport().repaint(self.cell.late)
        self._hurries = True

    def paintEvent(self, event: QPaintEvent) -> None:
        self.cell.begin(event.region(), BUDGET if self._hurries else math.inf)
        super().paintEvent(event)
        self.cell.late &= self.viewport().rect()
        if self.is_pending:
            QTimer.singleShot(0, self.viewport(), self._paint_late)

    def _paint_late(self) -> None:
        self.viewport().update(self.cell.late)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        if self.is_pending:  # what was still to be drawn has moved
            self.viewport().update()

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
