"""Text under a view that gives way to the window: one line or two, and whole in its tool tip."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

MOST_LINES = 2
BETWEEN = "  ·  "
WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)


class Caption(QWidget):
    """Shows parts of text in a row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._shown, self._lines = "", "", 1
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """All of it, shortened or not."""
        return self._text

    def setText(self, text: str) -> None:
        """Show another text."""
        if text != self._text:
            self._text = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            self._grow()
            self.update()

    def set_parts(self, parts: list[str]) -> None:
        """Show several facts beside each other."""
        self.setText(BETWEEN.join(parts))

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text), self._lines * metrics.height() + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._lines = 1
            self._grow()

    def _grow(self) -> None:
        """A second line where one is too short. It stays: a view must not jump at every move of the mouse."""
        lines = max(self._lines, min(self._lines_of(self._text), MOST_LINES))
        self._shown, words = self._text, self._text.split(" ")
        while len(words) > 1 and self._lines_of(self._shown) > MOST_LINES:
            words.pop()
            self._shown = " ".join(words).rstrip(" ·") + " …"
        if lines != self._lines or self.sizeHint().height() != self.height():
            self._lines = lines
            self.updateGeometry()

    def _lines_of(self, text: str) -> int:
        room = QRect(0, 0, self.width(), 10_000)
        return round(
            self.fontMetrics().boundingRect(room, WRAPPED, text).height() / self.fontMetrics().height()
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(self.rect(), WRAPPED, self._shown)
        painter.end()
