"""Log: what happened, line by line, and the options of the run."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitter,
    QTableView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from mmgraph.runs import Event
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.shortened import ShortBox

LEVELS = {"Everything": 0, "Warnings and errors": 1, "Errors": 2}
_RANK = {"info": 0, "warning": 1, "error": 2}
_COLUMNS = ("Time", "Step", "Message")
WHAT = "Warnings, growth, resumed training, early stopping, NaN and what the program itself logs stand here"
_Index = QModelIndex | QPersistentModelIndex


class LogView(View):
    """Events with a level filter and a search, beside the configuration."""

    name: ClassVar[str] = "log"
    title: ClassVar[str] = "Log"
    topics: ClassVar[frozenset[str]] = frozenset({"run", "events", "status"})

    def build(self) -> None:
        self.level = named(ShortBox(), "Level of events", "Which events are listed")
        self.level.addItems(list(LEVELS))
        self.level.currentTextChanged.connect(lambda _: self.request_render("filter"))
        self.search = named(QLineEdit(), "Search the log", "Only events that contain this text are listed")
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self.request_render("filter"))
        self.choosers.add("level", self.level)
        self.choosers.add("search", self.search)
        self.count = QLabel()
        self.controls.addWidget(self.level)
        self.controls.addWidget(self.search, 1)
        self.controls.addWidget(self.count)

        self.events = EventTable(self.theme)
        self.list = QTableView()
        self.list.setAccessibleName("Events")
        self.setFocusProxy(self.list)
        self.list.setModel(self.events)
        self.list.setShowGrid(False)
        self.list.setWordWrap(True)
        self.list.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.list.verticalHeader().hide()
        self.list.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.list.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.list.horizontalHeader()
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.resizeSection(0, self.fontMetrics().horizontalAdvance("00:00:00") + 24)
        header.resizeSection(1, self.fontMetrics().horizontalAdvance("1,000,000") + 16)
        self.nothing = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self.nothing.setTextFormat(Qt.TextFormat.PlainText)
        self.nothing.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        QVBoxLayout(self.list.viewport()).addWidget(self.nothing)
        self.config = QTreeWidget()
        self.config.setAccessibleName("Configuration of the run")
        self.config.setHeaderLabels(["Option", "Value"])
        self.config.setAlternatingRowColors(True)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.list)
        splitter.addWidget(self.config)
        splitter.setSizes([300, 200])
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def render_state(self, changed: Changed) -> None:
        if self.state.path is None:
            self.show_message("Open a run to read its log.")
            return
        self.show_content()
        if "run" in changed:
            self._fill_config()
        bar = self.list.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        self.events.show(self.state.events, LEVELS[self.level.currentText()], self.search.text())
        total = len(self.state.events)
        self.count.setText(f"{self.events.rowCount():,} of {total:,} events")
        self.nothing.setText(self._why_empty())
        if at_end:
            self.list.scrollToBottom()

    def _why_empty(self) -> str:
        """What is said in place of events; nothing where there are some."""
        if self.events.rowCount():
            return ""
        if self.state.events:
            return "No event is of this level and has these words."
        status = self.state.status
        if status is not None and status.is_live:
            return f"{WHAT} as they come. Nothing has happened yet."
        return f"{WHAT}. Nothing of the kind happened in this run."

    def table(self) -> Table:
        rows = [
            (
                time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(e.wall_time)),
                e.step,
                e.level,
                e.kind,
                e.message,
            )
            for e in self.events.shown
        ]
        return ("time", "step", "level", "kind", "message"), rows

    def _fill_config(self) -> None:
        self.config.clear()
        for section, values in self.state.config.items():
            top = QTreeWidgetItem([section, "" if isinstance(values, dict) else str(values)])
            self.config.addTopLevelItem(top)
            if isinstance(values, dict):
                for name, value in values.items():
                    top.addChild(QTreeWidgetItem([name, str(value)]))
        self.config.expandAll()
        self.config.resizeColumnToContents(0)


class EventTable(QAbstractTableModel):
    """The events that pass the filter; only new ones are added while the filter stays."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.shown: list[Event] = []
        self._seen: tuple[int, int, str] = (0, 0, "")
        self._source: list[Event] = []

    def show(self, events: list[Event], rank: int, text: str) -> None:
        """List those of at least this level that contain this text."""
        if events is not self._source or (rank, text) != self._seen[1:]:
            self.beginResetModel()
            self._source, self._seen, self.shown = events, (0, rank, text), []
            self.endResetModel()
        fitting = [
            event
            for event in events[self._seen[0] :]
            if _RANK.get(event.level, 0) >= rank and text.lower() in event.message.lower()
        ]
        self._seen = (len(events), rank, text)
        if fitting:
            first = len(self.shown)
            self.beginInsertRows(QModelIndex(), first, first + len(fitting) - 1)
            self.shown.extend(fitting)
            self.endInsertRows()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _COLUMNS[section]
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        event = self.shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            clock = time.strftime("%H:%M:%S", time.localtime(event.wall_time))
            step = "" if event.step is None else f"{event.step:,}"
            return (clock, step, event.message)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{event.kind}, {event.level}: {event.message}"
        if role == Qt.ItemDataRole.ForegroundRole and event.level in ("warning", "error"):
            return QColor(getattr(self._theme.palette, event.level))
        return None
