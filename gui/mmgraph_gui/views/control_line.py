"""The line of choosers above the content of a view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget


class Word(QLabel):
    """Says what the chooser after it is for; gives way where the line is narrow."""


class ControlLine(QWidget):
    """Choosers side by side. Where there is not room for all, the words between them go first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choosers = QHBoxLayout(self)
        self.choosers.setContentsMargins(0, 0, 0, 0)

    def minimumSizeHint(self) -> QSize:
        size = super().minimumSizeHint()
        return QSize(size.width() - self._room_of(given_way=False), size.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()  # what grew while it was hidden has been laid out by now, and no request is left to tell of it

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return done

    def _fit(self) -> None:
        whole = super().minimumSizeHint().width() + self._room_of(given_way=True)
        for word in self._words():
            word.setVisible(self.width() >= whole)

    def _room_of(self, *, given_way: bool) -> int:
        """Pixels of the words that have given way, or of those that have not."""
        words = [word for word in self._words() if word.isHidden() == given_way]
        return sum(word.sizeHint().width() + max(self.choosers.spacing(), 0) for word in words)

    def _words(self) -> list[Word]:
        return self.findChildren(Word)
