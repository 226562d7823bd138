"""Matrix: which classes are taken for which, or any other recorded table of numbers."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout

from mmgraph.errors import RunDamagedError
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph.runs.stored_snapshot import StoredSnapshot
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.raster import Drawing
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.bars import Bars, Histogram
from mmgraph_gui.views.caption import BETWEEN, Caption
from mmgraph_gui.views.control_line import Word
from mmgraph_gui.views.heat import Heat
from mmgraph_gui.views.heat_picture import Matrix
from mmgraph_gui.views.layerbox import LayerBox
from mmgraph_gui.views.matrix.strip import MatrixStrip, SmallMatrix, thinned
from mmgraph_gui.views.missing import say_missing


@dataclass(frozen=True, eq=False)
class Read:
    """A matrix and the snapshot it is from; a histogram instead where its columns are bins with edges."""

    info: SnapshotInfo
    matrix: Matrix
    histogram: Histogram | None = None


class MatrixView(View):
    """Rows are true classes, columns predicted ones; clicking a cell selects its items.

    Below stand small ones of other steps.
    """

    name: ClassVar[str] = "matrix"
    title: ClassVar[str] = "Matrix"
    kinds: ClassVar[tuple[str, ...]] = ("matrix",)
    topics: ClassVar[frozenset[str]] = frozenset({"run", "snapshots", "step", "layer"})

    def build(self) -> None:
        self.read: Read | None = None
        self._wanted: SnapshotInfo | None = None
        self._of = 0
        self.layers = LayerBox(self.state, "matrix")
        self.controls.addWidget(Word("Matrix"))
        self.controls.addWidget(self.layers)
        self.controls.addStretch(1)
        self.heat = named(Heat(self.theme), "Matrix", "Click a cell to select its items")
        self.setFocusProxy(self.heat)
        self.heat.pointed.connect(self._write_caption)
        self.heat.clicked.connect(self._choose)
        self.bars = named(Bars(self.theme), "Histogram", "How values are spread")
        self.bars.pointed.connect(self._write_bin)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.heat)
        self.pages.addWidget(self.bars)
        self._small: dict[int, SmallMatrix] = {}
        self.strip = named(MatrixStrip(self.theme), "Matrices over time", "Click a matrix to go to its step")
        self.strip.pointed.connect(self._write_small)
        self.strip.step_chosen.connect(self.state.set_step)
        self.strip.resized.connect(lambda: self.request_render("size"))
        self.strip.hide()
        self.caption = Caption()
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.strip)
        layout.addWidget(self.caption)

    def render_state(self, changed: Changed) -> None:
        self.layers.refresh()
        if "run" in changed:
            self.read = self._wanted = None
            self._small = {}
        info = self.state.snapshot_at("matrix")
        if info is None:
            self._wanted = None
            self.cancel("matrix")
            say_missing(self, "matrix", "matrix")
        elif info != self._wanted:
            self._wanted = info
            self.ask("matrix", [info], functools.partial(read_matrix, info=info))
        elif "theme" in changed and self.read is not None:
            self.heat.show_matrix(self.read.matrix)
            self.bars.update()
        if "theme" in changed:
            self.strip.restyle()
        self.strip.show_step(self.state.step)
        if info is not None and not self.strip.isHidden():
            self._ask_small()

    def _ask_small(self) -> None:
        """Have the small matrices made that are not known yet; of a live run those that have come."""
        history = self.state.history("matrix")
        infos = thinned(history, self.strip.most)
        missing = [one for one in infos if one.id not in self._small]
        self._of = len(history)
        if missing:
            self.ask("small", [], functools.partial(read_small, infos=missing))
        else:
            shown = [self._small[one.id] for one in infos]
            if [id(one) for one in shown] != [id(one) for one in self.strip.shown]:
                self.strip.show_matrices(shown)
                self._write_caption()

    def receive(self, slot: str, result: Any) -> None:
        if slot == "small":
            self._small |= result
            self._ask_small()
            return
        self.read = result
        self.heat.show_matrix(result.matrix)
        if result.histogram is not None:
            self.bars.show_histogram(result.histogram)
        self.pages.setCurrentIndex(int(result.histogram is not None))
        self.hand_keys_to(self.pages.currentWidget() or self.pages)
        several = len(self.state.history("matrix")) > 1
        self.strip.setVisible(result.histogram is None and several)
        if not self.strip.isHidden():
            self._ask_small()
        self.show_content()
        self._write_caption()

    def table(self) -> Table | None:
        if self.read is None:
            return None
        matrix, histogram = self.read.matrix, self.read.histogram
        if histogram is not None:
            return ("from", "to", *histogram.names), _bins(histogram)
        return (("", *matrix.names[1]), _rows(matrix))

    def vector_source(self) -> Drawing | None:
        if self.read is None:
            return None
        if self.read.histogram is not None:
            return Drawing(self.bars.size(), self.bars.paint_all)
        return self.heat.drawing()

    def items_of(self, row: int, column: int) -> Rows:
        """Items of the split that was counted, of one true and one predicted class, as recorded at this step."""
        items, prediction = self.state.items, self.state.prediction
        nothing = np.zeros(0, dtype=np.int64)
        if self.read is None or items is None or items.labels is None or prediction is None:
            return nothing
        if not self.read.matrix.counts:
            return nothing
        inside = (items.labels == row) & (prediction.classes == column)
        split = self.read.info.layer.rpartition("/")[2]
        if items.splits is not None and split in items.split_names:
            inside &= items.splits == items.split_names.index(split)
        return np.flatnonzero(inside)

    def _choose(self, row: int, column: int) -> None:
        rows, matrix = self.items_of(row, column), self.read.matrix if self.read is not None else None
        self.state.select(rows)
        if matrix is not None and matrix.counts and not len(rows):
            self.caption.set_parts(
                [_cell_text(matrix, row, column), "none of them is among the recorded items"]
            )

    def _write_bin(self, place: int | None) -> None:
        shown = self.read.histogram if self.read is not None else None
        if shown is None or place is None:
            self._write_caption()
            return
        self.caption.set_parts(shown.describe(place))

    def _write_small(self, text: str) -> None:
        if text:
            self.caption.setText(text)
        else:
            self._write_caption()

    def _write_caption(self, row: int | None = None, column: int | None = None) -> None:
        if self.read is None:
            return
        info, matrix = self.read.info, self.read.matrix
        if row is not None and column is not None:
            self.caption.setText(_cell_text(matrix, row, column))
            return
        parts = [f"step {info.step:,}"]
        if matrix.counts:
            right, total = int(np.trace(matrix.values)), int(matrix.values.sum())
            parts.append(f"{right:,} of {total:,} correct" + (f" ({right / total:.1%})" if total else ""))
            parts.append("coloured by share of the true class")
        lost = int((~np.isfinite(matrix.values)).sum())
        if lost:
            parts.append(f"{lost:,} NaN or infinite (grey)")
        below = len(self.strip.shown)
        if not self.strip.isHidden() and below < self._of:
            parts.append(f"below: {below:,} of {self._of:,} steps")
        self.caption.setText(BETWEEN.join(parts))


def read_matrix(_job: Job | None, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo) -> Read:
    """Work out colours and names; in a worker thread."""
    snapshot = snapshots[0]
    classes = snapshot.notes.get("classes")
    classes = classes if isinstance(classes, (list, tuple)) else []
    matrix = Matrix.of(
        snapshot.array,
        tuple(str(name) for name in classes),
        snapshot.notes.get("rows", "row"),
        snapshot.notes.get("columns", "column"),
    )
    edges = snapshot.extras.get("edges")
    if edges is None or edges.shape != (snapshot.array.shape[1] + 1,):
        return Read(info, matrix)
    shares = snapshot.array.astype(np.float64)
    axis = str(snapshot.notes.get("columns", "value"))
    return Read(info, matrix, Histogram(shares, edges.astype(np.float64), tuple(matrix.names[0]), axis))


def read_small(
    job: Job, _snapshots: tuple[Snapshot, ...], *, infos: list[SnapshotInfo]
) -> dict[int, SmallMatrix]:
    """The small matrix of each snapshot, by its number; in a worker thread. One that is damaged hides no other."""
    assert job.run is not None
    found = {}
    for info in infos:
        try:
            with StoredSnapshot(job.run, info) as stored:
                snapshot = Snapshot(
                    info.kind, info.layer, stored.part(), notes=stored.notes, extras=stored.extras
                )
            found[info.id] = SmallMatrix.of(read_matrix(job, (snapshot,), info=info).matrix, info.step)
        except RunDamagedError:
            found[info.id] = SmallMatrix(info.step, np.full((1, 1), np.nan, np.float32), is_read=False)
    return found


def _bins(histogram: Histogram) -> Iterator[tuple[object, ...]]:
    for place, shares in enumerate(histogram.shares.T.tolist()):
        yield float(histogram.edges[place]), float(histogram.edges[place + 1]), *shares


def _rows(matrix: Matrix) -> Iterator[tuple[object, ...]]:
    for name, values in zip(matrix.names[0], matrix.values.tolist(), strict=True):
        yield name, *values


def _cell_text(matrix: Matrix, row: int, column: int) -> str:
    names, value = (matrix.names[0][row], matrix.names[1][column]), matrix.text(row, column)
    if not matrix.counts:
        return f"{matrix.axes[0]} {names[0]}, {matrix.axes[1]} {names[1]}: {value}"
    total, share = int(matrix.values[row].sum()), matrix.shares[row, column]
    part = f" ({share:.1%})" if total else ""
    return f"true {names[0]}, predicted {names[1]}: {value} of {total:,}{part}"
