"""Which nodes of a graph are shown, by how many edges they have."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.selection import EMPTY, Rows
from mmgraph_gui.views.point_cloud import Mask


class DegreeFilter(QWidget):
    """From so many edges to so many.

    Signals:
        changed(): another range was chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._degrees: Rows = EMPTY
        self.fewest, self.most = (
            named(QSpinBox(), f"{word} degree", f"Show nodes with {word.lower()} so many edges")
            for word in ("At least", "At most")
        )
        for box in (self.fewest, self.most):
            box.setRange(0, 0)
            box.setKeyboardTracking(False)
            box.valueChanged.connect(lambda _: self.changed.emit())
        self.most.setSpecialValueText("any")
        row = QHBoxLayout(self)
        row.setContentsMargins(28, 2, 12, 2)
        for widget in (QLabel("Nodes with"), self.fewest, QLabel("to"), self.most, QLabel("edges")):
            row.addWidget(widget)

    def show_degrees(self, degrees: Rows) -> None:
        """The degrees of the nodes of a graph."""
        self._degrees = degrees
        largest = int(degrees.max(initial=0))
        if self.most.maximum() != largest + 1:
            for box in (self.fewest, self.most):
                box.blockSignals(True)
                box.setMaximum(largest + 1)
                box.blockSignals(False)
            self.most.blockSignals(True)
            self.most.setMinimum(-1)
            self.most.setValue(-1)
            self.most.blockSignals(False)

    def kept(self) -> Mask | None:
        """The nodes that are shown; None where all are."""
        if self.fewest.value() <= 0 and self.most.value() < 0:
            return None
        most = self.most.value() if self.most.value() >= 0 else len(self._degrees)
        return (self._degrees >= self.fewest.value()) & (self._degrees <= most)

    def words(self) -> str:
        """The range in words."""
        return "those with that many edges"
