"""A histogram of degrees with a handle at each end of a range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state.selection import Rows

MOST_BARS = 64
"""Up to so many degrees have a bar each; of more, bars take in more and more degrees to the right."""
HANDLE = 4.0
TALL = 34


class DegreeBars(QWidget):
    """Bars as high as the square root of how many nodes they stand for: most nodes have few edges.

    Signals:
        dragged(int, int): the range that a handle was drawn to.
    """

    dragged = Signal(int, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        hint = "How many nodes have how many edges; drag an end of the range. Heights are square roots"
        named(self, "Nodes by degree", hint)
        self._theme = theme
        theme.changed.connect(self.update)
        self._edges = np.arange(2)
        self._counts: npt.NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self._limits = 0, 0
        self._held: int | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(240, TALL)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, TALL)

    def show_degrees(self, degrees: Rows) -> None:
        """Count them."""
        self._edges = _edges(int(degrees.max(initial=0)))
        self._counts = np.histogram(degrees, self._edges)[0]
        self.update()

    def set_limits(self, low: int, high: int) -> None:
        """Show another range."""
        self._limits = low, high
        self.setAccessibleDescription(f"Degree {low} to {high}")
        self.update()

    @property
    def bars(self) -> list[tuple[int, int, int]]:
        """(smallest degree, largest, how many nodes) of each bar."""
        spans = zip(self._edges[:-1].tolist(), self._edges[1:].tolist(), self._counts.tolist(), strict=True)
        return [(low, high - 1, count) for low, high, count in spans]

    def place_of(self, end: int) -> float:
        """Where the handle of the lower (0) or the upper (1) end stands, in pixels from the left."""
        degree = self._limits[0] if end == 0 else self._limits[1] + 1
        return float(
            np.interp(degree, self._edges, np.linspace(HANDLE, self.width() - HANDLE, len(self._edges)))
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self._theme.palette
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        heights = np.sqrt(self._counts / max(int(self._counts.max(initial=0)), 1))
        step, floor = (self.width() - 2 * HANDLE) / len(heights), self.height() - 2.0
        low, high = self._limits
        for place, (share, (first, last, count)) in enumerate(zip(heights.tolist(), self.bars, strict=True)):
            if not count:
                continue
            painter.setBrush(QColor(palette.accent if last >= low and first <= high else palette.grid))
            height = max(share * (floor - 2), 1.5)
            gap = 1.0 if step > 3 else 0.0
            painter.drawRect(QRectF(HANDLE + place * step, floor - height, step - gap, height))
        painter.setBrush(QColor(palette.grid))
        painter.drawRect(QRectF(0, floor, self.width(), 1))
        painter.setBrush(QColor(palette.foreground))
        for end in (0, 1):
            x = self.place_of(end)
            painter.drawRect(QRectF(x - 0.75, 0, 1.5, floor))
            painter.drawEllipse(QPointF(x, floor / 2), HANDLE - 0.5, HANDLE + 1.5)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            x = event.position().x()
            places = [self.place_of(end) for end in (0, 1)]
            near = [abs(x - place) for place in places]
            # Where both stand at the same place the one is taken that can go there.
            self._held = int(x > places[0]) if near[0] == near[1] else int(near[1] < near[0])
            self._drag(x)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._held is not None:
            self._drag(x)
            return
        first, last, count = self.bars[self._bar(x)]
        span = f"{first:,}" if first == last else f"{first:,} to {last:,}"
        QToolTip.showText(event.globalPosition().toPoint(), f"degree {span}: {count:,} nodes", self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def _bar(self, x: float) -> int:
        share = (x - HANDLE) / max(self.width() - 2 * HANDLE, 1)
        return int(np.clip(share * len(self._counts), 0, len(self._counts) - 1))

    def _drag(self, x: float) -> None:
        first, last, _ = self.bars[self._bar(x)]
        low, high = self._limits
        limits = (min(first, high), high) if self._held == 0 else (low, max(last, low))
        if limits != self._limits:
            self.dragged.emit(*limits)


def _edges(largest: int) -> npt.NDArray[np.int64]:
    """Where bars begin, and where the last ends: one degree each, or growing."""
    if largest < MOST_BARS:
        return np.arange(largest + 2)
    return np.unique(np.rint(np.geomspace(1, largest + 2, MOST_BARS)).astype(np.int64)) - 1
