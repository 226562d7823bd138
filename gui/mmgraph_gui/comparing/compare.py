"""Two runs, or two steps of one, side by side: the same view of each, and what differs between them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from mmgraph.analysis import Alignment
from mmgraph.runs import differences
from mmgraph_gui.accessible import named
from mmgraph_gui.asking.model_process import ModelProcess
from mmgraph_gui.asking.own_items import OwnItems
from mmgraph_gui.bars.banner import Banner
from mmgraph_gui.bars.stepbar import StepBar
from mmgraph_gui.comparing.view_lock import ViewLock
from mmgraph_gui.kept.look_history import LookHistory
from mmgraph_gui.reading.follower import RunFollower
from mmgraph_gui.state import AppState, Topic
from mmgraph_gui.state.answers import Answers
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.state.step_lock import LOCKS, StepLock
from mmgraph_gui.views import Context, View
from mmgraph_gui.views.embedding.placing import Placed
from mmgraph_gui.views.embedding.view import EmbeddingView
from mmgraph_gui.views.items.view import ItemsView
from mmgraph_gui.views.metrics import MetricsView
from mmgraph_gui.views.registry import ViewSpec, view_key
from mmgraph_gui.views.shortened import ShortBox, ShortLabel

FIRST_VIEW = "embedding"
LOCK_KEY = "Ctrl+L"
WAIT_MILLISECONDS = 50
PREFIX = "compare "
"""Before the name of a view, where its movements are kept beside those of the main window."""


class CompareWindow(QMainWindow):
    """The left side shows the run of the main window and moves with it; the right side has a model of its own.

    Args:
        context: of the main window.
        specs: the views there are.
        runs: which runs can be compared with, when somebody asks.

    Class attributes:
        keys: (key, what it does) of what only this window has, for the list of keys.
    """

    keys: ClassVar[tuple[tuple[str, str], ...]] = (
        (LOCK_KEY, "Lock view: move, zoom and turn both sides at once, or each alone"),
        ("Ctrl+W", "Close the comparison"),
    )

    def __init__(
        self,
        context: Context,
        specs: dict[str, ViewSpec],
        runs: Callable[[], list[Path]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.left, self._specs, self._runs = context, specs, runs
        state = AppState()
        follower = RunFollower(state, self)
        model = ModelProcess(state, follower, self)
        self.right = Context(state, follower, context.theme, model, OwnItems(state, model, self))
        self.lock, self.views_lock = StepLock(context.state, state), ViewLock()
        self.looks = LookHistory(context.state, self._show_pair, self)
        self.pairs: dict[str, tuple[View, View]] = {}
        self._closed = False
        self.resize(1240, 820)
        self.setMinimumSize(640, 420)
        self._build()
        self._answers: Answers | None = None
        self._late = QTimer(self, singleShot=True, interval=WAIT_MILLISECONDS)
        self._late.timeout.connect(self._tell)
        self._stops = [context.state.subscribe(self._changed), state.subscribe(self._changed)]
        follower.message.connect(lambda text: self.banner.show_message(text, "error"))
        context.theme.changed.connect(self._tell)
        self.show_view(FIRST_VIEW if FIRST_VIEW in specs else next(iter(specs)))

    # -- what it shows -----------------------------------------------------------------------------------

    def compare_with(self, path: Path) -> None:
        """Put a run on the right; the run of the left itself is compared with another of its steps."""
        path = path.absolute()
        same = path == self.left.state.path
        self.by.setCurrentIndex(self.by.findData("free" if same else "step"))
        self._fill_runs(path)
        self.banner.hide()
        self.right.follower.open(path)

    def show_view(self, name: str) -> None:
        """Show this view of both."""
        if name not in self.pairs:
            views: list[View] = []
            try:
                view_class = self._specs[name].load()
                views.append(view_class(self.left))
                views.append(view_class(self.right))
            except Exception as error:
                for view in views:
                    view.detach()
                    view.deleteLater()
                title = self._specs[name].title
                self.banner.show_message(
                    f"{title} could not be made ({type(error).__name__}: {error}).", "error"
                )
                return
            left, right = views
            if isinstance(left, EmbeddingView) and isinstance(right, EmbeddingView):
                right.aligner = functools.partial(self._alignment, left)
                left.laid.connect(right.align)
            for view in views:
                if isinstance(view, ItemsView):  # an item stands at the same place on both sides
                    view.order_box.setCurrentIndex(view.order_box.findData("id"))
            self.views_lock.add(left, right)
            self._share_axes(left, right)
            self.looks.add(f"{PREFIX}{name}", left)
            for place, view in zip(self.places, views, strict=True):
                place.addWidget(view)
            self.pairs[name] = (left, right)
        for place, view in zip(self.places, self.pairs[name], strict=True):
            place.setCurrentWidget(view)
        self.view.setCurrentIndex(self.view.findData(name))

    def _lock(self, on: bool) -> None:
        self.views_lock.set_on(on)
        for pair in self.pairs.values():
            self._share_axes(*pair)

    def _share_axes(self, left: View, right: View) -> None:
        """Curves beside each other have the same axes while the views are locked."""
        if isinstance(left, MetricsView) and isinstance(right, MetricsView):
            on = self.together.isChecked()
            left.share_axes(right if on else None)
            right.share_axes(left if on else None)

    def _is_settling(self) -> bool:
        return any(view.is_settling for pair in self.pairs.values() for view in pair)

    def _show_pair(self, name: str) -> None:
        self.show_view(name.removeprefix(PREFIX))

    def answers(self) -> Answers | None:
        """Who is right about what, at the steps that are shown."""
        return Answers.of(self.left.state, self.right.state, self.lock.common)

    # -- how it works ------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.banner = Banner(self.left.theme)
        self.run = named(ShortBox(), "Run on the right", "Which run is compared with the open one")
        self.run.activated.connect(lambda place: self.compare_with(Path(self.run.itemData(place))))
        self.view = named(QComboBox(), "View", "Which view is shown of both (Ctrl+1 …)")
        for name, spec in self._specs.items():
            self.view.addItem(spec.title, name)
        self.view.activated.connect(lambda place: self.show_view(self.view.itemData(place)))
        self.by = named(
            QComboBox(), "Steps", "Whether both show the same step, the same epoch, or each its own"
        )
        for by, text in LOCKS.items():
            self.by.addItem(text, by)
        self.by.currentIndexChanged.connect(lambda _: self.lock.set_by(self.by.currentData()))
        self.together = named(
            QCheckBox("Lock view"), "Lock view", f"Move, zoom and turn both at once ({LOCK_KEY})"
        )
        self.together.setChecked(True)
        self.together.toggled.connect(self._lock)
        self.title = ShortLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        line = QHBoxLayout()
        for label, widget in (("View", self.view), ("Steps", self.by)):
            line.addWidget(QLabel(label))
            line.addWidget(widget)
        line.addWidget(self.together)
        line.addStretch(1)

        self.places = QStackedWidget(), QStackedWidget()
        self.bars = StepBar(self.left.state, self.left.theme), StepBar(self.right.state, self.right.theme)
        for bar in self.bars:
            bar.waits = self._is_settling
        sides = QSplitter(Qt.Orientation.Horizontal)
        for heading, place, bar in zip((self.title, self.run), self.places, self.bars, strict=True):
            side = QWidget()
            column = QVBoxLayout(side)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
            heading.setMinimumHeight(self.run.sizeHint().height())
            column.addWidget(heading)
            column.addWidget(place, 1)
            column.addWidget(bar)
            sides.addWidget(side)
        sides.setChildrenCollapsible(False)
        sides.setSizes([10_000, 10_000])

        self.options = _table(("Option", "A", "B"), "Options that differ")
        self.judged = _table(("Items", "How many"), "Which items each has correct")
        self.judged.itemSelectionChanged.connect(self._select_answers)
        self.told = QLabel(wordWrap=True)
        self.told.setMargin(6)
        judged = QWidget()
        column = QVBoxLayout(judged)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.judged, 1)
        column.addWidget(self.told)
        self.tabs = named(QTabWidget(), "What differs", "")
        self.tabs.addTab(judged, "Correct and wrong")
        self.tabs.addTab(self.options, "Options")
        whole = QSplitter(Qt.Orientation.Vertical)
        whole.addWidget(sides)
        whole.addWidget(self.tabs)
        whole.setStretchFactor(0, 1)
        whole.setSizes([600, 210])
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(8, 8, 8, 8)
        column.addLayout(line)
        column.addWidget(whole, 1)
        self.banner.lie_over(whole)
        self.setCentralWidget(middle)
        self._build_menu()

    def _build_menu(self) -> None:
        menu = self.menuBar().addMenu("&Compare")
        self.views_menu = self.menuBar().addMenu("&View")
        for number, (name, spec) in enumerate(self._specs.items(), start=1):
            action = self.views_menu.addAction(spec.title, functools.partial(self.show_view, name))
            action.setShortcut(view_key(number))
        self.lock_action = menu.addAction("&Lock view")
        self.lock_action.setCheckable(True)
        self.lock_action.setChecked(True)
        self.lock_action.setShortcut(LOCK_KEY)
        self.lock_action.toggled.connect(self.together.setChecked)
        self.together.toggled.connect(self.lock_action.setChecked)
        menu.addSeparator()
        for text, key, slot in (
            ("&Previous step", "Left", self.bars[0].previous.click),
            ("&Next step", "Right", self.bars[0].next.click),
            ("&First step", "Home", self.bars[0].go_first),
            ("&Last step", "End", self.bars[0].go_last),
            ("&Undo", "Ctrl+Z", self.left.state.undo),
            ("&Redo", "Ctrl+Shift+Z", self.left.state.redo),
            ("Clear &selection", "Esc", self._clear),
            ("&Close", "Ctrl+W", self.close),
        ):
            menu.addAction(text, key, slot)

    def _clear(self) -> None:
        """Close the message; where there is none, select nothing."""
        if self.banner.text:
            self.banner.dismiss()
        else:
            self.left.state.clear_selection()

    def _fill_runs(self, path: Path) -> None:
        own = self.left.state.path
        known = dict.fromkeys([*([own] if own is not None else []), *self._runs(), path])
        self.run.clear()
        for one in known:
            text = f"{one.name} (another step)" if one == own else one.name
            self.run.addItem(f"B   {text}", str(one))
            self.run.setItemData(self.run.count() - 1, str(one), Qt.ItemDataRole.ToolTipRole)
        self.run.setCurrentIndex(self.run.findData(str(path)))

    def _changed(self, topic: Topic) -> None:
        if topic in ("run", "items", "colour", "status", "selection"):
            self._late.start()

    def _tell(self) -> None:
        if self._closed:
            return
        left, right = self.left.state, self.right.state
        name = left.path.name if left.path is not None else "no run is open"
        self.title.setText(f"A   {name}")
        self.setWindowTitle(f"{name} – {right.path.name if right.path is not None else '…'} – Compare")
        self._tell_options(left, right)
        self._tell_answers(left, right)

    def _tell_options(self, left: AppState, right: AppState) -> None:
        found = (
            differences(left.config, right.config) if left.path is not None and right.path is not None else []
        )
        rows = [
            (option, *("–" if value is None else str(value) for value in values)) for option, *values in found
        ]
        if not rows:
            rows = [("Their options are the same.", "", "")]
        _fill(self.options, rows)

    def _tell_answers(self, left: AppState, right: AppState) -> None:
        self._answers = self.answers()
        if self._answers is None:
            why = self.lock.unmatched
            text = (
                f"The items of these runs cannot be matched: {why}. Each side keeps its own selection."
                if why
                else ""
            )
            self.told.setText(text or "Waiting for predictions of the same items in both runs …")
            _fill(self.judged, [])
            return
        rows = [(text, f"{len(found):,}") for text, found in self._judged(self._answers)]
        _fill(self.judged, rows)
        items = left.items.noun if left.items is not None else "item"
        self.told.setText(
            f"{len(self.lock.common):,} {items}s in both, at step {left.step:,} of A and step {right.step:,} of B. "
            "Choose a line to select its items everywhere."
        )

    def _judged(self, answers: Answers) -> list[tuple[str, Rows]]:
        return [
            ("Correct in A, wrong in B", answers.left),
            ("Correct in B, wrong in A", answers.right),
            ("Correct in both", answers.both),
            ("Wrong in both", answers.neither),
            ("Correct in neither, and they do not agree", answers.unlike),
        ]

    def _select_answers(self) -> None:
        row = self.judged.currentRow()
        if self._answers is not None and self.judged.selectedItems() and 0 <= row < 5:
            self.left.state.select(self._judged(self._answers)[row][1])

    def _alignment(self, left: EmbeddingView, placed: Placed) -> Alignment | None:
        """What lays the points of the right over those of the left, by the items that both have."""
        common, other = self.lock.common, left.placed
        if other is None or other.dimensions != placed.dimensions or not len(common):
            return None
        mine, theirs = _points_of(placed.rows, common.right), _points_of(other.rows, common.left)
        both = (mine >= 0) & (theirs >= 0)
        if not both.any():
            return None
        reference = other.positions if other.dimensions == 2 else other.centred
        return Alignment.fit(placed.positions[mine[both]], reference[theirs[both]])

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closed:
            self._closed = True
            self._late.stop()
            self.lock.close()
            self.looks.close()
            for stop in self._stops:
                stop()
            for pair in self.pairs.values():
                for view in pair:
                    view.detach()
            self.right.own.close()
            self.right.model.close()
            self.right.follower.close()
        super().closeEvent(event)


def _points_of(placed: Rows, rows: Rows) -> Rows:
    """The point of each row, −1 where there is none."""
    place = np.full(max(int(placed.max(initial=-1)), int(rows.max(initial=-1))) + 1, -1, dtype=np.int64)
    place[placed] = np.arange(len(placed))
    return place[rows]


def _table(headings: tuple[str, ...], name: str) -> QTableWidget:
    table = named(QTableWidget(0, len(headings)), name)
    table.setHorizontalHeaderLabels(headings)
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 6)
    table.setWordWrap(False)
    return table


def _fill(table: QTableWidget, rows: Sequence[tuple[str, ...]]) -> None:
    """Write only what has changed, so that a chosen line stays chosen."""
    table.setRowCount(len(rows))
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            item = table.item(row, column)
            if item is None:
                item = QTableWidgetItem()
                table.setItem(row, column, item)
            if item.text() != text:
                item.setText(text)
                item.setToolTip(text)
