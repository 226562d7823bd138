"""The box beside the cross-hair that says what each of many curves is there, highest first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.theme import Theme

PAD = 6
AWAY = 14
"""Pixels between the mouse and the box."""
MOST_ROWS = 20
WIDEST = 34
"""Letters of a name."""

Row = tuple[str, str, str]


class Readout(QWidget):
    """Lies over what it is about, as large as it needs to be, and lets the mouse through."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: list[Row] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        named(self, "Values at the cross-hair", "").setToolTip("")
        self.hide()

    def show_values(self, at: QPoint, read: Sequence[tuple[str, str, float]]) -> None:
        """Show them beside a place of the parent; nothing where there are none.

        Args:
            read: colour, name and value of each curve; those without a value there are left out.
        """
        known = sorted((one for one in read if not math.isnan(one[2])), key=lambda one: -one[2])
        rows = [(colour, f"{value:.4g}", name) for colour, name, value in known]
        if len(rows) > MOST_ROWS:
            rows = [*rows[: MOST_ROWS - 1], ("", "", f"… and {len(rows) - MOST_ROWS + 1} more")]
        self.rows = rows
        parent = self.parentWidget()
        if not rows or parent is None:
            self.hide()
            return
        size = self._needed().toSize()
        right = at.x() + AWAY
        left = right if right + size.width() <= parent.width() else at.x() - AWAY - size.width()
        top = min(at.y() + AWAY, parent.height() - size.height())
        self.setGeometry(max(left, 0), max(top, 0), size.width(), size.height())
        self.setAccessibleDescription("; ".join(f"{name} {value}".strip() for _, value, name in rows))
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self._theme.palette
        metrics = QFontMetricsF(self.font())
        ground = QColor(palette.background)
        ground.setAlphaF(0.94)
        painter.setPen(QPen(QColor(palette.grid), 1))
        painter.setBrush(ground)
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setPen(QColor(palette.foreground))
        side, numbers = self._side(metrics), self._numbers(metrics)
        for number, (colour, value, name) in enumerate(self.rows):
            y = PAD / 2 + number * metrics.height() + metrics.ascent()
            if colour:
                painter.fillRect(QRectF(PAD, y - side, side, side), QColor(colour))
            painter.drawText(round(2 * PAD + side), round(y), value)
            painter.drawText(round(3 * PAD + side + numbers), round(y), self._short(metrics, name))
        painter.end()

    def _needed(self) -> QSizeF:
        metrics = QFontMetricsF(self.font())
        names = max(metrics.horizontalAdvance(self._short(metrics, name)) for _, _, name in self.rows)
        wide = self._side(metrics) + self._numbers(metrics) + names + 4 * PAD
        return QSizeF(wide + 1, len(self.rows) * metrics.height() + PAD)

    def _side(self, metrics: QFontMetricsF) -> float:
        return metrics.ascent() * 0.6

    def _numbers(self, metrics: QFontMetricsF) -> float:
        return max(metrics.horizontalAdvance(value) for _, value, _ in self.rows)

    def _short(self, metrics: QFontMetricsF, name: str) -> str:
        room = WIDEST * metrics.averageCharWidth()
        return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
