"""The table of runs: cards where the dock is narrow, columns where it is wide; searched, sorted, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray, QModelIndex, QPoint, QSettings, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.runs.runcell import RunCell
from mmgraph_gui.runs.runentry import RunEntry
from mmgraph_gui.runs.runmodel import COLUMNS, ENTRY_ROLE, PLACES, RunModel, RunOrder
from mmgraph_gui.runs.runwatch import RunWatch

NARROWEST = 180
COLUMNS_FROM = 560
"""Pixels of width from which there are columns."""
SETTING = "columns-of-runs"


@dataclass(frozen=True)
class Deed:
    """What can be done with a run from its menu."""

    name: str
    text: str
    possible: Callable[[RunEntry], bool]
    key: str = ""


def _there(entry: RunEntry) -> bool:
    return entry.state != "queued"


def _readable(entry: RunEntry) -> bool:
    return entry.state not in ("queued", "unreadable")


DEEDS: tuple[Deed | None, ...] = (
    Deed("open", "Open", _there),
    Deed("compare", "Compare with the open run", _readable),
    None,
    Deed("notes", "Tags and notes…", _there, "F2"),
    Deed(
        "duplicate",
        "Duplicate with changes…",
        lambda entry: _readable(entry) and entry.recipe not in ("", "watch"),
    ),
    Deed("resume", "Resume training", lambda entry: entry.resumable and not entry.is_live),
    Deed("stop", "Stop training", lambda entry: entry.is_live),
    None,
    Deed("cancel", "Take out of the queue", lambda entry: entry.state == "queued", "Del"),
    Deed("delete", "Delete…", lambda entry: _there(entry) and not entry.is_live, "Del"),
)


class RunList(QWidget):
    """Click or Enter opens a run, its box draws its curves beside those of the open one, its menu does the rest.

    Args:
        root: the folder whose runs are listed.
        colour_of: colour of a run whose curves are drawn; None of one whose are not.
        settings: where the choice of columns is kept.

    Signals:
        chosen(Path): open this run.
        wanted(str, Path): a deed by name, from the menu or by key.
        checked(Path, bool): draw the curves of a run beside those of the open one, or no longer.
    """

    chosen = Signal(object)
    wanted = Signal(str, object)
    checked = Signal(object, bool)

    def __init__(
        self,
        root: Path,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        colour_of: Callable[[Path], str | None] = lambda _path: None,
        settings: QSettings | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._settings = theme, settings
        self._current: Path | None = None
        self._queued: list[RunEntry] = []
        self._found: list[RunEntry] = []
        self._trouble = ""
        self.model = RunModel(self)
        self.model.checked.connect(self.checked)
        self.order = RunOrder(self)
        self.order.setSourceModel(self.model)
        self.cell = RunCell(theme, colour_of, lambda path: path == self._current, self)
        self.view = _RunView()
        self.view.setModel(self.order)
        self.view.setItemDelegate(self.cell)
        self.view.setMinimumWidth(NARROWEST)
        named(self.view, "Runs", "").setToolTip("")
        self.view.customContextMenuRequested.connect(self._show_menu)
        self.view.clicked.connect(self._click)
        self.view.activated.connect(self._choose)
        self.view.deed.connect(self._do)
        header = self.view.header()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(
            lambda place: self._popup(self.columns_menu(), header.mapToGlobal(place))
        )
        header.setSectionsMovable(True)
        self.search = named(
            QLineEdit(), "Search runs", "Words of name, recipe, data set, options, state, tags and notes"
        )
        self.search.setPlaceholderText("Search runs")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._search)
        self.sorting = named(QToolButton(), "Sort runs", "By what the runs are sorted")
        self.sorting.setText("⇅")
        self.sorting.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.sorting.setMenu(QMenu(self.sorting))
        self.sorting.menu().aboutToShow.connect(self._fill_sorting)
        self.hint = QLabel(wordWrap=True)
        self.hint.setMargin(8)
        line = QHBoxLayout()
        line.setContentsMargins(4, 4, 4, 4)
        line.addWidget(self.search, 1)
        line.addWidget(self.sorting)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.hint)
        self._wide: QByteArray | None = self._stored_columns()
        self._lay_out(cards=True)
        self.sort("created")
        theme.changed.connect(self.view.viewport().update)
        self._watch = RunWatch(root)
        self._watch.none_readable.connect(self._take_trouble)
        self._watch.found.connect(self._take)
        self._watch.start()

    @property
    def root(self) -> Path:
        """The folder whose runs are listed."""
        return self._watch.root

    @property
    def entries(self) -> list[RunEntry]:
        """Every run that is known, and those that wait for their turn."""
        return self.model.entries

    def shown(self) -> list[RunEntry]:
        """The entries on screen, from top to bottom."""
        rows = range(self.order.rowCount())
        return [self.order.index(row, 0).data(ENTRY_ROLE) for row in rows]

    def set_root(self, root: Path) -> None:
        """List the runs of another folder."""
        self._watch.root = root.absolute()
        self.refresh()

    def show_run(self, path: Path | None) -> None:
        """Mark the open run, and list it wherever it lies."""
        self._current = path
        if path is not None:
            self._watch.extra = (path, *(known for known in self._watch.extra if known != path))[:20]
        self._mark()
        self.refresh()

    def show_queue(self, entries: list[RunEntry]) -> None:
        """List these as waiting."""
        self._queued = entries
        self._merge()

    def show_checked(self, paths: frozenset[Path]) -> None:
        """Set the check marks: of these runs the curves are drawn."""
        self.model.mark(paths)
        self.view.viewport().update()

    def refresh(self) -> None:
        """Read the folder now."""
        self._watch.wake.set()

    def focus_search(self) -> None:
        """Go to the search field, and show the table where it is hidden."""
        if (dock := self.parentWidget()) is not None:
            dock.show()
            dock.raise_()
        self.search.setFocus()
        self.search.selectAll()

    def sort(self, column: str, *, falling: bool | None = None) -> None:
        """Sort by a column, the way that suits it unless told."""
        fall = COLUMNS[PLACES[column]].falling if falling is None else falling
        order = Qt.SortOrder.DescendingOrder if fall else Qt.SortOrder.AscendingOrder
        self.view.sortByColumn(PLACES[column], order)

    def close_worker(self) -> None:
        """Stop the thread and keep the choice of columns."""
        if self._settings is not None:
            if not self.cell.cards:
                self._wide = self.view.header().saveState()
            if self._wide is not None:
                self._settings.setValue(SETTING, self._wide)
        self._watch.close()

    def menu_of(self, entry: RunEntry) -> QMenu:
        """The menu of the right button on a run."""
        menu = QMenu(self)
        for deed in DEEDS:
            if deed is None:
                menu.addSeparator()
            elif deed.name != "cancel" or entry.state == "queued":
                action = menu.addAction(f"{deed.text}\t{deed.key}" if deed.key else deed.text)
                action.setEnabled(deed.possible(entry))
                action.triggered.connect(lambda _=False, name=deed.name: self._want(name, entry.path))
        return menu

    def columns_menu(self) -> QMenu:
        """Which columns are shown; the first always is."""
        menu = QMenu(self)
        for place, column in enumerate(COLUMNS):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.view.isColumnHidden(place))
            action.setEnabled(place > 0)
            action.toggled.connect(lambda on, place=place: self.view.setColumnHidden(place, not on))
        return menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        cards = self.width() < COLUMNS_FROM
        if cards != self.cell.cards:
            self._lay_out(cards)

    # -- how it works ----------------------------------------------------------------------------------------

    def _lay_out(self, cards: bool) -> None:
        header = self.view.header()
        if cards:
            if not self.cell.cards:
                self._wide = header.saveState()
            order = self.order.sortColumn(), self.order.sortOrder()
            header.setStretchLastSection(False)
            for place in range(len(COLUMNS)):
                self.view.setColumnHidden(place, place > 0)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            if order[0] >= 0:
                self.view.sortByColumn(*order)
        else:
            order = self.order.sortColumn(), self.order.sortOrder()
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
            if self._wide is None or not header.restoreState(self._wide):
                for place in range(len(COLUMNS)):
                    self.view.setColumnHidden(place, False)
            header.setStretchLastSection(True)
            self.view.sortByColumn(*order)
        self.cell.cards = cards
        header.setVisible(not cards)
        self.sorting.setVisible(cards)
        self.view.setUniformRowHeights(False)  # heights are asked for anew
        self.view.setUniformRowHeights(True)
        self.view.doItemsLayout()
        if not cards and self._wide is None and self.order.rowCount():
            for place in range(len(COLUMNS)):
                self.view.resizeColumnToContents(place)

    def _stored_columns(self) -> QByteArray | None:
        stored = self._settings.value(SETTING) if self._settings is not None else None
        return stored if isinstance(stored, QByteArray) else None

    def _take_trouble(self, text: str) -> None:
        self._trouble = text

    def _take(self, entries: list[RunEntry]) -> None:
        self._found = entries
        self._merge()

    def _merge(self) -> None:
        found = {entry.path for entry in self._found}
        known = self._current is not None and self.model.row_of(self._current) >= 0
        self.model.take([*(entry for entry in self._queued if entry.path not in found), *self._found])
        if not known:
            self._mark()
        self._hint()

    def _search(self, text: str) -> None:
        self.order.search(text)
        self._hint()

    def _hint(self) -> None:
        if self._trouble:
            text = self._trouble
        elif not self.entries:
            text = f"No runs in '{self.root}' yet. Start one with Ctrl+N."
        elif not self.order.rowCount():
            text = f"None of {len(self.entries)} runs has these words."
        else:
            text = ""
        self.hint.setText(text)
        self.hint.setVisible(bool(text))

    def _mark(self) -> None:
        """Put the mark on the open run; what somebody has moved to with the keys stays otherwise."""
        row = self.model.row_of(self._current) if self._current is not None else -1
        self.view.setCurrentIndex(self.order.mapFromSource(self.model.index(row, 0)))
        self.view.viewport().update()

    def _click(self, index: QModelIndex) -> None:
        if not self.cell.checking:
            self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        entry = index.data(ENTRY_ROLE)
        if entry is not None and entry.path != self._current and entry.state != "queued":
            self.chosen.emit(entry.path)

    def _want(self, name: str, path: Path) -> None:
        if name == "open":
            self.chosen.emit(path)
        else:
            self.wanted.emit(name, path)

    def _do(self, key: str) -> None:
        """A key was pressed on a run."""
        entry = self.view.currentIndex().data(ENTRY_ROLE)
        for deed in DEEDS:
            if deed is not None and deed.key == key and entry is not None and deed.possible(entry):
                self._want(deed.name, entry.path)

    def _show_menu(self, place: QPoint) -> None:
        entry = self.view.indexAt(place).data(ENTRY_ROLE)
        if entry is not None:
            self._popup(self.menu_of(entry), self.view.viewport().mapToGlobal(place))

    def _popup(self, menu: QMenu, place: QPoint) -> None:
        menu.exec(place)
        menu.deleteLater()

    def _fill_sorting(self) -> None:
        menu = self.sorting.menu()
        menu.clear()
        for place, column in enumerate(COLUMNS):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(self.order.sortColumn() == place)
            action.triggered.connect(lambda _=False, name=column.name: self._sort_or_turn(name))

    def _sort_or_turn(self, name: str) -> None:
        if self.order.sortColumn() == PLACES[name]:
            self.sort(name, falling=self.order.sortOrder() == Qt.SortOrder.AscendingOrder)
        else:
            self.sort(name)


class _RunView(QTreeView):
    """Rows of runs; keys of the menu act on the current one."""

    deed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSortingEnabled(True)
        self.setMouseTracking(True)
        self.setItemsExpandable(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.header().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.header().setMinimumSectionSize(40)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_F2: "F2", Qt.Key.Key_Delete: "Del"}
        if event.key() in keys:
            self.deed.emit(keys[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)
