"""Graphs of every kind people hold them in, with their node ids."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency


def adjacency_of(graph: Any) -> Adjacency:
    """An Adjacency from an Adjacency, edge_index, SciPy sparse matrix, networkx graph or torch_geometric Data.

    Raises:
        InputError: it is none of these, is not valid, or has no nodes.
    """
    adjacency = _converted(graph)
    if adjacency.num_nodes == 0:
        raise InputError("Expected a graph with nodes to embed, but it has none.")
    return adjacency


def node_ids_of(graph: Adjacency) -> list[Hashable]:
    """What the nodes are called; their numbers where they have no names."""
    return list(range(graph.num_nodes) if graph.node_ids is None else graph.node_ids)


def united(graph: Adjacency, arriving: Adjacency) -> Adjacency:
    """All edges of both graphs; nodes of the second that the first lacks are numbered after those it has."""
    ids = node_ids_of(graph)
    number = {node: i for i, node in enumerate(ids)}
    for node in node_ids_of(arriving):
        number.setdefault(node, len(number))
    renumbered = torch.tensor([number[node] for node in node_ids_of(arriving)])
    (old, old_weight), (new, new_weight) = graph.to_edge_index(), arriving.to_edge_index()
    weight = None
    if old_weight is not None or new_weight is not None:
        weight = torch.cat([_weights(old, old_weight), _weights(new, new_weight)])
    union = Adjacency.from_edge_index(torch.cat([old, renumbered[new]], 1), len(number), weight)
    named = graph.node_ids is not None or arriving.node_ids is not None
    names: Sequence[Hashable] | None = tuple(number) if named else None
    return Adjacency(union.pattern, union.value, names)


def _weights(edges: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    return torch.ones(edges.size(1), dtype=torch.float64) if weight is None else weight.double()


def _converted(graph: Any) -> Adjacency:
    if isinstance(graph, Adjacency):
        return graph
    if isinstance(graph, np.ndarray):
        return Adjacency.from_edge_index(torch.as_tensor(graph))
    if isinstance(graph, torch.Tensor):
        return Adjacency.from_edge_index(graph)
    kind = type(graph)
    if kind.__module__.startswith("scipy.sparse"):
        return Adjacency.from_scipy(graph)
    if any(parent.__module__.startswith("networkx.") for parent in kind.__mro__):
        return Adjacency.from_networkx(graph)
    if hasattr(graph, "edge_index"):
        return Adjacency.from_data(graph)
    raise InputError(
        f"Expected a graph as Adjacency, edge_index, SciPy sparse matrix, networkx graph or torch_geometric Data, but "
        f"got {kind.__name__}."
    )
