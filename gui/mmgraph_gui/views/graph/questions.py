"""What can be asked of the graph on screen: neighbours, paths, communities, who is looked at; and GraphML."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QFileDialog

from mmgraph.errors import UsageError
from mmgraph.whole_file import whole_file
from mmgraph_gui.asking.progress import Progress, write_in_worker
from mmgraph_gui.state import Groups
from mmgraph_gui.state.selection import EMPTY, Rows
from mmgraph_gui.views.embedding.clusters import find_communities
from mmgraph_gui.views.graph.layout import GraphLayout
from mmgraph_gui.views.graph.tools import attention_received, shortest_path, with_neighbours, write_graphml
from mmgraph_gui.views.item_card import describe
from mmgraph_gui.views.points.plane import PlanePath

if TYPE_CHECKING:
    from mmgraph_gui.views.graph.view import GraphView

SLOTS = frozenset({"community", "path"})


class GraphQuestions:
    """Entries in the menu of a graph view, and what they answer.

    Attributes:
        told: what is said in front of the caption, for as long as the selection stays.
        way: the nodes of the path that is drawn; None without one.
    """

    def __init__(self, view: GraphView) -> None:
        self._view, self._state = view, view.state
        self._told: tuple[Rows, str] = EMPTY, ""
        self.way: Rows | None = None
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
            view.add_tool(text, key, do, hint)

    @property
    def told(self) -> str:
        """What is said of the selection; empty where it has changed since."""
        return self._told[1] if self._told[0] is self._state.selection else ""

    def follow_selection(self) -> None:
        """A path is drawn as long as it is what is selected."""
        if self.way is not None and not np.array_equal(np.sort(self.way), self._state.selection):
            self.way = None
            self._view.plane.set_paths(())

    def draw_way(self) -> None:
        """Draw the path where its nodes lie now."""
        now = self._view.layout_now
        if self.way is not None and now is not None:
            places = now.positions[self.way].astype(np.float64)
            self._view.plane.set_paths((PlanePath(places, self._view.theme.palette.accent, fades=False),))

    def receive(self, slot: str, result: Any) -> None:
        """Show what a question brought."""
        if slot == "path":
            self._show_path(*result)
        elif result is not None:
            name, groups = result
            self._state.set_groups(name, groups)
            self._state.set_colour_by(name)
            count = len(groups.names)
            self._tell(f"{count:,} {'community' if count == 1 else 'communities'} found")

    def select_neighbours(self) -> None:
        """Add the nodes that an edge joins to a selected one."""
        now = self._of_nodes()
        if now is not None and len(self._state.selection):
            self._state.select(with_neighbours(now.edges, len(now.positions), self._state.selection))

    def find_path(self) -> None:
        """Select the nodes on a shortest way between two selected ones."""
        now, chosen = self._of_nodes(), self._state.selection
        if now is None:
            return
        if len(chosen) != 2:
            self._tell("Select two nodes first: P finds a shortest way between them")
            return
        nodes, (start, end) = len(now.positions), chosen.tolist()
        self._view.ask(
            "path", [], lambda _job, _snapshots: (start, end, shortest_path(now.edges, nodes, start, end))
        )

    def find_communities(self) -> None:
        """Colour by communities."""
        now = self._of_nodes()
        if now is None:
            return
        self._view.caption.setText("Finding communities …")
        work = functools.partial(
            find_communities,
            edges=now.edges,
            nodes=len(now.positions),
            processes=self._view.follower.processes,
        )
        self._view.ask("community", [], work, long=True)

    def colour_by_attention(self) -> None:
        """Colour by how much others look at a node, under the chosen layer and head."""
        now, strength = self._of_nodes(), self._view.strength
        if now is None:
            return
        if strength is None or strength.answer is not None:
            self._tell(
                "Choose a layer of attention under Edges first"
                if self._view.edge_box.has_attention
                else "This run recorded no attention along its edges"
            )
            return
        values = attention_received(strength.edges, strength.strength, len(now.positions))
        self._state.set_groups(
            "attention received", Groups(f"Attention, {strength.info.layer}", values=values)
        )
        self._state.set_colour_by("attention received")

    def ask_graphml(self) -> None:
        """Ask for a file and write the graph into it."""
        chosen, _ = QFileDialog.getSaveFileName(
            self._view, "Write GraphML", str(Path.home() / "graph.graphml"), "GraphML (*.graphml)"
        )
        if chosen:
            self.write_graphml(Path(chosen) if Path(chosen).suffix else Path(chosen).with_suffix(".graphml"))

    def write_graphml(self, path: Path) -> None:
        """Write the graph as GraphML."""
        now, state = self._view.layout_now, self._state
        if now is None:
            return
        items = state.items if now.rows is None else None
        prediction = state.prediction

        def write(progress: Progress) -> None:
            with whole_file(path, UsageError) as part:
                write_graphml(part, now.positions, now.edges, items, prediction, progress)
                progress()

        told = f"Wrote the graph to '{path}'."
        write_in_worker(
            self._view,
            self._view.follower,
            "Writing the graph",
            write,
            lambda: self._view.caption.setText(told),
        )

    def _of_nodes(self) -> GraphLayout | None:
        """The graph, where its nodes are the items."""
        now = self._view.layout_now
        return now if now is not None and now.rows is None else None

    def _show_path(self, start: int, end: int, way: Rows | None) -> None:
        names = f"{describe(self._state, start).name} and {describe(self._state, end).name}"
        if way is None:
            self._tell(f"No path joins {names}")
            return
        self._state.select(way)
        self.way = way
        self.draw_way()
        self._tell(f"{len(way) - 1} edges between {names}")

    def _tell(self, text: str) -> None:
        self._told = self._state.selection, text
        self._view.write_caption()
