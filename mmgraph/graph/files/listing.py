"""A graph laid out for writers: names, and nodes and edges one after the other with their attributes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.attributes import Attributes, rows, select
from mmgraph.graph.conversion import weight_without_gradient
from mmgraph.graph.files.values import kind_of

Kinds = Mapping[str, type[bool] | type[int] | type[float] | type[str]]
AT_A_TIME = 1 << 14


@dataclass(frozen=True)
class Listing:
    """What a text format holds of a graph; an undirected edge is there once.

    Shapes:
        source (E,), target (E,).
    """

    names: list[str]
    node_attributes: Attributes
    node_kinds: Kinds
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    edge_attributes: Attributes
    edge_kinds: Kinds

    @classmethod
    def of(cls, graph: Adjacency, directed: bool, format: str) -> Listing:
        """Lay out a graph.

        Raises:
            InputError: the weights need gradients, ids are neither whole numbers nor text, two would be written alike,
                or attributes are of no kind that text can hold.
        """
        edge_index, _ = graph.to_edge_index()
        source, target = edge_index.cpu().numpy()
        attributes = dict(graph.edge_attributes)
        weight = weight_without_gradient(graph)
        if weight is not None:
            if "weight" in attributes:
                raise InputError(
                    "Expected no edge attribute 'weight' beside the weights, but there is one: rename it."
                )
            weight = weight[graph.pattern.position.cpu()]
            # As text that is as short as the weights are exact.
            attributes["weight"] = np.array(list(map(float, map(str, weight.numpy()))))
        if not directed:
            once = source <= target
            source, target, attributes = source[once], target[once], select(attributes, once)
        return cls(
            _names(graph, format),
            graph.node_attributes,
            {name: kind_of(name, values, format) for name, values in graph.node_attributes.items()},
            source,
            target,
            attributes,
            {name: kind_of(name, values, format) for name, values in attributes.items()},
        )

    def node_rows(self) -> Iterator[dict[str, Any]]:
        """The attributes of each node."""
        for first in range(0, len(self.names), AT_A_TIME):
            some = slice(first, first + AT_A_TIME)
            yield from rows(select(self.node_attributes, some), len(self.names[some]))

    def edges(self) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Source, target and attributes of each edge."""
        for first in range(0, len(self.source), AT_A_TIME):
            some = slice(first, first + AT_A_TIME)
            source, target = self.source[some].tolist(), self.target[some].tolist()
            yield from zip(source, target, rows(select(self.edge_attributes, some), len(source)), strict=True)


def _names(graph: Adjacency, format: str) -> list[str]:
    if graph.node_ids is None:
        return list(map(str, range(graph.num_nodes)))
    names = [_name(node, format) for node in graph.node_ids]
    if len(set(names)) < len(names):
        raise InputError(
            f"Expected node ids that differ as text in {format}, but some are the same: write .npz."
        )
    return names


def _name(node: Hashable, format: str) -> str:
    if isinstance(node, str) or (isinstance(node, int) and not isinstance(node, bool)):
        return str(node)
    raise InputError(
        f"Expected node ids that are whole numbers or text in {format}, but got {node!r}: write .npz."
    )
