"""The runs as a table that can be searched and sorted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)

from mmgraph_gui.bars.statusline import duration
from mmgraph_gui.runs.runentry import RunEntry, age

Index = QModelIndex | QPersistentModelIndex

ENTRY_ROLE = Qt.ItemDataRole.UserRole
SORT_ROLE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class Column:
    """One column: its heading, what stands in it, by what it is sorted, and which way first."""

    name: str
    title: str
    text: Callable[[RunEntry], str]
    key: Callable[[RunEntry], Any]
    falling: bool = False
    hint: str = ""


MOST_DIGITS = 20
"""Of a number in a name that is sorted as a number."""


def _length(entry: RunEntry) -> str:
    return duration(entry.summary.seconds) if entry.summary.seconds else ""


def _counted(name: str) -> str:
    """A key that sorts "seed-2" before "seed-10"."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(MOST_DIGITS), name.casefold())


COLUMNS = (
    Column("name", "Run", lambda entry: entry.summary.name, lambda entry: _counted(entry.summary.name)),
    Column("state", "State", lambda entry: entry.told_state, lambda entry: entry.told_state),
    Column("recipe", "Recipe", lambda entry: entry.recipe, lambda entry: entry.recipe),
    Column("dataset", "Data set", lambda entry: entry.summary.dataset, lambda entry: entry.summary.dataset),
    Column("options", "Options", lambda entry: entry.options, lambda entry: entry.options.casefold(),
           hint="Those that are not at the defaults of the recipe"),
    Column("best", "Best", lambda entry: entry.metric, lambda entry: entry.best[1] if entry.best else None, True,
           "The number that says most of the run, at its best"),
    Column("trace", "Curve", lambda entry: "", lambda entry: entry.trace[-1] if entry.trace else None, True,
           "The validation score, or else the loss, over the run"),
    Column("time", "Time", _length, lambda entry: entry.summary.seconds, True, "How long it was trained"),
    Column("tags", "Tags", lambda entry: ", ".join(entry.summary.notes.tags),
           lambda entry: ", ".join(entry.summary.notes.tags).casefold()),
    Column("notes", "Notes", lambda entry: " ".join(entry.summary.notes.text.split()),
           lambda entry: entry.summary.notes.text.casefold()),
    Column("created", "Started", lambda entry: age(entry.created) or "now", lambda entry: entry.created, True),
)  # fmt: skip

PLACES = {column.name: place for place, column in enumerate(COLUMNS)}


class RunModel(QAbstractTableModel):
    """One row per run. The check mark of a run says that its curves are drawn beside those of the open one.

    Signals:
        checked(Path, bool): somebody changed a check mark.
    """

    checked = Signal(object, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[RunEntry] = []
        self.marked: frozenset[Path] = frozenset()

    def take(self, entries: Sequence[RunEntry]) -> None:
        """Show these; rows of runs that stay are changed where they are, so that nothing jumps."""
        wanted = {entry.path: entry for entry in entries}
        for row in range(len(self.entries) - 1, -1, -1):
            if self.entries[row].path not in wanted:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self.entries[row]
                self.endRemoveRows()
        known = {entry.path: row for row, entry in enumerate(self.entries)}
        for path, row in known.items():
            if self.entries[row] != wanted[path]:
                self.entries[row] = wanted[path]
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
        new = [entry for entry in wanted.values() if entry.path not in known]
        if new:
            self.beginInsertRows(QModelIndex(), len(self.entries), len(self.entries) + len(new) - 1)
            self.entries += new
            self.endInsertRows()

    def mark(self, paths: frozenset[Path]) -> None:
        """Set the check marks."""
        if paths != self.marked:
            self.marked = paths
            if self.entries:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.entries) - 1, 0))

    def row_of(self, path: Path) -> int:
        """Where a run stands; −1 where it does not."""
        return next((row for row, entry in enumerate(self.entries) if entry.path == path), -1)

    # -- Qt ------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and 0 <= section < len(COLUMNS):
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section].title
            if role == Qt.ItemDataRole.ToolTipRole:
                return COLUMNS[section].hint or None
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.entries):
            return None
        entry, column = self.entries[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(entry)
        if role == ENTRY_ROLE:
            return entry
        if role == SORT_ROLE:
            return column.key(entry)
        if role == Qt.ItemDataRole.ToolTipRole:
            return told(entry)
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return Qt.CheckState.Checked if entry.path in self.marked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return told(entry)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index) | Qt.ItemFlag.ItemNeverHasChildren
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            path = self.entries[index.row()].path
            self.checked.emit(path, Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        return False


class RunOrder(QSortFilterProxyModel):
    """Runs that have every word of a search, sorted by a column; what has no value comes last either way."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self.setDynamicSortFilter(True)

    def search(self, text: str) -> None:
        """Show only runs with these words in name, recipe, data set, state, tags or notes."""
        self._words = text.casefold().split()
        self.setFilterFixedString(text)  # asks filterAcceptsRow for every row again

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        model = self.sourceModel()
        searched = model.index(row, 0).data(ENTRY_ROLE).searched
        return all(word in searched for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:
        one, other = left.data(SORT_ROLE), right.data(SORT_ROLE)
        lacks, other_lacks = (value is None or value != value for value in (one, other))
        if lacks != other_lacks:  # Qt turns the order round, and these come last in any
            return lacks if self.sortOrder() == Qt.SortOrder.DescendingOrder else other_lacks
        if lacks or one == other:
            return bool(left.data(ENTRY_ROLE).created < right.data(ENTRY_ROLE).created)
        return bool(one < other)


def told(entry: RunEntry) -> str:
    """All that is known of a run, a line each."""
    summary = entry.summary
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.created)) if entry.created else ""
    lines = (
        summary.name,
        f"{summary.recipe or 'run'} on {summary.dataset}" if summary.dataset else summary.recipe,
        ": ".join(part for part in (summary.state, summary.message) if part),
        entry.metric,
        f"started {when}, trained {duration(summary.seconds)}" if when else "",
        f"options: {entry.options}" if entry.options else "",
        f"tags: {', '.join(summary.notes.tags)}" if summary.notes.tags else "",
        summary.notes.text,
        str(summary.path),
    )
    return "\n".join(line for line in lines if line)
