"""A matrix on the screen: points at its cells and says which was clicked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.raster import Drawing, to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.heat_picture import HeatPicture, Matrix

_NOTHING = Matrix.of(np.zeros((0, 0)), ())


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
        self._matrix, self._image = _NOTHING, QImage()
        self._colours: npt.NDArray[np.uint8] = np.zeros((0, 0, 3), dtype=np.uint8)
        self._seen: HeatPicture | None = None
        self._picture: QPixmap | None = None
        self._cell: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setMinimumSize(120, 100)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_matrix(self, matrix: Matrix) -> None:
        """Show another matrix, or the same in other colours."""
        self._matrix, self._colours = matrix, self._theme.continuous(matrix.shares)
        self._image = to_image(self._colours)
        self._seen = self._picture = None
        self.update()

    def cell_box(self, row: int, column: int) -> QRectF:
        """Where a cell lies, in logical pixels."""
        return self.seen.cells.box(row, column)

    def cell_at(self, at: QPointF) -> tuple[int, int] | None:
        """(row, column) under a place of the widget."""
        return self.seen.cells.at(at) if self._matrix.values.size else None

    def drawing(self) -> Drawing:
        """All of it as vectors, as it is now."""
        return Drawing(QSize(self.size()), self.seen.paint, apart=True)

    @property
    def seen(self) -> HeatPicture:
        """What is painted now."""
        seen, palette = self._seen, self._theme.palette
        if seen is None or (seen.size, seen.font, seen.palette) != (self.size(), self.font(), palette):
            self._seen = seen = HeatPicture(
                self._matrix, self._colours, self._image, QSize(self.size()), QFont(self.font()), palette
            )
        return seen

    # -- painting ----------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.size() != self.size() * ratio:
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            painter = QPainter(self._picture)
            self.seen.paint(painter)
            painter.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        if self._cell is not None:
            painter.setPen(QPen(QColor(self._theme.palette.foreground), 2))
            painter.drawRect(self.cell_box(*self._cell))
        painter.end()

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
