"""A list of pairs or triplets: a column of thumbnails per branch, with distance and verdict."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state import AppState
from mmgraph_gui.state.branches import Branches
from mmgraph_gui.state.selection import EMPTY, Rows
from mmgraph_gui.views.item_card import describe
from mmgraph_gui.views.items.cell import ROW_ROLE, Index
from mmgraph_gui.views.items.picture import paint_item
from mmgraph_gui.views.picking import mode_of

PICTURE = 44
NARROWEST = 62
"""A column with a distance and its verdict."""
GAP = 4


class BranchModel(QAbstractListModel):
    """Rows of the recorded pairs in some order."""

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.branches: Branches | None = None
        self.order: Rows = EMPTY

    def show_rows(self, branches: Branches | None, order: Rows) -> None:
        """Show others, or the same in another order."""
        self.beginResetModel()
        self.branches, self.order = branches, order
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.order)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.order) or self.branches is None:
            return None
        row = int(self.order[index.row()])
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return in_words(self._state, self.branches, row)
        return None


class BranchCell(QStyledItemDelegate):
    """Draws one pair or triplet."""

    def __init__(self, state: AppState, theme: Theme, view: BranchList) -> None:
        super().__init__(view)
        self._state, self._theme, self._view = state, theme, view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, PICTURE + 2 * option.fontMetrics.height() + 4 * GAP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, branches = index.data(ROW_ROLE), self._view.rows.branches
        if row is None or branches is None:
            return
        palette, line = self._theme.palette, option.fontMetrics.height()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.row() == self._view.currentIndex().row():
            painter.fillRect(option.rect, QColor(palette.raised))
            painter.fillRect(
                QRect(option.rect.topLeft(), QSize(3, option.rect.height())), QColor(palette.accent)
            )
        for branch in range(branches.rows.shape[1]):
            cell = QRectF(column_box(option.rect, branch, branches.rows.shape[1]))
            item = int(branches.rows[row, branch])
            picture = QRectF(cell.center().x() - PICTURE / 2, cell.top() + GAP + 2, PICTURE, PICTURE)
            paint_item(painter, picture, self._state, self._theme, item)
            label = describe(self._state, item).label
            lines = [(label or "no label", palette.muted)]
            if branch:
                right = branches.judged is None or bool(
                    branches.judged[row, branch - 1] == branches.similar[row, branch - 1]
                )
                words = branches.verdict(row, branch).split()
                fits = option.fontMetrics.horizontalAdvance(" ".join(words)) < cell.width() - GAP
                colour = (
                    palette.foreground
                    if branches.judged is None
                    else palette.good
                    if right
                    else palette.error
                )
                lines.append((" ".join(words if fits else [words[0], *words[2:]]), colour))
            for number, (text, ink) in enumerate(lines):
                painter.setPen(QColor(ink))
                place = QRectF(cell.left(), picture.bottom() + GAP + number * line, cell.width(), line)
                text = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, int(cell.width()) - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        painter.setPen(QPen(QColor(palette.grid), 1))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        painter.restore()


class BranchList(QListView):
    """Up and Down, Page Up and Page Down step through it.

    Signals:
        moved(int): this recorded row is the current one now.
        clicked_item(int, str): an item was clicked, and what that does to the selection.
        all_wanted(int): every item of this recorded row is wanted.
        hovered(row): the item under the mouse, or None.
    """

    moved = Signal(int)
    clicked_item = Signal(int, str)
    all_wanted = Signal(int)
    hovered = Signal(object)

    def __init__(self, state: AppState, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.rows = BranchModel(state, self)
        self.setModel(self.rows)
        self.setItemDelegate(BranchCell(state, theme, self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setMinimumWidth(3 * NARROWEST + self.verticalScrollBar().sizeHint().width())
        self.activated.connect(lambda index: self.all_wanted.emit(index.data(ROW_ROLE)))
        self.selectionModel().currentChanged.connect(self._current_changed)

    @property
    def current(self) -> int | None:
        """The current recorded row."""
        row = self.currentIndex().data(ROW_ROLE)
        return None if row is None else int(row)

    def show_rows(self, branches: Branches, order: Rows) -> None:
        """Show others, or the same in another order; what was current stays so while it is among them."""
        before = self.current
        self.rows.show_rows(branches, order)
        places = np.flatnonzero(order == before) if before is not None else EMPTY
        if len(order):
            self.setCurrentIndex(self.rows.index(int(places[0]) if len(places) else 0))

    def item_at(self, place: QPoint) -> int | None:
        """The item under a place of the viewport."""
        index, branches = self.indexAt(place), self.rows.branches
        if not index.isValid() or branches is None:
            return None
        for branch, item in enumerate(branches.rows[index.data(ROW_ROLE)].tolist()):
            if column_box(self.visualRect(index), branch, branches.rows.shape[1]).contains(place):
                return int(item)
        return None

    def _current_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        row = current.data(ROW_ROLE)
        if row is not None:
            self.viewport().update()
            self.moved.emit(int(row))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        item = self.item_at(event.position().toPoint())
        if item is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked_item.emit(item, mode_of(event.modifiers()))
        super().mouseReleaseEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        item = self.item_at(event.position().toPoint())
        self.setToolTip("" if item is None else "\n".join(describe(self._state, item).lines))
        self.hovered.emit(item)
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)
        super().leaveEvent(event)


class BranchNames(QWidget):
    """The heading of the list: what its columns are."""

    def __init__(self, below: BranchList) -> None:
        super().__init__()
        self._list = below
        self.names: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_names(self, names: tuple[str, ...]) -> None:
        """Show others."""
        self.names = names
        self.setAccessibleName(", ".join(names))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(100, self.fontMetrics().height() + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        whole = QRect(0, 0, self._list.viewport().width(), self.height())
        for branch, name in enumerate(self.names):
            box = column_box(whole, branch, len(self.names))
            text = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()


def column_box(whole: QRect, branch: int, count: int) -> QRect:
    """Where a branch lies in a row."""
    left, right = (round(whole.width() * number / count) for number in (branch, branch + 1))
    return QRect(whole.left() + left, whole.top(), right - left, whole.height())


def in_words(state: AppState, branches: Branches, row: int) -> str:
    """A pair or triplet for those who hear it."""
    parts = []
    for branch, item in enumerate(branches.rows[row].tolist()):
        known = describe(state, item)
        verdict = f", {branches.measure} {branches.verdict(row, branch)}" if branch else ""
        parts.append(f"{branches.names[branch]}: {known.name}, label {known.label or 'unknown'}{verdict}")
    return "; ".join(parts)
