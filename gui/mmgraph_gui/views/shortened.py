"""Choosers and labels that give way in a narrow window: shortened words end in …, and are whole in the tool tip."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QWidget,
)

FEWEST_LETTERS = 5
"""So many are written however narrow the window is."""


class ShortBox(QComboBox):
    """A combo box as wide as the word that is chosen, or narrower; its list is as wide as the longest."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currentTextChanged.connect(lambda _: self.updateGeometry())

    def offer(self, choices: Mapping[str, tuple[str, str]]) -> None:
        """Add choices: by what the program calls each, what is written and what the tool tip says."""
        for key, (text, hint) in choices.items():
            self.addItem(text, key)
            self.setItemData(self.count() - 1, hint, Qt.ItemDataRole.ToolTipRole)

    @property
    def shown(self) -> str:
        """What is written."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        metrics = self.fontMetrics()
        return metrics.elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room.width() - 4)

    def sizeHint(self) -> QSize:
        return self._size_of(self.currentText())

    def minimumSizeHint(self) -> QSize:
        return self._size_of(self.currentText()[:FEWEST_LETTERS]).boundedTo(self.sizeHint())

    def _size_of(self, text: str) -> QSize:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        metrics = self.fontMetrics()
        words = QSize(metrics.horizontalAdvance(f"{text}…") + 4, metrics.height())
        size = self.style().sizeFromContents(QStyle.ContentsType.CT_ComboBox, option, words, self)
        return QSize(size.width(), super().sizeHint().height())

    def showPopup(self) -> None:
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 2 * self.fontMetrics().height())
        super().showPopup()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = self.shown
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def event(self, event: QEvent) -> bool:
        text = self.currentText()
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self.shown != text:
            QToolTip.showText(event.globalPos(), f"{text}\n{self.toolTip()}".strip(), self)
            return True
        return super().event(event)


class ShortLabel(QLabel):
    """A line of plain text."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def shown(self) -> str:
        """What is written."""
        room = self.contentsRect().width()
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, self.shown)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QHelpEvent)
            and event.type() == QEvent.Type.ToolTip
            and self.shown != self.text()
        ):
            QToolTip.showText(event.globalPos(), self.text(), self)
            return True
        return super().event(event)
