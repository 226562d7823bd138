"""Pairs: what the branches of a Siamese network see, how far apart it finds them, and how all pairs are spread."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.raster import Drawing
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state.branches import HARDEST, RECORDED, Branches, vectors_of
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.bars import Bars, Level
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.control_line import Word
from mmgraph_gui.views.layerbox import LayerBox
from mmgraph_gui.views.matrix.view import Read, read_matrix
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.pairs.branch_list import BranchList, BranchNames, in_words
from mmgraph_gui.views.pairs.branch_picture import BranchPicture, Vectors
from mmgraph_gui.views.pairs.table import branch_columns, branch_rows
from mmgraph_gui.views.shortened import ShortBox

SHOWN = {
    "all": ("All", "Every pair or triplet that was recorded"),
    "wrong": ("Misjudged", "Those of which a branch is taken for similar and is not, or the other way round"),
    "selection": ("With the selected", "Those that hold a selected item"),
}
ORDERS = {
    HARDEST: ("Hardest first", "By how much farther similar branches are than dissimilar ones"),
    RECORDED: ("As recorded", "In the order in which they were recorded"),
}
HISTOGRAM = "distances/"


class PairsView(View):
    """A list of pairs or triplets; the current one in the network; the histogram of all pairs."""

    name: ClassVar[str] = "pairs"
    title: ClassVar[str] = "Pairs"
    kinds: ClassVar[tuple[str, ...]] = ("pairs",)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "snapshots", "step", "items", "selection", "hover", "layer"}
    )

    keys: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Up, Down", "Another pair or triplet"),
        ("Enter", "Select its items everywhere"),
    )

    def build(self) -> None:
        self.read: Branches | None = None
        self.spread: Read | None = None
        self.vectors: tuple[Branches, Vectors] | None = None
        self._wanted: dict[str, SnapshotInfo | None] = {}
        self.layers = LayerBox(self.state, "pairs")
        self.shown_box = named(ShortBox(), "Which pairs are shown")
        self.order_box = named(ShortBox(), "Order of the pairs")
        for box, choices in ((self.shown_box, SHOWN), (self.order_box, ORDERS)):
            box.offer(choices)
            box.activated.connect(lambda _: self.request_render("control"))
        self.choosers.add("shown", self.shown_box)
        self.choosers.add("order", self.order_box)
        for widget in (self.layers, Word("Show"), self.shown_box, Word("Order"), self.order_box):
            self.controls.addWidget(widget)
        self.controls.addStretch(1)
        self.list = named(
            BranchList(self.state, self.theme), "Pairs", "Up and Down step through, Enter selects all of one"
        )
        self.picture = named(BranchPicture(self.state, self.theme), "The current pair in the network")
        self.bars = named(Bars(self.theme), "Distances of similar and dissimilar pairs")
        for part in (self.list, self.picture):
            part.clicked_item.connect(self._choose)
            part.hovered.connect(self.state.hover)
        self.list.moved.connect(self._show_current)
        self.list.all_wanted.connect(self._choose_all)
        self.bars.pointed.connect(self._write_bin)
        self.names = BranchNames(self.list)
        self.none_left = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self.list_pages = QStackedWidget()
        self.list_pages.addWidget(self.list)
        self.list_pages.addWidget(self.none_left)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.names)
        column.addWidget(self.list_pages, 1)
        self.right = _splitter(Qt.Orientation.Vertical, (self.picture, 1), (self.bars, 1))
        self.whole = _splitter(Qt.Orientation.Horizontal, (left, 3), (self.right, 4))
        self.caption = Caption()
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.whole, 1)
        layout.addWidget(self.caption)
        self.setFocusProxy(self.list)

    def render_state(self, changed: Changed) -> None:
        self.layers.refresh()
        if "run" in changed:
            self.read = self.spread = self.vectors = None
            self._wanted.clear()
            self.bars.show_histogram(None)
        info = self.state.snapshot_at("pairs")
        if info is None:
            self._wanted.clear()
            for slot in ("pairs", "vectors", "spread"):
                self.cancel(slot)
            say_missing(self, "pairs", "pairs of a Siamese network")
            return
        self._ask_anew("pairs", info, functools.partial(_read_branches, info=info))
        spread = self.state.snapshot_at("matrix", self._histogram_layer())
        if spread is not None:
            self._ask_anew("spread", spread, functools.partial(read_matrix, info=spread))
        by_selection = self.shown_box.currentData() == "selection"
        if "control" in changed or (by_selection and "selection" in changed):
            self._sort()
        if changed & {"theme", "selection", "hover", "items"}:
            self.list.viewport().update()
            self.picture.update()
            self.bars.update()

    def receive(self, slot: str, result: Any) -> None:
        if slot == "pairs":
            self.read = result
            self._ask_vectors(result)
            self.names.show_names(result.names)
            self._sort()
            self.show_content()
        elif slot == "spread":
            self.spread = result
            self.bars.show_histogram(result.histogram)
        else:
            self.vectors = result
        self._show_current()

    def table(self) -> Table | None:
        read = self.read
        if read is None or not len(self.list.rows.order):
            return None
        return branch_columns(read), branch_rows(read, self.list.rows.order, self.state.items)

    def vector_source(self) -> Drawing | None:
        return None if self.read is None else Drawing(self.right.size(), self._paint)

    def _paint(self, painter: QPainter) -> None:
        self.picture.paint_all(painter)
        painter.translate(QPointF(self.bars.pos()))
        self.bars.paint_all(painter)

    # -- what is asked for -------------------------------------------------------------------------------

    def _ask_anew(self, slot: str, info: SnapshotInfo, work: Any) -> None:
        if self._wanted.get(slot) != info:
            self._wanted[slot] = info
            self.ask(slot, [info], work)

    def _ask_vectors(self, read: Branches) -> None:
        """The vectors of the items in the list, as recorded with them."""
        info = self.state.snapshot_at("embedding", read.embedding or None, read.info.step)
        self.picture.has_vectors = info is not None
        if info is not None and self._wanted.get("vectors") != read.info:
            self._wanted["vectors"] = read.info
            self.ask("vectors", [info], functools.partial(_read_vectors, read=read))

    def _histogram_layer(self) -> str:
        """The histogram that the Matrix view shows, else that of the validation part, else any."""
        known = [layer for layer in self.state.layers("matrix") if layer.startswith(HISTOGRAM)]
        chosen = self.state.layer("matrix")
        for layer in (chosen, f"{HISTOGRAM}validation", *known):
            if layer in known:
                return str(layer)
        return HISTOGRAM

    # -- what is shown -----------------------------------------------------------------------------------

    def _sort(self) -> None:
        if self.read is None:
            return
        shown = self.shown_box.currentData()
        order = self.read.order(
            self.order_box.currentData(),
            wrong_only=shown == "wrong",
            among=self.state.selection if shown == "selection" else None,
        )
        self.list.show_rows(self.read, order)
        noun = self.read.noun
        nothing = {
            "wrong": f"No {noun} is misjudged at this step.",
            "selection": f"No {noun} holds a selected item.",
        }
        self.none_left.setText(nothing.get(shown, f"No {noun} was recorded."))
        self.list_pages.setCurrentIndex(int(not len(order)))
        self._show_current()

    def _show_current(self, _row: int | None = None) -> None:
        read, row = self.read, self.list.current
        if read is None or row is None:
            self.picture.show_row(None, 0, None)
            self.bars.show_levels(())
        else:
            known = self.vectors is not None and self.vectors[0] is read
            self.picture.show_row(read, row, self.vectors[1][row] if known and self.vectors else None)
            self.picture.setAccessibleDescription(in_words(self.state, read, row))
            self.bars.show_levels(levels_of(read, row))
        self._write_caption()

    def _choose(self, row: int, mode: Any) -> None:
        items = self.state.items
        if items is not None and 0 <= row < len(items):
            self.state.select([row], mode)

    def _choose_all(self, row: int) -> None:
        if self.read is not None and self.state.items is not None:
            rows = self.read.rows[row]
            self.state.select(rows[(rows >= 0) & (rows < len(self.state.items))])

    def _write_bin(self, place: int | None) -> None:
        shown = self.bars.shown
        if shown is None or place is None:
            self._write_caption()
        else:
            self.caption.set_parts(shown.describe(place))

    def _write_caption(self) -> None:
        read = self.read
        if read is None:
            return
        shown, count = len(self.list.rows.order), len(read)
        number = f"{count:,}" if shown == count else f"{shown:,} of {count:,}"
        parts = [f"step {read.info.step:,}", f"{number} {read.noun}s"]
        if read.threshold is None:
            parts.append("no threshold recorded, so nothing is judged")
        else:
            parts.append(f"{int(read.wrong.sum()):,} misjudged at threshold {read.threshold:.3g}")
        if self.spread is not None and self.spread.histogram is not None:
            parts.append(f"histogram: all pairs of {self.spread.info.layer.removeprefix(HISTOGRAM)}")
        self.caption.set_parts(parts)


def _read_branches(_job: Job, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo) -> Branches:
    return Branches.of(snapshots[0], info)


def _read_vectors(_job: Job, snapshots: tuple[Snapshot, ...], *, read: Branches) -> tuple[Branches, Vectors]:
    return read, vectors_of(snapshots[0], read.rows)


def levels_of(read: Branches, row: int) -> list[Level]:
    """What is pointed out in the histogram: the threshold, and how far this row's branches are apart."""
    levels = [] if read.threshold is None else [Level(read.threshold, f"threshold {read.threshold:.3g}")]
    for branch, (distance, similar) in enumerate(
        zip(read.distances[row], read.similar[row], strict=True), start=1
    ):
        name = read.names[branch] if read.rows.shape[1] > 2 else "this pair"
        levels.append(Level(float(distance), f"{name} {distance:.3g}", 0 if similar else 1))
    return levels


def _splitter(orientation: Qt.Orientation, *parts: tuple[QWidget, int]) -> QSplitter:
    splitter = QSplitter(orientation)
    for number, (part, share) in enumerate(parts):
        splitter.addWidget(part)
        splitter.setStretchFactor(number, share)
        splitter.setCollapsible(number, False)
    return splitter
