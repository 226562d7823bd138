"""A bar for each modality: how much it has to do with the answer about an item."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.theme import Theme

METHODS = {
    "weights": ("share of each modality", "Gates or attention of the fusion; they sum to 1"),
    "leave-one-out": (
        "nats the answer loses without it",
        "How much less probable the answer is, in nats, where the modality is hidden; below 0 it spoke against it",
    ),
}


class ShareBars(Painted):
    """Paints the bars; a negative one goes to the left of the zero line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._rows: list[tuple[str, float]] = []
        self._title = ""

    @property
    def rows(self) -> list[tuple[str, float]]:
        """What is shown: name and value of each modality; NaN where it is missing."""
        return self._rows

    def show_shares(self, rows: list[tuple[str, float]], method: str) -> None:
        """Show other bars; none hides the widget."""
        self._rows = rows
        self._title, hint = METHODS.get(method, ("contribution of each modality", ""))
        self.setVisible(bool(rows))
        self.setToolTip(hint)
        told = ", ".join(f"{name} {_number(value)}" for name, value in rows)
        self.setAccessibleName(f"{self._title}: {told}")
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, (len(self._rows) + 1) * (self.fontMetrics().height() + 3))

    def paint_all(self, painter: QPainter) -> None:
        if not self._rows:
            return
        palette, metrics = self._theme.palette, self.fontMetrics()
        line = metrics.height() + 3
        painter.setPen(QColor(palette.muted))
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, self.width(), line), int(vertical), self._title)
        names = min(max(metrics.horizontalAdvance(name) for name, _ in self._rows) + 12, self.width() // 3)
        numbers = metrics.horizontalAdvance("missing") + 8
        finite = [value for _, value in self._rows if math.isfinite(value)]
        low, high = min([0.0, *finite]), max([0.0, *finite])
        span = max(high - low, 1e-9)
        room = max(self.width() - names - numbers, 10)
        zero = names + -low / span * room
        for place, (name, value) in enumerate(self._rows, start=1):
            top = place * line
            painter.setPen(QColor(palette.foreground))
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, names - 8)
            painter.drawText(QRectF(0, top, names, line), int(vertical), text)
            if math.isfinite(value):
                end = zero + value / span * room
                bar = QRectF(min(zero, end), top + 3, max(abs(end - zero), 1), line - 6)
                painter.fillRect(bar, QColor(self._theme.category(place - 1)))
            box = QRectF(names + room + 6, top, numbers, line)
            painter.drawText(box, int(vertical), _number(value))


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "missing"
