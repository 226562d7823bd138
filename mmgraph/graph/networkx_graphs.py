"""Graphs out of networkx, and back, without a Python loop per edge where that is possible."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.attributes import columns, rows, select
from mmgraph.graph.conversion import GraphParts, weight_without_gradient

if TYPE_CHECKING:
    import networkx

    from mmgraph.graph.adjacency import Adjacency


def parts_of_networkx(graph: networkx.Graph[Any], weight: str | None) -> GraphParts:
    """Everything of a networkx graph; edges as in its rows of successors."""
    node_ids: tuple[Hashable, ...] = tuple(graph)
    number = {node: index for index, node in enumerate(node_ids)}
    # Rows of successors: both directions of an undirected edge are in them already.
    successors = [row for _, row in graph.adjacency()]
    counts = np.fromiter(map(len, successors), np.int64, len(successors))
    target = np.fromiter(
        map(number.__getitem__, chain.from_iterable(successors)), np.int64, int(counts.sum())
    )
    source = np.repeat(np.arange(len(successors)), counts)
    edges: list[Mapping[Any, Any]] = list(chain.from_iterable(row.values() for row in successors))
    if graph.is_multigraph():
        parallel = np.fromiter(map(len, edges), np.int64, len(edges))
        source, target = np.repeat(source, parallel), np.repeat(target, parallel)
        edges = list(chain.from_iterable(keyed.values() for keyed in edges))
    return GraphParts(
        torch.from_numpy(np.stack([source, target])),
        len(node_ids),
        _weights(edges, weight),
        node_ids,
        columns([attributes for _, attributes in graph.nodes.data()]),
        columns(edges, without=weight),
    )


def _weights(edges: Sequence[Mapping[Any, Any]], name: str | None) -> Tensor | None:
    """One number per edge, 1 where it has none; None where no edge has one."""
    if name is None:
        return None
    given = [edge.get(name) for edge in edges]
    lacking = given.count(None)
    if lacking == len(given):
        return None
    if lacking:
        given = [1.0 if weight is None else weight for weight in given]
    try:
        numbers = np.fromiter(given, np.float64, len(given))
    except (TypeError, ValueError) as error:
        raise InputError(f"Expected numbers as edge attribute '{name}', but {error}.") from error
    return torch.from_numpy(numbers).to(torch.get_default_dtype())


def to_networkx(adjacency: Adjacency, directed: bool) -> networkx.Graph[Any]:
    """A networkx graph; a multigraph where edges occur several times."""
    import networkx

    if not directed and not adjacency.is_symmetric:
        raise InputError(
            "Expected a graph in which every edge has its reverse with the same weight, but some edge has not: "
            "use to_networkx(directed=True)."
        )
    edge_index, _ = adjacency.to_edge_index()
    weight = weight_without_gradient(adjacency)
    source, target = edge_index.cpu().numpy()
    attributes = dict(adjacency.edge_attributes)
    if weight is not None:
        attributes["weight"] = weight[adjacency.pattern.position.cpu()].numpy()
    if not directed:
        once = source <= target
        source, target, attributes = source[once], target[once], select(attributes, once)

    kinds = {
        (True, False): networkx.DiGraph,
        (True, True): networkx.MultiDiGraph,
        (False, False): networkx.Graph,
        (False, True): networkx.MultiGraph,
    }
    several = len(np.unique(source * adjacency.num_nodes + target)) < len(source)
    graph = kinds[directed, several]()
    names = range(adjacency.num_nodes) if adjacency.node_ids is None else adjacency.node_ids
    graph.add_nodes_from(zip(names, rows(adjacency.node_attributes, len(names)), strict=True))
    ends = ([names[i] for i in source.tolist()], [names[i] for i in target.tolist()])
    if attributes:
        graph.add_edges_from(zip(*ends, rows(attributes, len(source)), strict=True))
    else:
        graph.add_edges_from(zip(*ends, strict=True))
    return graph
