"""Edges out of other libraries' graphs, and back, without a Python loop per edge where that is possible."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
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
    edges = graph.edges(data=weight) if weight is not None else graph.edges(data=False)
    ends = itertools.chain.from_iterable((number[edge[0]], number[edge[1]]) for edge in edges)
    edge_index = torch.from_numpy(np.fromiter(ends, np.int64).reshape(-1, 2).T.copy())

    edge_weight = None
    if weight is not None:
        given = [edge[2] for edge in edges]
        if any(w is not None for w in given):
            try:
                numbers = np.fromiter((1.0 if w is None else w for w in given), np.float64, len(given))
            except (TypeError, ValueError) as error:
                raise InputError(f"Expected numbers as edge attribute '{weight}', but {error}.") from error
            edge_weight = torch.from_numpy(numbers).to(torch.get_default_dtype())

    if not graph.is_directed():
        between = edge_index[0] != edge_index[1]
        edge_index = torch.cat([edge_index, edge_index[:, between].flip(0)], dim=1)
        if edge_weight is not None:
            edge_weight = torch.cat([edge_weight, edge_weight[between]])
    return edge_index, len(node_ids), edge_weight, node_ids


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
