"""A matrix as coloured cells with numbers in them and names along two sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.cells import Cells
from mmgraph_gui.drawing.one_line import in_one_line
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme

GAP = 6
LARGEST_CELL = 72
LUMINANCE = np.array([0.299, 0.587, 0.114])
MOST_NAMES = 200


@dataclass(frozen=True, eq=False)
class Matrix:
    """What is shown.

    Args:
        values: the numbers.
        shares: what colours them, 0 … 1; NaN where there is nothing.
        names: of rows and columns.
        counts: whether the values are counts, rows being true and columns predicted classes.
        axes: what a row and a column are called.

    Shapes:
        values, shares (rows, columns).
    """

    values: npt.NDArray[Any]
    shares: npt.NDArray[np.float64]
    names: tuple[Sequence[str], Sequence[str]]
    counts: bool
    axes: tuple[str, str] = ("row", "column")

    @classmethod
    def of(
        cls,
        values: npt.NDArray[Any],
        classes: Sequence[str],
        rows_are: Sequence[str] | str = "row",
        columns_are: Sequence[str] | str = "column",
    ) -> Matrix:
        """Counts are coloured by their share of the row, other numbers from lowest to highest.

        Args:
            classes: names of the rows and of the columns as well, where they are one per row.
            rows_are, columns_are: otherwise a name for each of them, or one word for what they are.
        """
        rows, columns = values.shape
        named = len(classes) == rows == columns
        counts = named and values.dtype.kind in "iu" and bool((values >= 0).all())
        with np.errstate(invalid="ignore", divide="ignore"):
            if counts:
                shares = values / values.sum(axis=1, keepdims=True)
            else:
                finite = values[np.isfinite(values)].astype(np.float64)
                low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
                shares = (values - low) / max(high - low, 1e-300)
                shares = np.where(np.isfinite(values), shares, np.nan)
        if named:
            return cls(values, shares, (classes, classes), counts)
        names = _names(rows_are, rows), _names(columns_are, columns)
        axes = tuple(
            given if isinstance(given, str) else word
            for given, word in ((rows_are, "row"), (columns_are, "column"))
        )
        return cls(values, shares, names, counts, (axes[0], axes[1]))

    def text(self, row: int, column: int) -> str:
        """A number as it stands in its cell."""
        value = self.values[row, column]
        return f"{int(value):,}" if self.values.dtype.kind in "iub" else f"{float(value):.3g}"


def _names(given: Sequence[str] | str, count: int) -> Sequence[str]:
    """Names where there is one for each, else numbers."""
    if not isinstance(given, (list, tuple)) or len(given) != count:  # a run folder may hold anything
        return [str(number) for number in range(count)]
    return tuple(map(str, given))


class Heat(QWidget):
    """Paints a matrix; numbers where cells are large enough, the rest is in the caption of whoever listens.

    Signals:
        pointed(row, column): the cell under the mouse, or None, None.
        clicked(row, column): a cell was clicked.
    """

    pointed = Signal(object, object)
    clicked = Signal(int, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._matrix: Matrix | None = None
        self._image = QImage()
        self._picture: QPixmap | None = None
        self._cell: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setMinimumSize(120, 100)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_matrix(self, matrix: Matrix) -> None:
        """Show another matrix, or the same in other colours."""
        self._matrix = matrix
        self._image = to_image(self._theme.continuous(matrix.shares))
        self._picture = None
        self.update()

    def cell_box(self, row: int, column: int) -> QRectF:
        """Where a cell lies, in logical pixels."""
        return Cells(self._area(), *self._shape()).box(row, column)

    def cell_at(self, at: QPointF) -> tuple[int, int] | None:
        """(row, column) under a place of the widget."""
        if self._matrix is None or not self._matrix.values.size:
            return None
        return Cells(self._area(), *self._shape()).at(at)

    # -- painting ----------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.size() != self.size() * ratio:
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            painter = QPainter(self._picture)
            self.paint_vectors(painter)
            painter.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        if self._cell is not None:
            painter.setPen(QPen(QColor(self._theme.palette.foreground), 2))
            painter.drawRect(self.cell_box(*self._cell))
        painter.end()

    def paint_vectors(self, painter: QPainter) -> None:
        """Paint all of it."""
        painter.fillRect(self.rect(), QColor(self._theme.palette.background))
        if self._matrix is None or not self._matrix.values.size:
            return
        painter.setFont(self.font())
        painter.drawImage(self._area(), self._image)
        self._paint_numbers(painter, self._matrix)
        self._paint_names(painter, self._matrix)

    def _paint_numbers(self, painter: QPainter, matrix: Matrix) -> None:
        metrics, box = QFontMetricsF(self.font()), self.cell_box(0, 0)
        if box.height() < metrics.height() or box.width() < metrics.horizontalAdvance("000"):
            return
        bright = self._theme.continuous(matrix.shares) @ LUMINANCE > 110
        down = box.top() + (box.height() + metrics.ascent() - metrics.descent()) / 2
        for ink, cells in (("black", bright), ("white", ~bright)):
            painter.setPen(QColor(ink))
            for row, column in np.argwhere(cells).tolist():
                text = matrix.text(row, column)
                room = box.width() - metrics.horizontalAdvance(text)
                if room >= 2:
                    left = box.left() + column * box.width() + room / 2
                    painter.drawText(QPointF(left, down + row * box.height()), text)

    def _paint_names(self, painter: QPainter, matrix: Matrix) -> None:
        metrics, area, box = QFontMetricsF(self.font()), self._area(), self.cell_box(0, 0)
        palette, elide = self._theme.palette, Qt.TextElideMode.ElideRight
        painter.setPen(QColor(palette.foreground))
        rows, columns = self._shape()
        every = max(round(metrics.height() / box.height() + 0.49), 1)
        for row in range(0, rows, every):
            name = metrics.elidedText(in_one_line(matrix.names[0][row]), elide, area.left() - 2 * GAP)
            place = QRectF(GAP, box.top() + row * box.height(), area.left() - 2 * GAP, box.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        upright = self._names_stand_upright()
        every = max(round(metrics.height() / box.width() + 0.49), 1) if upright else 1
        room = area.top() - metrics.height() - 2 * GAP
        for column in range(0, columns, every):
            middle = box.left() + (column + 0.5) * box.width()
            if upright:
                painter.save()
                painter.translate(middle, area.top() - GAP)
                painter.rotate(-90)
                name = metrics.elidedText(in_one_line(matrix.names[1][column]), elide, room)
                painter.drawText(QPointF(0, metrics.ascent() / 2 - 1), name)
                painter.restore()
            else:
                name = matrix.names[1][column]
                left = middle - metrics.horizontalAdvance(name) / 2
                painter.drawText(QPointF(left, area.top() - GAP), name)
        if matrix.counts:
            painter.setPen(QColor(palette.muted))
            painter.drawText(QPointF(GAP, metrics.ascent() + 2), "rows: true class, columns: predicted class")

    # -- geometry ----------------------------------------------------------------------------------------

    def _shape(self) -> tuple[int, int]:
        rows, columns = self._matrix.values.shape if self._matrix is not None else (1, 1)
        return max(rows, 1), max(columns, 1)

    def _widest(self, side: int) -> float:
        metrics = QFontMetricsF(self.font())
        names = self._matrix.names[side][:MOST_NAMES] if self._matrix is not None else ()
        return max((metrics.horizontalAdvance(name) for name in names), default=0.0)

    def _left(self) -> float:
        return min(self._widest(0), self.width() / 4) + 2 * GAP

    def _names_stand_upright(self) -> bool:
        columns = self._shape()[1]
        return self._widest(1) + 4 > min((self.width() - self._left() - GAP) / columns, LARGEST_CELL)

    def _area(self) -> QRectF:
        """Where the cells are: as large as fits, square while there is room for it."""
        rows, columns = self._shape()
        line = QFontMetricsF(self.font()).height()
        left = self._left()
        above = min(self._widest(1), self.height() / 4) if self._names_stand_upright() else line
        top = line + above + 2 * GAP
        width = min((self.width() - left - GAP) / columns, LARGEST_CELL)
        height = min((self.height() - top - GAP) / rows, LARGEST_CELL)
        height = min(height, width)
        return QRectF(left, top, max(width * columns, 1), max(height * rows, 1))

    # -- mouse -------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self.cell_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*cell)

    def leaveEvent(self, event: object) -> None:
        self._point(None)

    def _point(self, cell: tuple[int, int] | None) -> None:
        if cell != self._cell:
            self._cell = cell
            self.pointed.emit(*(cell or (None, None)))
            self.update()
