"""Graph: nodes and edges of the graph that is learned on, laid out by springs while one watches."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from PySide6.QtGui import QAction, QPainter
from PySide6.QtWidgets import QPushButton

from mmgraph.runs import SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.raster import colour_parts
from mmgraph_gui.state.selection import EMPTY, Rows
from mmgraph_gui.views import Changed, Table
from mmgraph_gui.views.choosers import Chooser
from mmgraph_gui.views.control_line import Word
from mmgraph_gui.views.graph.coloured_edges import ColouredEdges
from mmgraph_gui.views.graph.degree_filter import DegreeFilter
from mmgraph_gui.views.graph.edge_choice import EdgeChoice
from mmgraph_gui.views.graph.edges import EdgeScene, EdgeStrength, draw_edges, edge_strength
from mmgraph_gui.views.graph.layout import GraphLayout, lay_out
from mmgraph_gui.views.graph.link_ends import LinkEnds
from mmgraph_gui.views.graph.questions import SLOTS, GraphQuestions
from mmgraph_gui.views.graph.tools import degrees
from mmgraph_gui.views.graph.vectors import paint_edges
from mmgraph_gui.views.graph.words import graph_words
from mmgraph_gui.views.item_card import ROW_COLUMNS, row_values
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.points.cloud import Mask, PointCloud
from mmgraph_gui.views.points.view import PointView

PLAIN, COLOURED = "Plain", "Coloured"


class GraphView(PointView):
    """The whole graph; colours, selection and hover are those of the embedding."""

    name: ClassVar[str] = "graph"
    title: ClassVar[str] = "Graph"
    kinds: ClassVar[tuple[str, ...]] = ("graph",)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "snapshots", "step", "items", "selection", "hover", "colour", "layer"}
    )
    keys: ClassVar[tuple[tuple[str, str], ...]] = (
        *PointView.keys,
        ("D", "Show only nodes with so many edges; again for all"),
        ("K", "Select the nodes one edge away, too; again for two …"),
        ("P", "Select the nodes on a shortest way between two"),
    )

    def build(self) -> None:
        super().build()
        self.layout_now: GraphLayout | None = None
        self._wanted: SnapshotInfo | None = None
        self._busy = False
        self.strength: EdgeStrength | None = None
        self._asked_strength: tuple[SnapshotInfo, int | None] | None = None
        self._kept: Mask | None = None
        self._memory: dict[str, Any] = {}
        self.again = named(QPushButton("Stop"), "Stop the layout", "Stop laying out, or lay out again")
        self.again.clicked.connect(self._stop_or_restart)
        self.controls.insertWidget(0, self.again)
        self.edge_box = EdgeChoice(self.state)
        self.edge_box.chosen.connect(lambda: self.request_render("layer"))
        self.explain = named(
            QPushButton("Explain"),
            "Explain the selected item",
            "Which edges its answer hangs on, in place of attention",
        )
        self.explain.clicked.connect(self._explain)
        for place, widget in enumerate((Word("Edges"), self.edge_box, self.explain), start=1):
            self.controls.insertWidget(place, widget)
        self.degrees = DegreeFilter(self.theme)
        self.degrees.changed.connect(self._filter_changed)
        self.degrees.hide()
        self.rows_above.addWidget(self.degrees)
        self.by_degree = self.add_tool(
            "Filter by &degree", "D", self._toggle_degrees, "Show only nodes with so many edges"
        )
        self.by_degree.setCheckable(True)
        self.questions = GraphQuestions(self)
        self.choosers.add_value(
            "edges", Chooser("Edges", lambda: self.edge_box.layer, self._choose_edges, self.edge_box.options)
        )
        self.edge_box.chosen.connect(lambda: self.choosers.note("edges"))
        self.choosers.add_value(
            "degree", Chooser("Degree", self.degrees.chosen, self._choose_degrees, typed=True)
        )

    def add_tool(self, text: str, key: str, do: Callable[[], None], hint: str) -> QAction:
        """An entry in the menu of the view, with a key of its own where one is given."""
        action = self.menu.addAction(f"{text}\t{key}" if key else text, do)
        action.setToolTip(f"{hint} ({key})" if key else hint)
        if key:
            self._shortcut(key, do)
        return action

    def render_state(self, changed: Changed) -> None:
        if "run" in changed:
            self.layout_now, self._wanted = None, None
            self.edge_box.forget()
            self.plane.layers.clear()
            self.plane.fitted = True
        info = self.state.snapshot_at("graph")
        if info is None:
            self._wanted = None
            self.cancel("layout")
            self._busy = False
            self._name_button()
            self.explain.setEnabled(False)
            self.list_colours(changed)
            say_missing(self, "graph", "graph")
            return
        self.render_points(changed)
        if self._wanted != info:
            self._wanted = info
            self._lay_out(info)
        self.edge_box.refresh(PLAIN if self._links is None else COLOURED)
        redraw = self._ask_strength()
        draws = {"theme", "viewport", "selection"}
        draws |= {"colour", "items"} if self._links is not None else set()
        if self.layout_now is not None and (redraw or changed & draws):
            self._draw_edges()
        if "selection" in changed:
            self.questions.follow_selection()
        if redraw or changed & {"items", "selection"}:
            self.write_caption()
        self.explain.setEnabled(len(self.state.selection) == 1)

    def receive(self, slot: str, result: Any) -> None:
        if slot == "layout":
            if result is not None:
                self._show(result)
        elif slot in SLOTS:
            self.questions.receive(slot, result)
        elif slot == "strength":
            self.strength = result
            self._draw_edges()
            self.write_caption()
        else:
            super().receive(slot, result)
            if slot == "edges" and result is not None:
                self.plane.set_layer("edges", result.image, result.viewport)
                self.plane.set_layer("strokes", result.strokes, result.viewport)

    # -- where the nodes lie -------------------------------------------------------------------------------

    def _lay_out(self, info: SnapshotInfo, seed: int | None = None) -> None:
        items = self.state.items
        count = len(items) if items is not None and info.items is not None else 0
        self._busy = True
        self._name_button()
        if self.layout_now is None:
            self.show_message("Laying out the graph …")
        processes = self.follower.processes
        work = functools.partial(lay_out, info=info, nodes=count, seed=seed, processes=processes)
        self.ask("layout", [info], work, long=True)

    def _show(self, now: GraphLayout) -> None:
        before, self.layout_now = self.layout_now, now
        self._busy = not now.rests
        self._name_button()
        if not len(now.positions):
            self.show_message("The graph of this run has no nodes.")
            return
        self.show_content()
        if before is None or before.edges is not now.edges:
            self.degrees.show_degrees(degrees(now.edges, len(now.positions)))
        self.place_points(self._filtered(now))
        if now.rests and self.plane.fitted:
            self.plane.show_all()
        self.edge_box.refresh(PLAIN if now.rows is None else COLOURED)
        self.by_degree.setEnabled(now.rows is None)
        self.questions.draw_way()
        self._draw_edges()
        self.write_caption()

    def _stop_or_restart(self) -> None:
        now = self.layout_now
        if not self._busy:
            if self._wanted is not None:
                self.plane.fitted = True
                self._lay_out(self._wanted, seed=int(time.time()) % 10_000)
            return
        self.cancel("layout")
        self._busy = False
        self._name_button()
        if now is None:
            self.show_message("Stopped before the first places were found.")
        elif not now.rests:
            self._show(replace(now, stopped=True, seconds_left=None))
            self.follower.do(now.keep, lambda _: None)

    def _name_button(self) -> None:
        text, name = ("Stop", "Stop the layout") if self._busy else ("Lay out again", "Lay out again")
        self.again.setText(text)
        self.again.setAccessibleName(name)
        can_restart = self._wanted is not None and (self.layout_now is None or self.layout_now.steps > 0)
        self.again.setEnabled(self._busy or can_restart)

    # -- which nodes are shown -----------------------------------------------------------------------------

    def _filtered(self, now: GraphLayout) -> PointCloud:
        """The nodes whose degree is wanted; the others have no place, and no cross either."""
        self._kept = None
        if now.rows is not None:
            return LinkEnds(now.positions, now.edges, now.rows)
        self._kept = self.degrees.kept()
        rows = np.arange(len(now.positions))
        if self._kept is None:
            return PointCloud(now.positions, rows)
        return PointCloud(np.where(self._kept[:, None], now.positions, np.nan), rows, lost=EMPTY)

    def _toggle_degrees(self) -> None:
        """Show the strip, or all nodes again."""
        self._show_degrees(self.degrees.isHidden())
        if not self.degrees.isHidden():
            self.degrees.fewest.setFocus()

    def _show_degrees(self, on: bool) -> None:
        self.degrees.setVisible(on)
        self.by_degree.setChecked(on)
        self._filter_changed()

    def _choose_degrees(self, chosen: list[int | bool | None]) -> None:
        self._show_degrees(self.degrees.choose(chosen))

    def _choose_edges(self, layer: str | None) -> None:
        self.edge_box.layer = layer
        self.request_render("layer")

    def _filter_changed(self) -> None:
        if self.layout_now is not None:
            self._memory.clear()
            self.place_points(self._filtered(self.layout_now))
            self._draw_edges()
            self.write_caption()
        self.choosers.note("degree")

    # -- edges ---------------------------------------------------------------------------------------------

    def follow_viewport(self) -> None:
        super().follow_viewport()
        self._draw_edges(moving=True)

    def _draw_edges(self, *, moving: bool = False) -> None:
        now = self.layout_now
        if now is None:
            return
        scene = replace(self._scene(now), moving=moving, memory=self._memory)
        self.draw("edges", functools.partial(draw_edges, scene=scene))

    def _scene(self, now: GraphLayout) -> EdgeScene:
        edges, strength = now.edges, self.strength
        if self._kept is not None:
            edges = edges[:, self._kept[edges].all(axis=0)]
            strength = None if strength is None else strength.among(self._kept)
        return EdgeScene(
            now.positions,
            edges,
            self.plane.viewport,
            self.plane.ratio,
            colour_parts(self.theme.palette.muted),
            colour_parts(self.theme.palette.accent),
            colour_parts(self.theme.palette.background),
            self._selected_nodes(),
            strength,
            self._coloured(now),
        )

    def vectors_under(self) -> Callable[[QPainter], object]:
        now = self.layout_now
        return (
            super().vectors_under() if now is None else functools.partial(paint_edges, scene=self._scene(now))
        )

    def _explain(self) -> None:
        if len(self.state.selection) == 1:
            self.explain_wanted.emit(int(self.state.selection[0]))

    def _ask_strength(self) -> bool:
        """Have the weights of the chosen layer read; whether there is something to draw again at once."""
        wanted = self.edge_box.wanted()
        if wanted == self._asked_strength:
            return False
        self._asked_strength = wanted
        if wanted is None:
            self.cancel("strength")
            shown, self.strength = self.strength, None
            return shown is not None
        info, head = wanted
        self.ask("strength", [info], functools.partial(edge_strength, info=info, head=head))
        return False

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

    # -- words ---------------------------------------------------------------------------------------------

    def write_caption(self) -> None:
        """Say what is shown."""
        now, kept = self.layout_now, None
        if now is None:
            return
        if self._kept is not None:
            edges = int(self._kept[now.edges].all(axis=0).sum())
            kept = int(self._kept.sum()), edges, self.degrees.words()
        parts = graph_words(self.state, now, self.strength, kept)
        if self.questions.told:
            parts.insert(0, self.questions.told)
        if self.drawn is not None and self.drawn.hidden:
            parts.append(f"{self.drawn.hidden:,} hidden")
        self.caption.set_parts(parts)
