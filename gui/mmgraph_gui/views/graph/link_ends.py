"""Nodes as points where not they but the edges between them are items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph_gui.state.colouring import Colouring
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.views.points.cloud import Colours, Mask, PointCloud


class LinkEnds(PointCloud):
    """Grey dots, smaller than those of items; one that is clicked selects the edges at it.

    Args:
        positions: of the nodes.
        edges: between them.
        links: row of the item set of each edge.

    Shapes:
        positions (n, 2), edges (2, e), links (e,).
    """

    dot_size = 0.4

    def __init__(
        self, positions: npt.NDArray[np.floating[Any]], edges: npt.NDArray[np.int64], links: Rows
    ) -> None:
        super().__init__(positions, np.arange(len(positions)))
        self.rows, self._point_of_row = np.full(len(positions), -1), np.zeros(0, np.int64)
        self._edges, self._links = edges, links

    def ends(self, selection: Rows) -> Rows:
        """The nodes that selected edges join."""
        joined: Rows = np.unique(self._edges[:, np.isin(self._links, selection)])
        return joined

    def chosen(self, selection: Rows) -> Mask | None:
        """Which nodes selected edges join; None where nothing is selected."""
        return np.isin(np.arange(len(self)), self.ends(selection)) if len(selection) else None

    def hidden(self, colouring: Colouring | None, classes: frozenset[int]) -> Mask | None:
        """No node has a class."""
        return None

    def colours(
        self,
        colouring: Colouring | None,
        paint: Callable[[Colouring], Colours],
        plain: tuple[int, int, int],
        ground: tuple[int, int, int],
    ) -> Colours:
        """Between the ground and its opposite: (n, 3)."""
        behind = np.array(ground)
        grey = np.rint(0.35 * behind + 0.65 * (255 - behind)).astype(np.uint8)
        return np.tile(grey, (len(self), 1))

    def rows_at(self, point: int) -> Rows:
        """The edges at a node."""
        return self._links[np.isin(self._edges, point).any(axis=0)]

    def rows_inside(self, inside: Mask) -> Rows:
        """The edges between nodes inside an outline."""
        source, target = self._edges
        found: Rows = self._links[inside[source] & inside[target]]
        return found
