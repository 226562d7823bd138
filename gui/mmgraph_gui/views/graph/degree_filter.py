"""Which nodes of a graph are shown, by how many edges they have: a range over a histogram of degrees."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSpinBox, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state.selection import EMPTY, Rows
from mmgraph_gui.views.graph.degree_bars import DegreeBars
from mmgraph_gui.views.points.cloud import Mask


class DegreeFilter(QWidget):
    """A strip with the histogram and a field for each end of the range. While it is hidden all nodes are shown.

    Signals:
        changed(): another range was chosen.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._degrees: Rows = EMPTY
        self.bars = DegreeBars(theme)
        self.bars.dragged.connect(self._take)
        self.fewest, self.most = (
            named(QSpinBox(), f"{word} degree", f"Show nodes with {word.lower()} so many edges")
            for word in ("At least", "At most")
        )
        for box in (self.fewest, self.most):
            box.setRange(0, 0)
            box.setKeyboardTracking(False)
        self.fewest.valueChanged.connect(lambda low: self._take(low, max(low, self.most.value())))
        self.most.valueChanged.connect(lambda high: self._take(min(high, self.fewest.value()), high))
        self.everything = named(
            QPushButton("All"), "Nodes of any degree", "Show nodes with any number of edges"
        )
        self.everything.clicked.connect(lambda: self._take(0, self.most.maximum()))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Degree"))
        row.addWidget(self.fewest)
        row.addWidget(self.bars, 1)
        row.addWidget(self.most)
        row.addWidget(self.everything)

    def show_degrees(self, degrees: Rows) -> None:
        """The degrees of the nodes of a graph; an end of the range that nobody has moved stays an end."""
        largest, before = int(degrees.max(initial=0)), self.most.maximum()
        low, high = self.limits
        self._degrees = degrees
        self.bars.show_degrees(degrees)
        self._limit(largest)
        self._set(min(low, largest), largest if high >= before else min(high, largest))

    @property
    def limits(self) -> tuple[int, int]:
        """Fewest and most edges of a node that is shown."""
        return self.fewest.value(), self.most.value()

    def chosen(self) -> list[int | bool | None]:
        """Whether it is shown, the fewest and the most; None for as many as there are."""
        low, high = self.limits
        return [not self.isHidden(), low, None if high >= self.most.maximum() else high]

    def choose(self, chosen: list[int | bool | None]) -> bool:
        """Choose a range; whether it shall be shown is for its parent to do."""
        match chosen:
            case [bool(shown), int(low), int() | None as high]:
                # Before a graph is there nobody knows how many edges a node may have.
                self._limit(max(self.most.maximum(), low, -1 if high is None else high + 1))
                self._set(max(low, 0), self.most.maximum() if high is None else max(high, 0))
                return shown
        return not self.isHidden()

    def kept(self) -> Mask | None:
        """The nodes that are shown; None where all are."""
        low, high = self.limits
        if self.isHidden() or (low <= 0 and high >= self.most.maximum()):
            return None
        return (self._degrees >= low) & (self._degrees <= high)

    def words(self) -> str:
        """The range in words."""
        low, high = self.limits
        if low == high:
            return f"degree {low:,}"
        return f"degree {low:,} or more" if high >= self.most.maximum() else f"degree {low:,} to {high:,}"

    def _take(self, low: int, high: int) -> None:
        self._set(low, high)
        self.changed.emit()

    def _limit(self, largest: int) -> None:
        for box in (self.fewest, self.most):
            box.blockSignals(True)
            box.setMaximum(largest)
            box.blockSignals(False)

    def _set(self, low: int, high: int) -> None:
        for box, value in ((self.fewest, low), (self.most, high)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self.bars.set_limits(low, high)
        self.everything.setEnabled(low > 0 or high < self.most.maximum())
