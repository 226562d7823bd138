"""Rows and columns of equal cells that fill an area of a widget."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF


@dataclass(frozen=True)
class Cells:
    """Where the cells of a matrix, the places or the pixels of a picture lie, in pixels of the widget."""

    area: QRectF
    rows: int
    columns: int

    def at(self, place: QPointF) -> tuple[int, int] | None:
        """(row, column) of the cell at a place; None outside, or where there are no cells."""
        area = self.area
        if not area.contains(place) or not self.rows or not self.columns:
            return None
        row = int((place.y() - area.top()) / area.height() * self.rows)
        column = int((place.x() - area.left()) / area.width() * self.columns)
        return min(row, self.rows - 1), min(column, self.columns - 1)

    def box(self, row: int, column: int) -> QRectF:
        """Where a cell lies."""
        area = self.area
        width, height = area.width() / self.columns, area.height() / self.rows
        return QRectF(area.left() + column * width, area.top() + row * height, width, height)
