"""A matrix as coloured cells with numbers in them and names along two sides, painted from what does not change."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from mmgraph_gui.drawing.cells import Cells
from mmgraph_gui.drawing.one_line import in_one_line
from mmgraph_gui.drawing.theme import Palette

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


@dataclass(frozen=True, eq=False)
class HeatPicture:
    """A matrix on a sheet of some size: on the screen, or in a worker thread for a file.

    Args:
        colours: of the cells, (rows, columns, 3) uint8; image is the same.
    """

    matrix: Matrix
    colours: npt.NDArray[np.uint8]
    image: QImage
    size: QSize
    font: QFont
    palette: Palette

    @functools.cached_property
    def cells(self) -> Cells:
        """Where the cells lie, in logical pixels: as large as fits, square while there is room for it."""
        rows, columns = self._shape
        line = QFontMetricsF(self.font).height()
        above = min(self._widest[1], self.size.height() / 4) if self._names_stand_upright else line
        top = line + above + 2 * GAP
        width = min((self.size.width() - self._left - GAP) / columns, LARGEST_CELL)
        height = min((self.size.height() - top - GAP) / rows, LARGEST_CELL)
        height = min(height, width)
        area = QRectF(self._left, top, max(width * columns, 1), max(height * rows, 1))
        return Cells(area, rows, columns)

    def paint(self, painter: QPainter) -> None:
        """Paint all of it."""
        painter.fillRect(QRect(QPoint(0, 0), self.size), QColor(self.palette.background))
        if not self.matrix.values.size:
            return
        painter.setFont(self.font)
        painter.drawImage(self.cells.area, self.image)
        self._paint_numbers(painter)
        self._paint_names(painter)

    def _paint_numbers(self, painter: QPainter) -> None:
        metrics, box = QFontMetricsF(self.font), self.cells.box(0, 0)
        if box.height() < metrics.height() or box.width() < metrics.horizontalAdvance("000"):
            return
        bright = self.colours @ LUMINANCE > 110
        down = box.top() + (box.height() + metrics.ascent() - metrics.descent()) / 2
        for ink, cells in (("black", bright), ("white", ~bright)):
            painter.setPen(QColor(ink))
            for row, column in np.argwhere(cells).tolist():
                text = self.matrix.text(row, column)
                room = box.width() - metrics.horizontalAdvance(text)
                if room >= 2:
                    left = box.left() + column * box.width() + room / 2
                    painter.drawText(QPointF(left, down + row * box.height()), text)

    def _paint_names(self, painter: QPainter) -> None:
        metrics, area, box = QFontMetricsF(self.font), self.cells.area, self.cells.box(0, 0)
        palette, elide = self.palette, Qt.TextElideMode.ElideRight
        painter.setPen(QColor(palette.foreground))
        rows, columns = self._shape
        every = max(round(metrics.height() / box.height() + 0.49), 1)
        for row in range(0, rows, every):
            name = metrics.elidedText(in_one_line(self.matrix.names[0][row]), elide, area.left() - 2 * GAP)
            place = QRectF(GAP, box.top() + row * box.height(), area.left() - 2 * GAP, box.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        upright = self._names_stand_upright
        every = max(round(metrics.height() / box.width() + 0.49), 1) if upright else 1
        room = area.top() - metrics.height() - 2 * GAP
        for column in range(0, columns, every):
            middle = box.left() + (column + 0.5) * box.width()
            if upright:
                painter.save()
                painter.translate(middle, area.top() - GAP)
                painter.rotate(-90)
                name = metrics.elidedText(in_one_line(self.matrix.names[1][column]), elide, room)
                painter.drawText(QPointF(0, metrics.ascent() / 2 - 1), name)
                painter.restore()
            else:
                name = self.matrix.names[1][column]
                left = middle - metrics.horizontalAdvance(name) / 2
                painter.drawText(QPointF(left, area.top() - GAP), name)
        if self.matrix.counts:
            painter.setPen(QColor(palette.muted))
            painter.drawText(QPointF(GAP, metrics.ascent() + 2), "rows: true class, columns: predicted class")

    @property
    def _shape(self) -> tuple[int, int]:
        rows, columns = self.matrix.values.shape
        return max(rows, 1), max(columns, 1)

    @functools.cached_property
    def _widest(self) -> tuple[float, float]:
        """How wide the names of rows and of columns are."""
        metrics = QFontMetricsF(self.font)
        rows, columns = (
            max(map(metrics.horizontalAdvance, names[:MOST_NAMES]), default=0.0)
            for names in self.matrix.names
        )
        return rows, columns

    @functools.cached_property
    def _left(self) -> float:
        return min(self._widest[0], self.size.width() / 4) + 2 * GAP

    @functools.cached_property
    def _names_stand_upright(self) -> bool:
        room = (self.size.width() - self._left - GAP) / self._shape[1]
        return self._widest[1] + 4 > min(room, LARGEST_CELL)
