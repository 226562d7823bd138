"""A widget that is drawn by hand: the same on the screen and in an exported picture."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.keys import keeps_keys


class Painted(QWidget):
    """Draws what it shows in `paint_all`, and what belongs to mouse and focus in `paint_over`.

    Attributes:
        own_keys: those that it needs while it has the focus, though the window has them for an action.
    """

    own_keys: ClassVar[Collection[Qt.Key]] = ()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint_all(self, painter: QPainter) -> None:
        """Everything, onto whatever is given: the screen, or the file of an export."""
        raise NotImplementedError

    def paint_over(self, painter: QPainter) -> None:
        """What is seen on the screen only."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_all(painter)
        self.paint_over(painter)
        painter.end()

    def event(self, event: QEvent) -> bool:
        return keeps_keys(event, self.own_keys) or super().event(event)
