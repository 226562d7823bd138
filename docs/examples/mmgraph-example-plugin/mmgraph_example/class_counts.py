"""A view: how many items of each class are selected, as words; live, and at every step."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PySide6.QtWidgets import QLabel, QVBoxLayout

from mmgraph_gui.views import Changed, Table, View


class ClassCountsView(View):
    """Counts predictions of the selected items, or of all where none is selected."""

    name = "class-counts"
    title = "Class counts"
    topics: ClassVar[frozenset[str]] = frozenset({"run", "step", "items", "selection", "colour"})

    def build(self) -> None:
        self.counts = QLabel()
        self.counts.setAccessibleName("How many items of each class are predicted")
        QVBoxLayout(self.content).addWidget(self.counts)
        self._rows: list[tuple[str, int]] = []

    def render_state(self, changed: Changed) -> None:
        items, prediction = self.state.items, self.state.prediction
        if items is None or prediction is None:
            self.show_missing("predictions")
            return
        chosen = prediction.classes
        if len(self.state.selection):
            chosen = chosen[self.state.selection]
        counts = np.bincount(chosen[chosen >= 0], minlength=len(items.class_names))
        self._rows = list(zip(items.class_names, counts.tolist(), strict=False))
        self.counts.setText("\n".join(f"{name}: {count:,}" for name, count in self._rows))
        self.show_content()

    def table(self) -> Table | None:
        return ("class", "predicted"), self._rows
