"""All heads of all layers as small maps: rows are layers, columns heads."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.attention.maps import HeadGrid
from mmgraph_gui.views.attention.pieces import Pieces

GAP = 4
WIDEST_NAME = 110
MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class HeadGridPicture(Pieces[tuple[int, int]]):
    """Each piece is the map of a (layer, head). Arrows move, a click or Enter opens a map.

    Signals:
        opened(layer, head): the map of that cell is wanted large.
    """

    own_keys = MOVES
    opened = Signal(int, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._grid: HeadGrid | None = None

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

    def piece_at(self, at: QPointF) -> tuple[int, int] | None:
        return next((cell for cell, box in self.places().items() if box.contains(at)), None)

    def paint_all(self, painter: QPainter) -> None:
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
        if self.current in places:
            painter.setPen(QPen(QColor(palette.accent), 2))
            painter.drawRect(places[self.current].adjusted(-1, -1, 1, 1))

    def _left(self, grid: HeadGrid) -> float:
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(name) for name in grid.layers), default=0)
        return float(min(widest, WIDEST_NAME, self.width() // 3) + 3 * GAP)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        cell = self.piece_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, places = Qt.Key(event.key()), self.places()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current in places:
            self.opened.emit(*self.current)
        elif key in MOVES and places:
            layer, head = self.current or (0, 0)
            moved = (layer + MOVES[key][0], head + MOVES[key][1]) if self.current else (0, 0)
            if moved in places:
                self.go_to(moved)
        else:
            super().keyPressEvent(event)
