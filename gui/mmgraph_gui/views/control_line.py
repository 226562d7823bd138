"""The line of choosers above the content of a view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayoutItem, QWidget


class Word(QLabel):
    """Says what the chooser after it is for; gives way where the line is narrow."""


class Rows(QHBoxLayout):
    """Widgets side by side; in several rows where one has not room for all of them at their smallest."""

    def one_row(self) -> int:
        """Pixels from which all fit side by side."""
        return super().minimumSize().width()

    def minimumSize(self) -> QSize:
        widest = max((item.minimumSize().width() for item in self._items()), default=0)
        return QSize(widest, super().minimumSize().height())

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        if width >= self.one_row():
            return self.sizeHint().height()
        rows = self._rows(width)
        return sum(map(_height, rows)) + self._gap * (len(rows) - 1)

    def minimumHeightForWidth(self, width: int) -> int:
        return self.heightForWidth(width)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        if rect.width() >= self.one_row():
            return
        y = rect.y()
        for row in self._rows(rect.width()):
            self._place(row, QRect(rect.x(), y, rect.width(), _height(row)))
            y += _height(row) + self._gap

    @property
    def _gap(self) -> int:
        return max(self.spacing(), 0)

    def _items(self) -> list[QLayoutItem]:
        """What takes room: nothing that is hidden, no stretch."""
        items = (self.itemAt(place) for place in range(self.count()))
        return [item for item in items if item is not None and not item.isEmpty()]

    def _rows(self, width: int) -> list[list[QLayoutItem]]:
        """A label that says what the chooser after it is for goes to the next row with it."""
        rows: list[list[QLayoutItem]] = [[]]
        room = width
        for item in self._items():
            needed = item.minimumSize().width()
            if rows[-1] and needed > room:
                label = rows[-1][-1]
                lead = label.minimumSize().width() + self._gap
                goes = isinstance(label.widget(), QLabel) and len(rows[-1]) > 1 and lead + needed <= width
                rows.append([rows[-1].pop()] if goes else [])
                room = width - (lead if goes else 0)
            rows[-1].append(item)
            room -= needed + self._gap
        return rows

    def _place(self, row: list[QLayoutItem], rect: QRect) -> None:
        """Each as wide as it wants to be, as far as the row has room; what can grow takes the rest."""
        widths = [item.minimumSize().width() for item in row]
        wanted = [max(item.sizeHint().width() - least, 0) for item, least in zip(row, widths, strict=True)]
        left = rect.width() - sum(widths) - self._gap * (len(row) - 1)
        share = min(left / max(sum(wanted), 1), 1.0)
        widths = [least + int(more * share) for least, more in zip(widths, wanted, strict=True)]
        left = max(rect.width() - sum(widths) - self._gap * (len(row) - 1), 0)
        growing = [bool(item.expandingDirections() & Qt.Orientation.Horizontal) for item in row]
        x = rect.x()
        for item, width, grows in zip(row, widths, growing, strict=True):
            whole = width + (left // sum(growing) if grows else 0)
            item.setGeometry(QRect(x, rect.y(), whole, rect.height()))
            x += whole + self._gap


def _height(row: list[QLayoutItem]) -> int:
    return max((item.sizeHint().height() for item in row), default=0)


class ControlLine(QWidget):
    """Choosers side by side. Where there is not room for all, the words between them go first; then rows are made."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choosers = Rows(self)
        self.choosers.setContentsMargins(0, 0, 0, 0)

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
        whole = self.choosers.one_row() + self._room_of_hidden()
        for word in self._words():
            word.setVisible(self.width() >= whole)

    def _room_of_hidden(self) -> int:
        """Pixels of the words that have given way."""
        words = [word for word in self._words() if word.isHidden()]
        return sum(word.sizeHint().width() + max(self.choosers.spacing(), 0) for word in words)

    def _words(self) -> list[Word]:
        return self.findChildren(Word)
