"""Chooser of what the edges of a graph show: that they are there, how much they weigh, or why an answer was given."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from mmgraph.runs import SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.state import AppState
from mmgraph_gui.views.shortened import ShortBox

EXPLANATION = "explanation of "
"""How the names of layers begin that explain one item."""


class EdgeChoice(ShortBox):
    """Lists the layers of attention along edges, explanations last; one that arrives is chosen.

    Attributes:
        layer: the chosen layer; None where edges do not weigh anything.

    Signals:
        chosen(): somebody chose.
    """

    chosen = Signal()

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "Edges by", "What the edges show: that they are there, or how much they weigh")
        self._state = state
        self.forget()
        self.activated.connect(self._choose)

    def forget(self) -> None:
        """Another run."""
        self.layer: str | None = None
        self._explanations: set[str] | None = None

    def refresh(self, plain: str) -> None:
        """List what there is; `plain` is what edges are that weigh nothing."""
        self._follow_explanations()
        choices = [plain, *self._layers()]
        if [self.itemData(i) for i in range(self.count())] != choices:
            self.clear()
            for layer in choices:
                explained = layer.removeprefix(EXPLANATION)
                self.addItem(layer if explained == layer else f"why {explained}", layer)
        self.setCurrentIndex(choices.index(self.layer) if self.layer in choices else 0)
        self.setEnabled(len(choices) > 1)

    def options(self) -> list[tuple[str, str | None]]:
        """(words, layer) of each choice."""
        return [(self.itemText(i), self.itemData(i) if i else None) for i in range(self.count())]

    @property
    def has_attention(self) -> bool:
        """Whether there is a layer of attention along edges to choose."""
        return any(not layer.startswith(EXPLANATION) for layer in self._layers())

    def wanted(self) -> tuple[SnapshotInfo, int | None] | None:
        """The snapshot of the chosen layer at this step, and the head, None for the mean of all."""
        state = self._state
        info = state.snapshot_at("attention", self.layer) if self.layer is not None else None
        if info is None:
            return None
        heads = info.shape[info.axes.index("heads")]
        return info, state.head if state.head is not None and state.head < heads else None

    def _choose(self, index: int) -> None:
        self.layer = self.itemData(index) if index else None
        if self.layer is not None:
            self._state.set_layer("attention", self.layer)
        self.chosen.emit()

    def _layers(self) -> list[str]:
        found = [layer for layer in self._state.layers("attention") if self._is_on_edges(layer)]
        return sorted(found, key=lambda layer: layer.startswith(EXPLANATION))

    def _is_on_edges(self, layer: str) -> bool:
        info = next(iter(self._state.history("attention", layer)), None)
        return info is not None and "edges" in info.axes

    def _follow_explanations(self) -> None:
        """Show an explanation when it arrives while one looks on."""
        known = {layer for layer in self._state.layers("attention") if layer.startswith(EXPLANATION)}
        new = known - self._explanations if self._explanations is not None else set()
        self._explanations = known
        if new:
            self.layer = max(new, key=lambda layer: self._state.history("attention", layer)[-1].id)
            self._state.set_layer("attention", self.layer)
