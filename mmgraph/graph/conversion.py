"""Edges out of other libraries' graphs, and back, without a Python loop per edge where that is possible."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mmgraph.errors import InputError

if TYPE_CHECKING:
    import networkx
    import scipy.sparse
    from torch_geometric.data import Data

    from mmgraph.graph.adjacency import Adjacency


def edges_of_data(data: Data) -> tuple[Tensor, int | None, Tensor | None]:
    """edge_index, num_nodes and edge_weight of a torch_geometric Data."""
    edge_index = getattr(data, "edge_index", None)
    if not isinstance(edge_index, Tensor):
        raise InputError(
            f"Expected a torch_geometric Data with an edge_index, but this {type(data).__name__} has none."
        )
    return edge_index, data.num_nodes, getattr(data, "edge_weight", None)


def edges_of_scipy(matrix: Any) -> tuple[Tensor, int, Tensor | None]:
    """edge_index, num_nodes and edge_weight of a square sparse matrix whose entry [j, i] is the edge j → i."""
    import scipy.sparse

    is_sparse: bool = scipy.sparse.issparse(matrix)
    if not is_sparse:
        raise InputError(f"Expected a SciPy sparse matrix, but got {type(matrix).__name__}.")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"Expected a square matrix, but got {matrix.shape}.")
    entries = matrix.tocoo()
    edge_index = torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64))
    if entries.dtype == np.bool_:
        return edge_index, entries.shape[0], None
    if np.issubdtype(entries.dtype, np.floating):
        return edge_index, entries.shape[0], torch.from_numpy(entries.data.copy())
    if np.issubdtype(entries.dtype, np.integer):
        return edge_index, entries.shape[0], torch.as_tensor(entries.data, dtype=torch.get_default_dtype())
    raise InputError(f"Expected a matrix of real numbers or booleans, but got {entries.dtype}.")


def edges_of_networkx(
    graph: networkx.Graph[Any], weight: str | None
) -> tuple[Tensor, int, Tensor | None, tuple[Hashable, ...]]:
    """edge_index, num_nodes, edge_weight and node ids of a networkx graph."""
    node_ids: tuple[Hashable, ...] = tuple(graph)
    number = {node: index for index, node in enumerate(node_ids)}
    # Rows of successors: both directions of an undirected edge are in them already.
    rows = [row for _, row in graph.adjacency()]
    target = np.fromiter(map(number.__getitem__, chain.from_iterable(rows)), np.int64, sum(map(len, rows)))
    source = np.repeat(np.arange(len(rows)), np.fromiter(map(len, rows), np.int64, len(rows)))
    attributes = chain.from_iterable(row.values() for row in rows)
    if graph.is_multigraph():
        parallel = [list(edges.values()) for edges in attributes]
        counts = np.fromiter(map(len, parallel), np.int64, len(parallel))
        source, target = np.repeat(source, counts), np.repeat(target, counts)
        attributes = chain.from_iterable(parallel)
    edge_index = torch.from_numpy(np.stack([source, target]))
    return edge_index, len(node_ids), _weights(attributes, weight), node_ids


def _weights(attributes: Iterable[dict[str, Any]], name: str | None) -> Tensor | None:
    """One number per edge, 1 where it has none; None where no edge has one."""
    if name is None:
        return None
    given = [edge.get(name) for edge in attributes]
    if given.count(None) == len(given):
        return None
    try:
        numbers = np.fromiter((1.0 if weight is None else weight for weight in given), np.float64, len(given))
    except (TypeError, ValueError) as error:
        raise InputError(f"Expected numbers as edge attribute '{name}', but {error}.") from error
    return torch.from_numpy(numbers).to(torch.get_default_dtype())


def to_scipy(adjacency: Adjacency) -> scipy.sparse.csr_array[Any]:
    """The sparse matrix whose entry [j, i] is the weight of the edge j → i."""
    import scipy.sparse

    source, target = adjacency.edge_index.cpu().numpy()
    weight = _weights_without_gradient(adjacency)
    values = np.ones(len(source), np.float32) if weight is None else weight.numpy()
    return scipy.sparse.csr_array((values, (source, target)), shape=(adjacency.num_nodes,) * 2)


def to_networkx(adjacency: Adjacency, directed: bool) -> networkx.Graph[Any]:
    """A networkx graph; a multigraph where edges occur several times."""
    import networkx

    if not directed and not adjacency.is_symmetric:
        raise InputError(
            "Expected a graph in which every edge has its reverse with the same weight, but some edge has not: "
            "use to_networkx(directed=True)."
        )
    edge_index, _ = adjacency.to_edge_index()
    weight = _weights_without_gradient(adjacency)
    source, target = edge_index.cpu()
    if weight is not None:
        weight = weight[adjacency.pattern.position.cpu()]
    if not directed:
        once = source <= target
        source, target = source[once], target[once]
        weight = None if weight is None else weight[once]

    kinds = {
        (True, False): networkx.DiGraph,
        (True, True): networkx.MultiDiGraph,
        (False, False): networkx.Graph,
        (False, True): networkx.MultiGraph,
    }
    graph = kinds[directed, _has_duplicates(source, target, adjacency.num_nodes)]()
    names = range(adjacency.num_nodes) if adjacency.node_ids is None else adjacency.node_ids
    graph.add_nodes_from(names)
    ends = ([names[i] for i in source.tolist()], [names[i] for i in target.tolist()])
    if weight is None:
        graph.add_edges_from(zip(*ends, strict=True))
    else:
        graph.add_weighted_edges_from(zip(*ends, weight.tolist(), strict=True))
    return graph


def _weights_without_gradient(adjacency: Adjacency) -> Tensor | None:
    if adjacency.value is None:
        return None
    if adjacency.value.requires_grad:
        raise InputError(
            "Expected weights without gradients, but these need them: use adjacency.with_value(value.detach())."
        )
    return adjacency.value.cpu()


def _has_duplicates(source: Tensor, target: Tensor, num_nodes: int) -> bool:
    return bool(torch.unique(source * num_nodes + target).numel() < source.numel())
