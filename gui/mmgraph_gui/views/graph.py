"""Graph: nodes and edges of the graph that is learned on, laid out by springs while one watches."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
    QWidgetAction,
)

from mmgraph.runs import SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.raster import colour_parts
from mmgraph_gui.item_card import ROW_COLUMNS, describe, row_values
from mmgraph_gui.selection import EMPTY, Rows
from mmgraph_gui.state import Groups
from mmgraph_gui.views import Changed, Table
from mmgraph_gui.views.clusters import find_communities
from mmgraph_gui.views.coloured_edges import ColouredEdges, paint_coloured
from mmgraph_gui.views.edges import EdgeScene, EdgeStrength, draw_edges, edge_strength, paint_strokes
from mmgraph_gui.views.graph_layout import GraphLayout, lay_out
from mmgraph_gui.views.graph_tools import (
    attention_received,
    degrees,
    shortest_path,
    with_neighbours,
    write_graphml,
)
from mmgraph_gui.views.link_ends import LinkEnds
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.plane import PlanePath
from mmgraph_gui.views.point_cloud import Mask, PointCloud
from mmgraph_gui.views.point_view import PointView, caption_count

VECTOR_EDGES = 50_000
PLAIN, COLOURED = "Plain", "Coloured"
EXPLANATION = "explanation of "
"""How the names of layers begin that explain one item."""


class GraphView(PointView):
    """The whole graph; colours, selection and hover are those of the embedding."""

    name: ClassVar[str] = "graph"
    title: ClassVar[str] = "Graph"
    kinds: ClassVar[tuple[str, ...]] = ("graph",)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "snapshots", "step", "items", "selection", "hover", "colour", "layer"}
    )

    def build(self) -> None:
        super().build()
        self.layout_now: GraphLayout | None = None
        self._wanted: SnapshotInfo | None = None
        self._stopped = False
        self.edge_layer: str | None = None
        self.strength: EdgeStrength | None = None
        self._asked_strength: tuple[SnapshotInfo, int | None] | None = None
        self._explanations: set[str] | None = None
        self._degrees: Rows = EMPTY
        self._kept: Mask | None = None
        self._way: Rows | None = None
        self._told: tuple[Rows, str] | None = None
        self._memory: dict[str, Any] = {}
        self.again = named(QPushButton("Stop"), "Stop the layout", "Stop laying out, or lay out again")
        self.again.clicked.connect(self._stop_or_restart)
        self.controls.insertWidget(0, self.again)
        self.edge_box = named(
            QComboBox(), "Edges by", "What the edges show: that they are there, or how much they weigh"
        )
        self.edge_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.edge_box.setMinimumWidth(72)
        self.edge_box.activated.connect(self._choose_edges)
        self.explain = named(
            QPushButton("Explain"),
            "Explain the selected item",
            "Which edges its answer hangs on, in place of attention",
        )
        self.explain.clicked.connect(self._explain)
        self.fewest, self.most = (
            named(QSpinBox(), f"{word} degree", f"Show nodes with {word.lower()} so many edges")
            for word in ("At least", "At most")
        )
        for box in (self.fewest, self.most):
            box.setRange(0, 0)
            box.setKeyboardTracking(False)
            box.valueChanged.connect(lambda _: self._filter_changed())
        self.most.setSpecialValueText("any")
        for place, widget in enumerate((QLabel("Edges"), self.edge_box, self.explain), start=1):
            self.controls.insertWidget(place, widget)
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(28, 2, 12, 2)
        for widget in (QLabel("Nodes with"), self.fewest, QLabel("to"), self.most, QLabel("edges")):
            row.addWidget(widget)
        self.degree = QWidgetAction(self)
        self.degree.setDefaultWidget(line)
        self.menu.addAction(self.degree)
        self._build_tools()

    def _build_tools(self) -> None:
        tools: tuple[tuple[str, str, Callable[[], None], str], ...] = (
            (
                "Select &neighbours too",
                "K",
                self.select_neighbours,
                "Add all nodes one edge away; again for two …",
            ),
            (
                "&Path between two nodes",
                "P",
                self.find_path,
                "Select the nodes on a shortest way between two",
            ),
            (
                "Find &communities",
                "",
                self.find_communities,
                "Colour by communities, found by the method of Louvain",
            ),
            ("Colour by &attention received", "", self.colour_by_attention, "How much others look at a node"),
            ("Graph&ML…", "", self.ask_graphml, "Write the graph for Gephi, yEd or networkx"),
        )
        for text, key, do, hint in tools:
            action = self.menu.addAction(f"{text}\t{key}" if key else text, do)
            action.setToolTip(f"{hint} ({key})" if key else hint)
            if key:
                self._shortcut(key, do)

    def render_state(self, changed: Changed) -> None:
        if "run" in changed:
            self.layout_now, self._wanted = None, None
            self.edge_layer, self._explanations = None, None
            self.plane.layers.clear()
            self.plane.fitted = True
        info = self.state.snapshot_at("graph")
        if info is None:
            self._wanted = None
            self.cancel("layout")
            say_missing(self, "graph", "graph")
            return
        self.render_points(changed)
        if self._wanted != info:
            self._wanted = info
            self._lay_out(info, seed=0)
        self._follow_explanations()
        self._offer_edges()
        redraw = self._ask_strength()
        draws = {"theme", "viewport", "selection"}
        draws |= {"colour", "items"} if self._links is not None else set()
        if self.layout_now is not None and (redraw or changed & draws):
            self._draw_edges()
        if (
            "selection" in changed
            and self._way is not None
            and not np.array_equal(np.sort(self._way), self.state.selection)
        ):
            self._way = None
            self.plane.set_paths(())
        if redraw or changed & {"items", "selection"}:
            self._write_caption()
        self.explain.setEnabled(len(self.state.selection) == 1)

    def receive(self, slot: str, result: Any) -> None:
        if slot == "layout":
            if result is None:
                return
            self.layout_now = result
            self._stopped = False
            if not len(result.positions):
                self.show_message("The graph of this run has no nodes.")
                return
            self.show_content()
            self._degrees = degrees(result.edges, len(result.positions))
            self._offer_degrees()
            self.place_points(self._filtered(result))
            if result.done and self.plane.fitted:
                self.plane.show_all()
            self._offer_edges()
            self._draw_edges()
            self._write_caption()
            return
        if slot == "community":
            if result is not None:
                self.state.set_groups(*result)
                self.state.set_colour_by(result[0])
            return
        if slot == "path":
            self._show_path(result)
            return
        if slot == "strength":
            self.strength = result
            self._draw_edges()
            self._write_caption()
            return
        super().receive(slot, result)
        if slot == "edges" and result is not None:
            self.plane.set_layer("edges", result.image, result.viewport)
            self.plane.set_layer("strokes", result.strokes, result.viewport)

    def follow_viewport(self) -> None:
        super().follow_viewport()
        self._draw_edges(moving=True)

    def paint_under(self, painter: QPainter) -> None:
        now = self.layout_now
        coloured = self._coloured(now) if now is not None else None
        if now is not None and coloured is not None and self.strength is None:
            paint_coloured(
                painter, coloured, now.edges, self.plane.viewport.to_pixels(now.positions), self.plane.ratio
            )
        elif now is not None and now.edges.shape[1] <= VECTOR_EDGES:
            colour = QColor(self.theme.palette.muted)
            colour.setAlphaF(0.35 if self.strength is None else 0.15)
            painter.setPen(QPen(colour, self.plane.ratio))
            pixels = self.plane.viewport.to_pixels(now.positions)
            for source, target in now.edges.T.tolist():
                painter.drawLine(QPointF(*pixels[source]), QPointF(*pixels[target]))
            if self.strength is not None:
                paint_strokes(painter, self._scene(now), *self.strength.shown(self._selected_nodes()))

    def _lay_out(self, info: SnapshotInfo, seed: int) -> None:
        items = self.state.items
        count = len(items) if items is not None and info.items is not None else 0
        self._stopped = False
        if self.layout_now is None:
            self.show_message("Laying out the graph …")
        self.ask("layout", [info], functools.partial(lay_out, info=info, nodes=count, seed=seed))

    def _stop_or_restart(self) -> None:
        now = self.layout_now
        if now is not None and not now.done and not self._stopped:
            self.cancel("layout")
            self._stopped = True
            self._write_caption()
        elif self._wanted is not None:
            self.plane.fitted = True
            self._lay_out(self._wanted, seed=int(time.time()) % 10_000)

    def _draw_edges(self, *, moving: bool = False) -> None:
        now = self.layout_now
        if now is None:
            return
        scene = replace(self._scene(now), moving=moving, memory=self._memory)
        self.draw("edges", functools.partial(draw_edges, scene=scene))

    def _scene(self, now: GraphLayout) -> EdgeScene:
        edges = now.edges
        if self._kept is not None:
            edges = edges[:, self._kept[edges].all(axis=0)]
        return EdgeScene(
            now.positions,
            edges,
            self.plane.viewport,
            self.plane.ratio,
            colour_parts(self.theme.palette.muted),
            colour_parts(self.theme.palette.accent),
            colour_parts(self.theme.palette.background),
            self._selected_nodes(),
            self.strength,
            self._coloured(now),
        )

    # -- edges that are the items --------------------------------------------------------------------------

    @property
    def _links(self) -> Rows | None:
        """The items that the edges are; None where nodes are the items."""
        return None if self.layout_now is None else self.layout_now.rows

    def _selected_nodes(self) -> Rows:
        """Selected nodes, or the ends of selected edges."""
        cloud, selection = self.cloud, self.state.selection
        return cloud.ends(selection) if isinstance(cloud, LinkEnds) else selection

    def _coloured(self, now: GraphLayout) -> ColouredEdges | None:
        if now.rows is None:
            return None
        # A cloud knows how colours, selection and hidden classes come to items; the places of edges do not matter.
        items, palette = PointCloud(np.zeros((len(now.rows), 2)), now.rows), self.theme.palette
        colours = items.colours(
            self._colouring,
            self.theme.colours,
            colour_parts(palette.accent),
            colour_parts(palette.background),
        )
        hidden = items.hidden(self._colouring, self.state.hidden)
        return ColouredEdges(
            colours,
            items.chosen(self.state.selection),
            np.zeros(len(colours), np.bool_) if hidden is None else hidden,
        )

    def table(self) -> Table | None:
        now = self.layout_now
        if now is None or now.rows is None:
            return super().table()
        values, ends = row_values(self.state, now.rows), now.edges.T.tolist()
        return (*ROW_COLUMNS, "from", "to"), (
            (*value, *pair) for value, pair in zip(values, ends, strict=True)
        )

    # -- which nodes are shown -----------------------------------------------------------------------------

    def _offer_degrees(self) -> None:
        largest = int(self._degrees.max(initial=0))
        if self.most.maximum() != largest + 1:
            for box in (self.fewest, self.most):
                box.blockSignals(True)
                box.setMaximum(largest + 1)
                box.blockSignals(False)
            self.most.blockSignals(True)
            self.most.setMinimum(-1)
            self.most.setValue(-1)
            self.most.blockSignals(False)

    def _filtered(self, now: GraphLayout) -> PointCloud:
        """The nodes whose degree is wanted; the others have no place, and no cross either."""
        self._kept = None
        most = self.most.value() if self.most.value() >= 0 else len(self._degrees)
        if now.rows is None and (self.fewest.value() > 0 or self.most.value() >= 0):
            self._kept = (self._degrees >= self.fewest.value()) & (self._degrees <= most)
            positions = np.where(self._kept[:, None], now.positions, np.nan)
            return PointCloud(positions, np.arange(len(positions)), lost=EMPTY)
        return _cloud(now)

    def _filter_changed(self) -> None:
        if self.layout_now is not None:
            self._memory.clear()
            self.place_points(self._filtered(self.layout_now))
            self._draw_edges()
            self._write_caption()

    # -- what can be asked ---------------------------------------------------------------------------------

    def select_neighbours(self) -> None:
        """Add the nodes that an edge joins to a selected one."""
        now = self.layout_now
        if now is not None and now.rows is None and len(self.state.selection):
            self.state.select(with_neighbours(now.edges, len(now.positions), self.state.selection))

    def find_path(self) -> None:
        """Select the nodes on a shortest way between two selected ones."""
        now, chosen = self.layout_now, self.state.selection
        if now is None or now.rows is not None:
            return
        if len(chosen) != 2:
            self._tell("select two nodes first: P finds a shortest way between them")
            return
        nodes, (start, end) = len(now.positions), chosen.tolist()
        self.ask(
            "path", [], lambda _job, _snapshots: (start, end, shortest_path(now.edges, nodes, start, end))
        )

    def _show_path(self, found: tuple[int, int, Rows | None]) -> None:
        start, end, way = found
        names = f"{describe(self.state, start).name} and {describe(self.state, end).name}"
        if way is None:
            self._tell(f"no path joins {names}")
            return
        self.state.select(way)
        places = self.layout_now.positions[way] if self.layout_now is not None else np.zeros((0, 2))
        self._way = way
        self.plane.set_paths((PlanePath(places.astype(np.float64), self.theme.palette.accent, fades=False),))
        self._tell(f"{len(way) - 1} edges between {names}")

    def _tell(self, text: str) -> None:
        """Say something in front of the caption, for as long as the selection stays."""
        self._told = (self.state.selection, text)
        self._write_caption()

    def find_communities(self) -> None:
        """Colour by communities."""
        now = self.layout_now
        if now is None or now.rows is not None:
            return
        self.caption.setText("Finding communities …")
        work = functools.partial(
            find_communities, edges=now.edges, nodes=len(now.positions), processes=self.follower.processes
        )
        self.ask("community", [], work, long=True)

    def colour_by_attention(self) -> None:
        """Colour by how much others look at a node, under the chosen layer and head."""
        now, strength = self.layout_now, self.strength
        if now is None or strength is None or strength.answer is not None or now.rows is not None:
            self.caption.setText("Choose a layer of attention under Edges first.")
            return
        values = attention_received(strength.edges, strength.strength, len(now.positions))
        self.state.set_groups(
            "attention received", Groups(f"Attention, {strength.info.layer}", values=values)
        )
        self.state.set_colour_by("attention received")

    def ask_graphml(self) -> None:
        """Ask for a file and write the graph into it."""
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Write GraphML", str(Path.home() / "graph.graphml"), "GraphML (*.graphml)"
        )
        if chosen:
            self.write_graphml(Path(chosen) if Path(chosen).suffix else Path(chosen).with_suffix(".graphml"))

    def write_graphml(self, path: Path) -> None:
        """Write the graph as GraphML."""
        now, state = self.layout_now, self.state
        if now is None:
            return
        items = state.items if now.rows is None else None
        work = functools.partial(write_graphml, path, now.positions, now.edges, items, state.prediction)
        self.follower.do(work, lambda _: self.caption.setText(f"Wrote the graph to '{path}'."))

    # -- what edges weigh ----------------------------------------------------------------------------------

    def _explain(self) -> None:
        if len(self.state.selection) == 1:
            self.explain_wanted.emit(int(self.state.selection[0]))

    def _choose_edges(self, index: int) -> None:
        self.edge_layer = self.edge_box.itemData(index) if index else None
        if self.edge_layer is not None:
            self.state.set_layer("attention", self.edge_layer)
        self.request_render("layer")

    def _edge_layers(self) -> list[str]:
        """Layers of attention along edges, explanations last."""
        named_ = [layer for layer in self.state.layers("attention") if self._is_on_edges(layer)]
        return sorted(named_, key=lambda layer: layer.startswith(EXPLANATION))

    def _is_on_edges(self, layer: str) -> bool:
        info = next(iter(self.state.history("attention", layer)), None)
        return info is not None and "edges" in info.axes

    def _follow_explanations(self) -> None:
        """Show an explanation when it arrives while one looks on."""
        known = {layer for layer in self.state.layers("attention") if layer.startswith(EXPLANATION)}
        new = known - self._explanations if self._explanations is not None else set()
        self._explanations = known
        if new:
            self.edge_layer = max(new, key=lambda layer: self.state.history("attention", layer)[-1].id)
            self.state.set_layer("attention", self.edge_layer)

    def _offer_edges(self) -> None:
        choices = [PLAIN if self._links is None else COLOURED, *self._edge_layers()]
        if [self.edge_box.itemData(i) for i in range(self.edge_box.count())] != choices:
            self.edge_box.clear()
            for layer in choices:
                explained = layer.removeprefix(EXPLANATION)
                self.edge_box.addItem(layer if explained == layer else f"why {explained}", layer)
        self.edge_box.setCurrentIndex(choices.index(self.edge_layer) if self.edge_layer in choices else 0)
        self.edge_box.setEnabled(len(choices) > 1)

    def _ask_strength(self) -> bool:
        """Have the weights of the chosen layer read; whether there is something to draw again at once."""
        info = self.state.snapshot_at("attention", self.edge_layer) if self.edge_layer is not None else None
        if info is None:
            self._asked_strength = None
            self.cancel("strength")
            shown, self.strength = self.strength, None
            return shown is not None
        heads = info.shape[info.axes.index("heads")]
        head = self.state.head if self.state.head is not None and self.state.head < heads else None
        if self._asked_strength != (info, head):
            self._asked_strength = info, head
            self.ask("strength", [info], functools.partial(edge_strength, info=info, head=head))
        return False

    def _strength_parts(self, strength: EdgeStrength) -> list[str]:
        if strength.answer is None:
            into = " into the selection" if len(self.state.selection) else ""
            head = "mean of all heads" if strength.head is None else f"head {strength.head}"
            return [f"edges{into} by attention of {strength.info.layer}, {head}"]
        items, (label, probability) = self.state.items, strength.answer
        if isinstance(label, int):
            names = items.class_names if items is not None else ()
            label = names[label] if label < len(names) else f"class {label}"
        node_names = (
            f"node {node}" if self._links is not None else describe(self.state, node).name
            for node in strength.explains
        )
        asked = " – ".join(node_names)
        return [
            f"why {asked} is taken for {label} ({probability:.2f})",
            "wide edges matter most",
        ]

    def _write_caption(self) -> None:
        now = self.layout_now
        if now is None:
            return
        items = self.state.items
        nodes, edges = len(now.positions), now.edges.shape[1]
        edge = items.noun if items is not None and self._links is not None else "edge"
        parts = [
            caption_count(nodes, nodes, items.noun if items is not None and self._links is None else "node"),
            f"{edges:,} {edge}s" + (", in the colours of the legend" if self._links is not None else ""),
            now.how,
        ]
        if self._kept is not None:
            parts.append(f"{int(self._kept.sum()):,} with that many edges shown")
        if self.drawn is not None and self.drawn.hidden:
            parts.append(f"{self.drawn.hidden:,} hidden")
        if self._told is not None and self._told[0] is self.state.selection:
            parts.insert(0, self._told[1])
        busy = not now.done and not self._stopped
        if busy:
            parts.append(f"laying out: {now.step} of {now.steps}")
        elif self._stopped:
            parts.append(f"stopped at {now.step} of {now.steps}")
        if len(self.state.selection):
            parts.append(f"{len(self.state.selection):,} selected")
        if self.strength is not None:
            parts += self._strength_parts(self.strength)
        self.again.setText("Stop" if busy else "Lay out again")
        self.again.setEnabled(now.steps > 0)
        self.caption.set_parts(parts)


def _cloud(layout: GraphLayout) -> PointCloud:
    if layout.rows is None:
        return PointCloud(layout.positions, np.arange(len(layout.positions)))
    return LinkEnds(layout.positions, layout.edges, layout.rows)
