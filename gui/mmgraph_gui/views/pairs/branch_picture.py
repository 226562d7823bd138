"""A Siamese network looking at one pair or triplet: items, the encoder they share, vectors, distances, verdicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state import AppState
from mmgraph_gui.state.branches import Branches
from mmgraph_gui.views.item_card import describe
from mmgraph_gui.views.items.picture import paint_item
from mmgraph_gui.views.picking import mode_of

LARGEST, SMALLEST = 120, 40
GAP, ARROW, STRIP = 6, 14, 16

Vectors = npt.NDArray[np.floating[Any]]


class BranchPicture(Painted):
    """Draws one row of the recorded pairs, a column per branch.

    Signals:
        clicked_item(int, str): an item was clicked, and what that does to the selection.
        hovered(row): the item under the mouse, or None.
    """

    clicked_item = Signal(int, str)
    hovered = Signal(object)

    def __init__(self, state: AppState, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._state = state
        self.branches: Branches | None = None
        self.row = 0
        self.vectors: Vectors | None = None
        self.has_vectors = False
        self.setMouseTracking(True)
        line = self.fontMetrics().height()
        self.setMinimumSize(170, SMALLEST + 5 * line + STRIP + 3 * ARROW + 5 * GAP)

    def show_row(self, branches: Branches | None, row: int, vectors: Vectors | None) -> None:
        """Draw another one.

        Shapes:
            vectors (branches, features), None while they are not known; `has_vectors` says whether they will be.
        """
        self.branches, self.row, self.vectors = branches, row, vectors
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 300)

    def item_at(self, place: QPointF) -> int | None:
        """The item in whose column a place lies."""
        if self.branches is None:
            return None
        count = self.branches.rows.shape[1]
        branch = int(place.x() / max(self.width(), 1) * count)
        return int(self.branches.rows[self.row, min(max(branch, 0), count - 1)])

    # -- painting ----------------------------------------------------------------------------------------

    def paint_all(self, painter: QPainter) -> None:
        painter.save()
        self._paint_parts(painter)
        painter.restore()

    def _paint_parts(self, painter: QPainter) -> None:
        palette, branches = self._theme.palette, self.branches
        painter.fillRect(self.rect(), QColor(palette.background))
        if branches is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        line, count = self.fontMetrics().height(), branches.rows.shape[1]
        width = self.width() / count
        below = 4 * line + STRIP + 2 * ARROW + 5 * GAP
        side = min(width - 4 * GAP, self.height() - below - line - GAP, LARGEST)
        spare = self.height() - below - line - GAP - side
        painter.translate(0, max(spare, 0) / 2)
        top = GAP + line
        encoder = QRectF(GAP, top + side + line + GAP + ARROW, self.width() - 2 * GAP, line + GAP)
        for branch in range(count):
            column = QRectF(branch * width, 0, width, self.height())
            self._paint_item(
                painter, branches, branch, column, QRectF(column.center().x() - side / 2, top + 3, side, side)
            )
            for start in (encoder.top() - ARROW, encoder.bottom()):
                _paint_arrow(painter, QPointF(column.center().x(), start), QColor(palette.muted))
        painter.setPen(QPen(QColor(palette.muted), 1))
        painter.setBrush(QColor(palette.raised))
        painter.drawRoundedRect(encoder, 5, 5)
        self._write(painter, encoder, "one encoder, shared weights", palette.foreground)
        self._paint_vectors(painter, encoder.bottom() + ARROW + 1, width)
        self._paint_distances(painter, branches, encoder.bottom() + ARROW + STRIP + GAP, width)

    def _paint_item(
        self, painter: QPainter, branches: Branches, branch: int, column: QRectF, box: QRectF
    ) -> None:
        palette, line = self._theme.palette, self.fontMetrics().height()
        item = int(branches.rows[self.row, branch])
        bold = QFont(self.font())
        bold.setBold(True)
        painter.setFont(bold)
        top = QRectF(column.left(), 2, column.width(), line)
        self._write(painter, top, branches.names[branch], palette.foreground)
        painter.setFont(self.font())
        paint_item(painter, box, self._state, self._theme, item)
        label = describe(self._state, item).label
        words = QRectF(column.left(), box.bottom() + 2, column.width(), line)
        self._write(painter, words, f"label {label}" if label else "no label", palette.muted)

    def _paint_vectors(self, painter: QPainter, top: float, width: float) -> None:
        """The vectors as stripes, coloured alike so that near ones look alike."""
        if self.vectors is None:
            if not self.has_vectors:  # else they are on their way
                box = QRectF(0, top, self.width(), STRIP)
                self._write(painter, box, "no vectors recorded", self._theme.palette.muted)
            return
        finite = self.vectors[np.isfinite(self.vectors)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        stripes = self._theme.continuous((self.vectors - low) / ((high - low) or 1.0))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        for branch in range(len(stripes)):
            painter.drawImage(
                QRectF(branch * width + GAP, top, width - 2 * GAP, STRIP), to_image(stripes[branch][None])
            )

    def _paint_distances(self, painter: QPainter, branches: Branches, top: float, width: float) -> None:
        """A line from the first branch to each other one, with how far that is and what is made of it."""
        palette, line = self._theme.palette, self.fontMetrics().height()
        start = QRectF(0, top + GAP, width, line)
        self._write(painter, start, f"{branches.measure} distance", palette.muted)
        if branches.threshold is not None:
            self._write(painter, start.translated(0, line), f"limit {branches.threshold:.3g}", palette.muted)
        for branch in range(1, branches.rows.shape[1]):
            words = branches.verdict(self.row, branch).split(" ", 1)
            wrong = words[-1].endswith("✗")
            ink = palette.foreground if len(words) == 1 else palette.error if wrong else palette.good
            for number, text in enumerate(words):
                place = QRectF(branch * width, top + GAP + number * line, width, line)
                self._write(painter, place, text, ink)

    def _write(self, painter: QPainter, box: QRectF, text: str, ink: str) -> None:
        painter.setPen(QColor(ink))
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    # -- mouse -------------------------------------------------------------------------------------------

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        item = self.item_at(event.position())
        if item is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked_item.emit(item, mode_of(event.modifiers()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        item = self.item_at(event.position())
        self.setToolTip("" if item is None else "\n".join(describe(self._state, item).lines))
        self.hovered.emit(item)

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)


def _paint_arrow(painter: QPainter, start: QPointF, colour: QColor) -> None:
    """Downwards, as long as the room between two parts."""
    tip = start + QPointF(0, ARROW)
    painter.setPen(QPen(colour, 1))
    painter.drawLine(start, tip)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([tip, tip + QPointF(-3, -5), tip + QPointF(3, -5)]))
