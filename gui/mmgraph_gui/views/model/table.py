"""A table of layers or connections that is never wider than its room: names give way, numbers do not."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

EMPTY = QModelIndex()
MEASURED = 8
FEWEST_LETTERS = 6
"""So many of a name are shown however narrow the table is."""


class Rows(QAbstractTableModel):
    """A table of words and numbers; numbers are set to the right."""

    def __init__(self, headings: Sequence[str]) -> None:
        super().__init__()
        self._headings = tuple(headings)
        self.rows: list[tuple[Any, ...]] = []
        self.numbers: set[int] = set()

    def show_rows(self, rows: list[tuple[Any, ...]]) -> None:
        """Show others."""
        self.beginResetModel()
        self.rows = rows
        self.numbers = {
            column
            for column in range(len(self._headings))
            if any(isinstance(row[column], (int, float)) for row in rows)
        }
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = EMPTY) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = EMPTY) -> int:
        return len(self._headings)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        value = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _words(value)
        if role == Qt.ItemDataRole.ToolTipRole and isinstance(value, str):
            return value
        if role == Qt.ItemDataRole.TextAlignmentRole and (value is None or isinstance(value, (int, float))):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self._headings[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:  # as what stands below
                side = Qt.AlignmentFlag.AlignRight if section in self.numbers else Qt.AlignmentFlag.AlignLeft
                return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


class NamedRows(QTableView):
    """Columns as wide as their contents; where that is too much, the widest of words lose their beginning.

    The end of a name says which layer it is; whole names are in the tool tips.

    Args:
        headings: of the columns.
        whole: headings of columns of words that are never shortened, such as shapes; numbers never are.
    """

    def __init__(
        self, headings: Sequence[str], parent: QWidget | None = None, *, whole: Collection[str] = ()
    ) -> None:
        super().__init__(parent)
        self._rows = Rows(headings)
        self._whole = {column for column, heading in enumerate(headings) if heading in whole}
        self._wanted: list[int] = []
        self._names: list[int] = []
        self.setModel(self._rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)  # bold words would not fit
        self.horizontalHeader().setMinimumSectionSize(1)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """What is shown."""
        return self._rows.rows

    def show_rows(self, rows: list[tuple[Any, ...]]) -> None:
        """Show others."""
        if rows != self._rows.rows:
            self._rows.show_rows(rows)
            self._measure()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "_wanted"):
            self._measure()

    def _measure(self) -> None:
        header = self.horizontalHeader()
        columns = range(header.count())
        self._wanted = [max(self._width_of(column), header.sectionSizeHint(column)) for column in columns]
        self._names = [column for column in columns if column not in self._whole | self._rows.numbers]
        self._fit()

    def _width_of(self, column: int) -> int:
        """Of the cells with the most letters: to have Qt measure a thousand takes longer than all else."""
        letters = [len(_words(row[column])) for row in self.rows]
        longest = heapq.nlargest(MEASURED, range(len(letters)), key=letters.__getitem__)
        cells = (self.sizeHintForIndex(self._rows.index(row, column)) for row in longest)
        return max((cell.width() for cell in cells), default=0)

    def _fit(self) -> None:
        numbers = sum(width for column, width in enumerate(self._wanted) if column not in self._names)
        fewest = self.fontMetrics().averageCharWidth() * FEWEST_LETTERS
        room = self.viewport().width() - numbers
        given = shared([self._wanted[column] for column in self._names], room, fewest)
        widths = dict(zip(self._names, given, strict=True))
        for column, wanted in enumerate(self._wanted):
            self.setColumnWidth(column, widths.get(column, wanted))


def shared(wanted: Sequence[int], room: int, fewest: int) -> list[int]:
    """How wide each column is: what it wants, or where that is too much the widest give until all fit.

    Args:
        wanted: widths.
        room: for all of them.
        fewest: no column is made narrower than this.
    """
    widths = list(wanted)
    while sum(widths) > room:
        widest = max(widths)
        if widest <= fewest:
            break
        largest = [place for place, width in enumerate(widths) if width == widest]
        next_widest = max((width for width in widths if width < widest), default=0)
        share = -(-(sum(widths) - room) // len(largest))
        for place in largest:
            widths[place] = max(widest - share, next_widest, min(fewest, widest))
    return widths


def _words(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
