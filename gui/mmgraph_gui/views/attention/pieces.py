"""Pictures in pieces, of which one is current: heads, words, queries."""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.painted import Painted
from mmgraph_gui.drawing.theme import Theme

Piece = TypeVar("Piece")


class Pieces(Painted, Generic[Piece]):
    """The piece under the mouse is current, or the one that keys have gone to.

    Attributes:
        current: the piece; None for none.

    Signals:
        pointed(current): another piece is current.
    """

    pointed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.current: Piece | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)

    def piece_at(self, at: QPointF) -> Piece | None:
        """The piece under a place of the widget."""
        raise NotImplementedError

    def go_to(self, piece: Piece | None) -> None:
        """Make a piece current, or none."""
        if piece != self.current:
            self.current = piece
            self.pointed.emit(piece)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, 360)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.go_to(self.piece_at(event.position()))

    def leaveEvent(self, event: object) -> None:
        self.go_to(None)


def next_in_ring(current: int | None, by: int, count: int) -> int:
    """So many further on in a ring; from none to the first, or backwards to the last."""
    start = (0 if by > 0 else -1) if current is None else current + by
    return start % count
