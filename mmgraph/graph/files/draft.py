"""A graph while it is read: nodes and edges by name, in the order they come, with what is said of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NoReturn

import numpy as np
import torch

from mmgraph.graph.attributes import column, select
from mmgraph.graph.conversion import GraphParts

WHOLE_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)


class GraphDraft:
    """Takes nodes, edges and attributes; `parts` gives the graph when all are there.

    Args:
        fail: says what was expected in a line of the file and raises InputError.
    """

    def __init__(self, fail: Callable[[int, str], NoReturn]) -> None:
        self._fail = fail
        self._number: dict[str, int] = {}
        self._ends: list[tuple[str, str]] = []
        self._lines: list[int] = []
        self._directed: list[bool] = []
        self._of_nodes: dict[str, dict[int, Any]] = {}
        self._of_edges: dict[str, dict[int, Any]] = {}
        self._edge_weight: dict[int, float] = {}

    def add_node(self, name: str, line: int) -> int:
        """A node of this name; returns its number."""
        if name in self._number:
            self._fail(line, f"nodes with ids of their own, got '{name}' for the second time")
        self._number[name] = len(self._number)
        return len(self._number) - 1

    def add_edge(self, source: str, target: str, directed: bool, line: int) -> int:
        """An edge between nodes of these names, which may come later; returns its number."""
        self._ends.append((source, target))
        self._directed.append(directed)
        self._lines.append(line)
        return len(self._ends) - 1

    def describe(self, what: str, item: int, name: str, value: Any) -> None:
        """Set an attribute of a "node" or "edge"."""
        cells = self._of_nodes if what == "node" else self._of_edges
        cells.setdefault(name, {})[item] = value

    def set_default(self, what: str, name: str, value: Any) -> None:
        """Give an attribute to all items that have none yet."""
        count = len(self._number) if what == "node" else len(self._ends)
        cells = (self._of_nodes if what == "node" else self._of_edges).setdefault(name, {})
        for item in range(count):
            cells.setdefault(item, value)

    def parts(
        self,
        directed: bool | None,
        weight: str | None,
        ids: type[int] | type[str] | None,
        labels: str | None = None,
    ) -> GraphParts:
        """The graph.

        Args:
            directed: whether edges have directions; None for what was said of each.
            weight: the attribute of edges that holds their weight, 1 where an edge has none.
            ids: int or str; None for whole numbers where all are.
            labels: an attribute of nodes that is their name where all have one and all are different.
        """
        num_nodes, num_edges = len(self._number), len(self._ends)
        ends = np.array([self._numbers_of(edge) for edge in range(num_edges)], np.int64).reshape(-1, 2)
        given = np.zeros(num_edges, np.bool_) if directed is False else np.array(self._directed, np.bool_)
        both = ~given if directed is not True else np.zeros(num_edges, np.bool_)
        # After each undirected edge its reverse; self-loops once.
        times = 1 + (both & (ends[:, 0] != ends[:, 1]))
        which = np.repeat(np.arange(num_edges), times)
        ends = ends[which]
        second = np.zeros(len(which), np.bool_)
        second[1:] = which[1:] == which[:-1]
        ends[second] = ends[second, ::-1]

        weights = self._weights(weight)
        of_edges = {
            name: self._column(cells, num_edges) for name, cells in self._of_edges.items() if name != weight
        }
        of_nodes = {name: self._column(cells, num_nodes) for name, cells in self._of_nodes.items()}
        names: Sequence[str] = list(self._number)
        if labels in of_nodes and _are_names(of_nodes[labels].tolist()):
            names = of_nodes.pop(labels).tolist()
        return GraphParts(
            torch.from_numpy(np.ascontiguousarray(ends.T)),
            num_nodes,
            None if weights is None else torch.from_numpy(weights[which]).to(torch.get_default_dtype()),
            self._node_ids(names, ids),
            of_nodes,
            select(of_edges, which),
        )

    def _numbers_of(self, edge: int) -> tuple[int, int]:
        source, target = self._ends[edge]
        for name in (source, target):
            if name not in self._number:
                self._fail(
                    self._lines[edge], f"an edge between nodes of the file, got '{name}', which is none"
                )
        return self._number[source], self._number[target]

    def _weights(self, name: str | None) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        cells = {} if name is None else self._of_edges.get(name, {})
        if not cells:
            return None
        weights = np.ones(len(self._ends))
        for edge, value in cells.items():
            try:
                weights[edge] = value
            except (TypeError, ValueError):
                weights[edge] = np.nan
            if not np.isfinite(weights[edge]) or isinstance(value, str):
                self._fail(self._lines[edge], f"a finite number as the edge's {name}, got '{value}'")
        return weights

    def _node_ids(self, names: Sequence[str], ids: type[int] | type[str] | None) -> Sequence[Hashable] | None:
        if ids is str or not all(map(WHOLE_NUMBER.fullmatch, names)):
            if ids is int:
                odd = next(name for name in names if not WHOLE_NUMBER.fullmatch(name))
                self._fail(1, f"whole numbers as node ids, got '{odd}'")
            return names
        numbers = list(map(int, names))
        return None if numbers == list(range(len(numbers))) else numbers

    @staticmethod
    def _column(cells: dict[int, Any], count: int) -> np.ndarray[Any, Any]:
        return column([cells.get(item) for item in range(count)])


def _are_names(labels: list[Any]) -> bool:
    return all(isinstance(label, str) for label in labels) and len(set(labels)) == len(labels)
