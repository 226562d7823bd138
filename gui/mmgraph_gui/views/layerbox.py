"""A combo box that chooses the layer of a kind of snapshot for every view that shows that kind."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from mmgraph_gui.state import AppState
from mmgraph_gui.views.shortened import ShortBox

WIDEST = 110
"""Up to here a layer's name is written out, however narrow the view."""


class LayerBox(ShortBox):
    """Shows `state.layers(kind)`; call `refresh` at the start of a view's `render_state`."""

    def __init__(self, state: AppState, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._kind = state, kind
        self.setAccessibleName(f"Layer of {kind.replace('_', ' ')}")
        self.activated.connect(lambda _: state.set_layer(kind, self.currentText()))

    def refresh(self) -> None:
        """List the layers there are now, with the chosen one on top."""
        layers = self._state.layers(self._kind)
        if [self.itemText(i) for i in range(self.count())] != layers:
            self.clear()
            self.addItems(layers)
        self.setCurrentText(self._state.layer(self._kind) or "")
        self.setMinimumWidth(min(self.sizeHint().width(), WIDEST))
        self.setToolTip(f"Which layer is shown: {self.currentText()}")
        self.setEnabled(bool(layers))
