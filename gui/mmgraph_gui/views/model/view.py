"""Model: layers, how they are wired, and how weights, gradients or activations of one are spread over time."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QSplitter,
    QTabWidget,
    QVBoxLayout,
)

from mmgraph.runs import Snapshot, read_structure
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.raster import Drawing
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state.snapshot_index import HISTOGRAMS
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.control_line import Word
from mmgraph_gui.views.model.histogram_history import MOST_STEPS, HistogramHistory, spread_history
from mmgraph_gui.views.model.table import NamedRows
from mmgraph_gui.views.model.wiring import WiringDiagram
from mmgraph_gui.views.model.wiring_picture import Wiring, shape_text
from mmgraph_gui.views.shortened import ShortBox

LAYER_KINDS = ("filters", "feature_maps", "embedding", "attention")
"""Kinds of which a click on a layer chooses the layer in the other views."""
FEWEST_COLUMNS = 110
"""Of letters in a view that has its tables beside the wiring."""
HEADINGS = ("layer", "type", "output", "parameters", "FLOPs", "time (ms)")


@dataclass(frozen=True)
class ModelLook:
    """How one looks at a model.

    Args:
        layer: that is chosen.
        what: is shown of its values over time.
        diagram: zoom and middle of the wiring; None for all of it.
    """

    layer: str
    what: str
    diagram: tuple[float, QPointF] | None


class ModelView(View):
    """A click on a layer shows its filters, feature maps and embedding in the other views, where they are recorded."""

    name: ClassVar[str] = "model"
    look_kind: ClassVar[Any] = ModelLook
    title: ClassVar[str] = "Model"
    kinds: ClassVar[tuple[str, ...]] = (HISTOGRAMS,)
    topics: ClassVar[frozenset[str]] = frozenset({"run", "snapshots", "step", "events"})

    def build(self) -> None:
        self.layer = ""
        self.caption = Caption()
        self.wiring: Wiring | None = None
        self._read: tuple[Path | None, int, int] | None = None
        self._history: tuple[str, str, int] | None = None
        self.diagram = named(
            WiringDiagram(self.theme),
            "Wiring of the model",
            "Click a layer; the wheel zooms, F shows all of it",
        )
        self.setFocusProxy(self.diagram)
        self.diagram.chosen.connect(self.choose)
        self.diagram.pointed.connect(self._say_box)
        self.diagram.looked.connect(self.looked)
        self.layers = self._table(HEADINGS, "Layers")
        self.connections = self._table(("from", "to", "on the way"), "Connections")
        self.tables = named(QTabWidget(), "Tables")
        self.tables.addTab(self.layers, "Layers")
        self.tables.addTab(self.connections, "Connections")
        self.what_box = named(
            ShortBox(), "What is spread", "Weights of the layer, their gradients, or its activations"
        )
        self.what_box.activated.connect(self._choose_what)
        self.spread = named(
            HistogramHistory(self.theme), "Spread over time", "Click a column to go to its step"
        )
        self.spread.pointed.connect(lambda text: self.caption.setText(text or self._whole()))
        self.spread.step_chosen.connect(self.state.set_step)
        self.controls.addWidget(Word("Spread of"))
        self.controls.addWidget(self.what_box)
        self.controls.addStretch(1)
        self._body, self._pair = QSplitter(), QSplitter()
        for splitter in (self._body, self._pair):
            splitter.setChildrenCollapsible(False)
        self._narrow: bool | None = None
        self._arrange()
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._body, 1)
        layout.addWidget(self.caption)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Tables beside the wiring, or below it where they would have no room for names and numbers."""
        narrow = self.width() < self.fontMetrics().averageCharWidth() * FEWEST_COLUMNS
        if narrow == self._narrow:
            return
        self._narrow = narrow
        body, pair = self._body, self._pair
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        body.setOrientation(down if narrow else across)
        pair.setOrientation(across if narrow else down)
        pair.insertWidget(0, self.diagram if narrow else self.tables)
        pair.insertWidget(1, self.spread)
        body.insertWidget(0, pair if narrow else self.diagram)
        body.insertWidget(1, self.tables if narrow else pair)
        for splitter in (body, pair):
            splitter.setSizes([3, 2])
            splitter.setStretchFactor(0, 3)
            splitter.setStretchFactor(1, 2)
        self.caption.setText(self._whole())

    def render_state(self, changed: Changed) -> None:
        state = self.state
        if "run" in changed:
            self.wiring, self._read, self._history, self.layer = None, None, None, ""
        if state.path is None:
            self.show_missing("model")
            return
        grown = sum(event.kind == "growth" for event in state.events)
        wanted = (state.path, grown, min(len(state.steps()), 1))
        if wanted != self._read:
            self._read = wanted
            self.ask("structure", [], functools.partial(_read_wiring, folder=state.path))
        if "theme" in changed:
            self.diagram.update()
            self.spread.restyle()
        self.spread.show_step(state.step)
        self._ask_history()

    def receive(self, slot: str, result: Any) -> None:
        if slot == "history":
            self.spread.show_history(result)
            self.caption.setText(self._whole())
            return
        if result is None:
            self.show_missing("structure of its model")
            return
        self.wiring = result
        self.diagram.show_wiring(result)
        structure = result.structure
        self.layers.show_rows([_layer_row(layer, structure.items) for layer in structure.layers])
        self.connections.show_rows([(one.source, one.target, one.through) for one in structure.connections])
        self.show_content()
        self.diagram.setVisible(bool(result.names))
        if not any(layer.name == self.layer for layer in structure.layers):
            first = next(
                (layer.name for layer in structure.layers if layer.parameters and not layer.inside), ""
            )
            self.choose(first, everywhere=False)
        self.caption.setText(self._whole())

    def choose(self, name: str, *, everywhere: bool = True) -> None:
        """Show a layer here, and in the views that know something of it."""
        self.diagram.show_layer(name)
        self.layer = name = name.partition("#")[0]
        for row, values in enumerate(self.layers.rows):
            if values[0] == name and self.layers.currentIndex().row() != row:
                self.layers.selectRow(row)
        if everywhere:
            layers = {
                kind: known
                for kind in LAYER_KINDS
                for known in (name, f"{name}.input")
                if known in self.state.layers(kind)
            }
            self.state.set_layers(layers)
        self._ask_history()
        self._say_box(name)
        if everywhere:
            self.looked.emit()

    def look(self) -> ModelLook:
        return ModelLook(self.layer, self.what_box.currentText(), self.diagram.look())

    def look_at(self, look: ModelLook) -> None:
        known = self.wiring is not None and (
            look.layer in self.wiring.names or self.wiring.layer(look.layer) is not None
        )
        if look.layer != self.layer and known:
            self.choose(look.layer, everywhere=False)
        self.what_box.setCurrentIndex(max(self.what_box.findText(look.what), 0))
        self.diagram.look_at(look.diagram)
        self._ask_history()

    def table(self) -> Table | None:
        if self.wiring is None:
            return None
        items = self.wiring.structure.items
        return HEADINGS, [_layer_row(layer, items) for layer in self.wiring.structure.layers]

    def vector_source(self) -> Drawing | None:
        return self.diagram.drawing()

    def _table(self, headings: Sequence[str], name: str) -> NamedRows:
        table = named(NamedRows(headings, whole=("output",)), name)
        table.selectionModel().currentRowChanged.connect(lambda now, _: self._row_chosen(table, now.row()))
        return table

    def _row_chosen(self, table: NamedRows, row: int) -> None:
        if 0 <= row < len(table.rows):
            name = table.rows[row][0 if table is self.layers else 1]
            if name.partition("#")[0] != self.layer:
                self.choose(name)

    def _choose_what(self) -> None:
        self.request_render("control")
        self.looked.emit()

    def _ask_history(self) -> None:
        whats = self.state.layers(HISTOGRAMS)
        if [self.what_box.itemData(place) for place in range(self.what_box.count())] != whats:
            chosen = self.what_box.currentText()
            self.what_box.clear()
            for layer in whats:
                self.what_box.addItem(layer.partition("/")[2].capitalize(), layer)
            self.what_box.setCurrentIndex(max(self.what_box.findText(chosen), 0))
        self.what_box.setEnabled(bool(whats))
        what = self.what_box.currentData()
        infos = self.state.history(HISTOGRAMS, what) if what else []
        asked = (what or "", self.layer, len(infos))
        if asked == self._history:
            return
        self._history = asked
        if not infos or not self.layer:
            self.spread.show_history(None)
            return
        kept = infos[:: -(-len(infos) // MOST_STEPS)]
        steps = [info.step for info in kept]
        self.ask("history", kept, functools.partial(_history, steps=steps, layer=self.layer, of=len(infos)))

    def _say_box(self, name: str) -> None:
        layer = None if self.wiring is None else self.wiring.layer(name)
        if layer is None or self.wiring is None:
            self.caption.setText(name or self._whole())
            return
        parts = [
            layer.name,
            layer.type,
            f"gives {shape_text(layer, self.wiring.structure.items) or 'nothing seen'}",
        ]
        parts.append(f"{layer.parameters:,} parameters")
        if layer.flops:
            parts.append(f"{layer.flops:,} FLOPs")
        if layer.seconds is not None:
            parts.append(f"{layer.seconds * 1000:.2f} ms")
        if layer.runs > 1:
            parts.append(f"runs {layer.runs} times")
        self.caption.set_parts(parts)

    def _whole(self) -> str:
        if self.wiring is None:
            return ""
        structure = self.wiring.structure
        whole = next((layer for layer in structure.layers if layer.name == "model"), None)
        parts = []
        if whole is not None:
            parts.append(
                f"{whole.type}: {whole.parameters:,} parameters in {len(structure.layers) - 1} layers"
            )
            if whole.flops:
                of = f" for {structure.items} items (n)" if structure.items else ""
                parts.append(f"{whole.flops:,} FLOPs{of}")
        if structure.remark:
            parts.append(structure.remark)
        shown = self.spread.shown
        if shown is not None:
            sampled = f", {len(shown.steps)} of {shown.of} steps" if len(shown.steps) < shown.of else ""
            where = "beside it" if self._narrow else "right, below"
            parts.append(f"{where}: {shown.what} of {shown.layer} over time{sampled}")
        elif self.layer:
            what = self.what_box.currentText().lower() or "weights"
            parts.append(f"nothing was recorded of how the {what} of {self.layer} are spread")
        return "  ·  ".join(parts)


def _read_wiring(_job: Job | None, _snapshots: tuple[Snapshot, ...], *, folder: Path) -> Wiring | None:
    structure = read_structure(folder)
    return None if structure is None else Wiring.of(structure)


def _history(
    _job: Job | None, snapshots: tuple[Snapshot, ...], *, steps: list[int], layer: str, of: int
) -> Any:
    return spread_history(snapshots, steps, layer, of)


def _layer_row(layer: Any, items: int | None) -> tuple[Any, ...]:
    time = None if layer.seconds is None else layer.seconds * 1000
    return layer.name, layer.type, shape_text(layer, items), layer.parameters, layer.flops, time
