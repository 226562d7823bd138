"""All heads of all layers as small maps: rows are layers, columns heads."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.keys import keeps_keys
from mmgraph_gui.views.attention.maps import HeadGrid

GAP = 4
WIDEST_NAME = 110
MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class HeadGridPicture(QWidget):
    """Arrows move, a click or Enter opens a map.

    Signals:
        pointed(layer, head): the cell under the mouse or the keys, None, None for none.
        opened(layer, head): the map of that cell is wanted large.
    """

    pointed = Signal(object, object)
    opened = Signal(int, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._grid: HeadGrid | None = None
        self._current: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)

    def show_grid(self, grid: HeadGrid) -> None:
        """Show other maps, or more of them."""
        self._grid = grid
        self.update()

    def places(self) -> dict[tuple[int, int], QRectF]:
        """Where each (layer, head) lies; the shape of maps is kept while there is room for it."""
        grid = self._grid
        heads = max((len(row) for row in grid.cells), default=0) if grid is not None else 0
        if grid is None or not heads:
            return {}
        line, left = self.fontMetrics().height(), self._left(grid)
        wide = max((self.width() - left - GAP) / heads, 4.0)
        high = max((self.height() - line - 2 * GAP) / len(grid.layers), 4.0)
        side = min(wide, high) - GAP
        first = next(image for row in grid.cells for image in row)
        ratio = first.height() / max(first.width(), 1)
        width, height = (side, side * ratio) if ratio <= 1 else (side / ratio, side)
        if ratio < 1:  # wide maps may take what columns leave over
            width = min(wide - GAP, (high - GAP) / ratio)
            height = width * ratio
        return {
            (layer, head): QRectF(
                left + head * (width + GAP), line + 2 * GAP + layer * (height + GAP), width, height
            )
            for layer, row in enumerate(grid.cells)
            for head in range(len(row))
        }

    def cell_at(self, at: QPointF) -> tuple[int, int] | None:
        """(layer, head) under a place."""
        return next((cell for cell, box in self.places().items() if box.contains(at)), None)

    def paint_all(self, painter: QPainter) -> None:
        """Everything, onto whatever is given."""
        palette, grid = self._theme.palette, self._grid
        painter.fillRect(self.rect(), QColor(palette.background))
        places = self.places()
        if grid is None or not places:
            return
        metrics, left = self.fontMetrics(), self._left(grid)
        named = -1.0
        for (layer, head), box in places.items():
            image = grid.cells[layer][head]
            shrinks = box.width() * self.devicePixelRatioF() < image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
            painter.drawImage(box, image)
            painter.setPen(QColor(palette.foreground))
            if head == 0 and box.top() >= named:
                name = metrics.elidedText(grid.layers[layer], Qt.TextElideMode.ElideLeft, int(left) - 2 * GAP)
                row = QRectF(GAP, box.center().y() - metrics.height() / 2, left - 2 * GAP, metrics.height())
                painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
                named = box.top() + metrics.height()
            if layer == 0 and box.width() >= metrics.horizontalAdvance("00"):
                top = QRectF(box.left(), GAP, box.width(), metrics.height())
                painter.drawText(top, Qt.AlignmentFlag.AlignCenter, str(head))
        if self._current in places:
            painter.setPen(QPen(QColor(palette.accent), 2))
            painter.drawRect(places[self._current].adjusted(-1, -1, 1, 1))

    def _left(self, grid: HeadGrid) -> float:
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(name) for name in grid.layers), default=0)
        return float(min(widest, WIDEST_NAME, self.width() // 3) + 3 * GAP)

    def sizeHint(self) -> QSize:
        return QSize(480, 360)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_all(painter)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._choose(self.cell_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(*cell)

    def leaveEvent(self, event: object) -> None:
        self._choose(None)

    def event(self, event: QEvent) -> bool:
        return keeps_keys(event, MOVES) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, places = Qt.Key(event.key()), self.places()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current in places:
            self.opened.emit(*self._current)
        elif key in MOVES and places:
            layer, head = self._current or (0, 0)
            moved = (layer + MOVES[key][0], head + MOVES[key][1]) if self._current else (0, 0)
            if moved in places:
                self._choose(moved)
        else:
            super().keyPressEvent(event)

    def _choose(self, cell: tuple[int, int] | None) -> None:
        if cell != self._current:
            self._current = cell
            self.pointed.emit(*(cell or (None, None)))
            self.update()
