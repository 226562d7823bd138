"""Attention over the places of a picture: how much one query looks at each of them, laid over the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.cells import Cells
from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.attention.maps import AttentionMap, Places

MARGIN = 8
MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Home: (0, 0),
}


class PatchOverlay(Painted):
    """A click or the arrows choose the place that looks; Home goes back to the class token, or to the mean of all.

    Signals:
        pointed(row, column): the place under the mouse, or None, None.
        chosen(): another query looks.
    """

    own_keys = MOVES
    pointed = Signal(object, object)
    chosen = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._map: AttentionMap | None = None
        self._overlay = QImage()
        self._opacity = 0.55
        self.query: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)

    def show_map(self, shown: AttentionMap) -> None:
        """Show another map; the chosen place stays chosen."""
        self._map = shown
        if self.query is not None and not self._looks(self.query):
            self.query = None
        self._draw_overlay()

    def set_opacity(self, share: float) -> None:
        """0 shows the picture alone, 1 the weights alone."""
        self._opacity = share
        self.update()

    @property
    def places(self) -> Places | None:
        """The places of the keys."""
        return None if self._map is None else self._map.places

    def weights(self) -> npt.NDArray[np.float32]:
        """(rows, columns): how much the chosen query, the class token or the mean of all looks at each place."""
        shown = self._map
        if shown is None or shown.places is None:
            return np.zeros((0, 0), np.float32)
        places = shown.places
        query = self.query
        if query is None and places.before and self._looks(0):
            query = 0
        row = shown.values.mean(axis=0) if query is None else shown.values[query]
        return np.asarray(row[places.before :].reshape(places.rows, places.columns), dtype=np.float32)

    def told_query(self) -> str:
        """Who looks, in words."""
        places, shown = self.places, self._map
        if places is None or shown is None:
            return ""
        if self.query is None:
            if places.before and self._looks(0):
                name = shown.queries[0] if shown.named else "the class token"
                return f"{name} looks"
            return "mean of all queries"
        row, column = divmod(self.query - places.before, places.columns)
        return f"the place in row {row}, column {column} looks"

    def area(self) -> QRectF:
        """Where the picture lies."""
        shown, places = self._map, self.places
        if shown is None or places is None:
            return QRectF()
        size = shown.picture.size() if shown.picture is not None else QSize(places.columns, places.rows)
        room = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        scale = min(room.width() / max(size.width(), 1), room.height() / max(size.height(), 1))
        width, height = size.width() * scale, size.height() * scale
        middle = room.center()
        return QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)

    def place_at(self, at: QPointF) -> tuple[int, int] | None:
        """(row, column) under a place of the widget."""
        return self._cells().at(at)

    def box(self, row: int, column: int) -> QRectF:
        """Where a place lies."""
        return self._cells().box(row, column)

    def _cells(self) -> Cells:
        places = self.places
        return Cells(self.area(), *((0, 0) if places is None else (places.rows, places.columns)))

    def paint_all(self, painter: QPainter) -> None:
        palette, shown, places = self._theme.palette, self._map, self.places
        painter.fillRect(self.rect(), QColor(palette.background))
        if shown is None or places is None:
            return
        area = self.area()
        if shown.picture is not None:
            smooth = area.width() * self.devicePixelRatioF() < shown.picture.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(area, shown.picture)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.setOpacity(self._opacity if shown.picture is not None else 1.0)
        painter.drawImage(area, self._overlay)
        painter.setOpacity(1.0)
        if self.query is not None:
            box = self.box(*divmod(self.query - places.before, places.columns))
            painter.setPen(QPen(QColor("white"), 4))
            painter.drawRect(box)
            painter.setPen(QPen(QColor(palette.accent), 2))
            painter.drawRect(box)

    def _draw_overlay(self) -> None:
        weights = self.weights()
        finite = weights[np.isfinite(weights)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        shares = (weights - low) / max(high - low, 1e-12)
        self._overlay = to_image(self._theme.continuous(shares)) if weights.size else QImage()
        self.update()

    def _looks(self, query: int) -> bool:
        """Whether a token is among the queries, which are the same tokens as the keys."""
        shown, places = self._map, self.places
        return (
            shown is not None
            and places is not None
            and len(shown.values) == places.count
            and query < places.count
        )

    def sizeHint(self) -> QSize:
        return QSize(480, 360)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointed.emit(*(self.place_at(event.position()) or (None, None)))

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit(None, None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place, places = self.place_at(event.position()), self.places
        if place is not None and places is not None and event.button() == Qt.MouseButton.LeftButton:
            query = places.before + place[0] * places.columns + place[1]
            self._choose(None if query == self.query else query)  # the same again lets go of it

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, places = Qt.Key(event.key()), self.places
        if key not in MOVES or places is None:
            super().keyPressEvent(event)
            return
        if key == Qt.Key.Key_Home:
            self._choose(None)
            return
        at = 0 if self.query is None else self.query - places.before
        row, column = divmod(at, places.columns)
        if self.query is not None:
            down, right = MOVES[key]
            row = min(max(row + down, 0), places.rows - 1)
            column = min(max(column + right, 0), places.columns - 1)
        self._choose(places.before + row * places.columns + column)

    def _choose(self, query: int | None) -> None:
        if query == self.query or (query is not None and not self._looks(query)):
            return
        self.query = query
        self._draw_overlay()
        self.chosen.emit()
