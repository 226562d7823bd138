"""Search among the items: by words as they are typed, or the nearest neighbours of one item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QSpinBox, QWidget

from mmgraph.analysis import similar_items
from mmgraph.analysis.neighbours import NeighbourMetric
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.views.shortened import ShortBox

METRICS: dict[NeighbourMetric, str] = {
    "euclidean": "By the length of the difference of two vectors",
    "cosine": "By the angle between two vectors",
}
MOST_NEIGHBOURS = 1000
HINT = (
    "Words of ids, classes and texts (/); id:, label:, split: and text: look in one place only. "
    "Enter selects what fits, Escape empties the field. After like: Enter asks the model for what fits by meaning."
)
LIKE = "like:"


@dataclass(frozen=True, eq=False)
class Nearest:
    """An item and its neighbours.

    Args:
        rows: the item itself, then its neighbours, nearest first.
        distances: of each.
        info: the vectors in which they were found.
    """

    rows: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float64]
    info: SnapshotInfo
    metric: NeighbourMetric


def find_nearest(
    _job: Job | None,
    snapshots: tuple[Snapshot, ...],
    *,
    info: SnapshotInfo,
    item: int,
    k: int,
    metric: NeighbourMetric,
) -> Nearest:
    """Search the vectors of a snapshot; in a worker thread.

    Raises:
        InputError: the item has no vector.
    """
    snapshot = snapshots[0]
    found = similar_items(snapshot.array, item, k, rows=snapshot.extras.get("rows"), metric=metric)
    return Nearest(np.append(item, found.indices), np.append(0.0, found.distances), info, metric)


class SearchField(QLineEdit):
    """A field that Escape empties.

    Signals:
        left(): Escape was pressed while it was empty.
    """

    left = Signal()

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and event.type() == QEvent.Type.ShortcutOverride
        ):
            event.accept()  # else the window clears the selection
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.text():
            self.clear()
        else:
            self.left.emit()


class ItemSearch(QWidget):
    """The field, the button for neighbours, how many, and by which distance.

    Signals:
        changed(): other words, another number or another distance.
        entered(): Enter was pressed in the field.
        near_wanted(bool): neighbours are wanted, or no longer.
        meant(text): items that fit a text by its meaning are wanted.
    """

    changed = Signal()
    entered = Signal()
    near_wanted = Signal(bool)
    meant = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = named(SearchField(), "Search items", HINT)
        self.field.setPlaceholderText("Search id, label, text")
        self.field.setClearButtonEnabled(True)
        self.field.setMinimumWidth(90)
        self.near = named(
            QPushButton("Nearest"),
            "Nearest neighbours",
            "Find the nearest neighbours of the selected item, exactly, in the chosen embedding at this step (N)",
        )
        self.near.setCheckable(True)
        self.k_box = named(QSpinBox(), "How many neighbours")
        self.k_box.setRange(1, MOST_NEIGHBOURS)
        self.k_box.setValue(10)
        self.metric_box = named(ShortBox(), "Distance of neighbours")
        self.metric_box.offer({name: (name, words) for name, words in METRICS.items()})
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.field, 1)
        self.meaning = named(
            QPushButton("By meaning"),
            "Search by meaning",
            "Ask the model which items fit what was typed (like:)",
        )
        self.meaning.clicked.connect(self._mean)
        self.meaning.hide()
        layout.addWidget(self.meaning)
        for widget in (self.near, QLabel("k"), self.k_box, self.metric_box):
            layout.addWidget(widget)
        self.field.textChanged.connect(lambda _: self.changed.emit())
        self.field.returnPressed.connect(self._enter)
        self.near.clicked.connect(self.near_wanted)
        self.k_box.valueChanged.connect(lambda _: self.changed.emit())
        self.metric_box.activated.connect(lambda _: self.changed.emit())

    def offer_meaning(self, on: bool) -> None:
        """Whether the run's model finds items of one modality by another."""
        self.meaning.setVisible(on)

    def _enter(self) -> None:
        if self.field.text().strip().lower().startswith(LIKE):
            self._mean()
        else:
            self.entered.emit()

    def _mean(self) -> None:
        text = self.field.text().strip()
        text = text[len(LIKE) :].strip() if text.lower().startswith(LIKE) else text
        if text:
            self.meant.emit(text)

    @property
    def words(self) -> str:
        """What was typed to filter by; nothing while it is meant for the model."""
        text = self.field.text().strip()
        return "" if text.lower().startswith(LIKE) else text

    @property
    def measure(self) -> NeighbourMetric:
        """The chosen distance."""
        return cast("NeighbourMetric", self.metric_box.currentText())
