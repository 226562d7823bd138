"""A recorded matrix over the steps: small ones beside each other; a click on one goes to its step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from mmgraph.analysis.attention_flow import block_means
from mmgraph.runs import SnapshotInfo
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.heat_picture import Matrix

SIDE, GAP, FRAME = 60, 8, 3
MOST_CELLS = 60
"""Along a side of a small matrix; of larger ones each cell is the mean of several."""


@dataclass(frozen=True, eq=False)
class SmallMatrix:
    """What is left of a matrix in the strip.

    Args:
        shares: what colours its cells, NaN where there is nothing.
        right, total: counts on the diagonal, and all of them; no total where it holds no counts.
        is_read: whether its file could be read.
    """

    step: int
    shares: npt.NDArray[np.float32]
    right: int = 0
    total: int = 0
    is_read: bool = True

    @classmethod
    def of(cls, matrix: Matrix, step: int) -> SmallMatrix:
        """The small one of a matrix."""
        shares = block_means(matrix.shares, MOST_CELLS, MOST_CELLS)
        if not matrix.counts:
            return cls(step, shares)
        return cls(step, shares, int(np.trace(matrix.values)), int(matrix.values.sum()))

    def describe(self) -> str:
        """In words."""
        told = f"step {self.step:,}" + ("" if self.is_read else "  ·  could not be read")
        if self.total:
            told += f"  ·  {self.right:,} of {self.total:,} correct ({self.right / self.total:.1%})"
        return told


def thinned(infos: Sequence[SnapshotInfo], most: int) -> list[SnapshotInfo]:
    """At most so many, the first and the last among them.

    Every second, fourth, eighth … is kept, so that a run that grows keeps what was kept before.
    """
    stride = 1
    while 1 + -(-(len(infos) - 1) // stride) > most and stride < len(infos):
        stride *= 2
    return [*infos[:-1:stride], *infos[-1:]]


class MatrixStrip(QWidget):
    """The strip.

    Signals:
        pointed(str): what is under the mouse, in words.
        step_chosen(int): a matrix was clicked.
        resized(): there is room for more or fewer.
    """

    pointed = Signal(str)
    step_chosen = Signal(int)
    resized = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown: tuple[SmallMatrix, ...] = ()
        self._image, self._places = QImage(), [QRectF()]
        self._step = 0
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def most(self) -> int:
        """So many have room."""
        return max((self.width() - GAP) // (SIDE + GAP), 1)

    def show_matrices(self, shown: Sequence[SmallMatrix]) -> None:
        """Show these, in order of their steps."""
        self.shown = tuple(shown)
        self.restyle()
        ends = f", step {shown[0].step:,} to {shown[-1].step:,}" if shown else ""
        self.setAccessibleDescription(f"{len(shown):,} small matrices{ends}")

    def restyle(self) -> None:
        """Draw in the colours of the theme: all of them in one picture."""
        self._image, self._places = QImage(), []
        if self.shown:
            height = max(one.shares.shape[0] for one in self.shown)
            whole = np.full((height, sum(one.shares.shape[1] for one in self.shown)), np.nan, np.float32)
            left = 0
            for one in self.shown:
                rows, columns = one.shares.shape
                whole[:rows, left : left + columns] = one.shares
                self._places.append(QRectF(left, 0, columns, rows))
                left += columns
            if whole.size:
                self._image = to_image(self._theme.continuous(whole))
        self.update()

    def show_step(self, step: int) -> None:
        """Mark the step that all views show."""
        if step != self._step:
            self._step = step
            self.update()

    def box(self, place: int) -> QRectF:
        """Where one of them lies."""
        return QRectF(GAP + place * (SIDE + GAP), FRAME + 1, SIDE, SIDE)

    def place_at(self, at: QPointF) -> int | None:
        """The one under a place of the widget."""
        room = QRectF(0, 0, GAP, self.height())
        for place in range(len(self.shown)):
            room.setRect(self.box(place).left() - GAP / 2, 0, SIDE + GAP, self.height())
            if room.contains(at):
                return place
        return None

    def sizeHint(self) -> QSize:
        return QSize(8 * (SIDE + GAP), SIDE + 2 * FRAME + 2 + self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self._theme.palette
        painter.fillRect(self.rect(), QColor(palette.background))
        metrics = painter.fontMetrics()
        steps = [one.step for one in self.shown]
        current = int(np.searchsorted(steps, self._step, side="right")) - 1
        for place, one in enumerate(self.shown):
            box = self.box(place)
            if not self._image.isNull():
                painter.drawImage(box, self._image, self._places[place])
            below = QRectF(box.left() - GAP / 2, box.bottom() + FRAME, SIDE + GAP, metrics.height())
            text = metrics.elidedText(f"{one.step:,}", Qt.TextElideMode.ElideMiddle, SIDE + GAP)
            marked = place == current
            painter.setPen(QColor(palette.foreground if marked else palette.muted))
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, text)
            if marked:
                # Of a step that lies between two, the one before it is marked with a broken line.
                style = Qt.PenStyle.SolidLine if one.step == self._step else Qt.PenStyle.DashLine
                painter.setPen(QPen(QColor(palette.accent), FRAME, style, j=Qt.PenJoinStyle.MiterJoin))
                painter.drawRect(box.adjusted(-FRAME / 2, -FRAME / 2, FRAME / 2, FRAME / 2))
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        self.setCursor(Qt.CursorShape.ArrowCursor if place is None else Qt.CursorShape.PointingHandCursor)
        self.pointed.emit("" if place is None else self.shown[place].describe())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.step_chosen.emit(self.shown[place].step)

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.resized.emit()
