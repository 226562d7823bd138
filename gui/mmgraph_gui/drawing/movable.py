"""A drawing that is larger than its widget: the wheel zooms, dragging moves it, F fits it in."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.theme import Theme

CLICK_DISTANCE = 4
"""Pixels that the mouse may move between press and release of a click."""


class Movable(Painted):
    """What mouse and keys do is the same for all; what is drawn, and where, is up to each.

    Signals:
        looked(): somebody moved or zoomed it, or asked for all of it.
    """

    looked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._pressed: QPointF | None = None
        self._dragged = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to move."""
        raise NotImplementedError

    def fit(self) -> None:
        """Show all of it."""
        raise NotImplementedError

    def zoom(self, at: QPointF, factor: float) -> None:
        """Make it larger about a place of the widget."""
        raise NotImplementedError

    def shift(self, by: QPointF) -> None:
        """Move it by so many pixels."""
        raise NotImplementedError

    def point_at(self, at: QPointF | None) -> None:
        """The mouse is at a place, or has left."""
        raise NotImplementedError

    def click_at(self, at: QPointF) -> None:
        """A place was clicked."""
        raise NotImplementedError

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.is_empty:
            self.zoom(event.position(), 1.0015 ** event.angleDelta().y())
            self.update()
            self.looked.emit()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pressed is None:
            self.point_at(at)
            return
        by = at - self._pressed
        if self._dragged or by.manhattanLength() >= CLICK_DISTANCE:
            self._pressed, self._dragged = at, True
            if not self.is_empty:
                self.shift(by)
                self.update()
                self.looked.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and not self._dragged:
            self.click_at(event.position())
        self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()
        self.looked.emit()

    def leaveEvent(self, event: object) -> None:
        self.point_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F:
            self.fit()
            self.looked.emit()
        else:
            super().keyPressEvent(event)
