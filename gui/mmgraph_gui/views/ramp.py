"""A strip of colours with the numbers at its ends."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

TALLEST = 220


class Ramp(QWidget):
    """Says what the colours of a continuous map stand for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ramp, self._high, self._low = QImage(), "", ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def show_range(self, ramp: QImage, high: str, low: str) -> None:
        """Show a column of colours, the highest on top."""
        self._ramp, self._high, self._low = ramp, high, low
        self.setAccessibleName(f"Colours from {low} to {high}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        text = max(metrics.horizontalAdvance(self._high), metrics.horizontalAdvance(self._low))
        return QSize(max(38 + text, 80), 100)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width(), 60)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        strip = QRect(6, 6, 18, min(self.height() - 12, TALLEST))
        painter.drawImage(strip, self._ramp)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        metrics = painter.fontMetrics()
        painter.drawText(strip.right() + 8, strip.top() + metrics.ascent(), self._high)
        painter.drawText(strip.right() + 8, strip.bottom() - metrics.descent(), self._low)
        painter.end()
