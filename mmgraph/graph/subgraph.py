"""Some nodes of a graph, and the edges between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph import attributes
from mmgraph.graph.edge_list import checked_num_nodes
from mmgraph.graph.kernels.pattern import SparsityPattern

if TYPE_CHECKING:
    from mmgraph.graph.adjacency import Adjacency


def of_nodes(graph: Adjacency, nodes: Tensor) -> Adjacency:
    """The nodes at these numbers, in this order, and the edges between them in the order given.

    Shapes:
        nodes (n,) integers, each at most once.

    Raises:
        InputError: a number is out of range or there twice.
    """
    if nodes.dim() != 1 or nodes.is_floating_point() or nodes.dtype == torch.bool:
        raise InputError(
            f"Expected node numbers (n,) as integers, but got {nodes.dtype} of shape {tuple(nodes.shape)}."
        )
    checked_num_nodes(torch.stack([nodes, nodes]), graph.num_nodes)
    number = torch.full((graph.num_nodes,), -1, dtype=torch.int64, device=graph.device)
    number[nodes] = torch.arange(len(nodes), device=graph.device)
    # GPU synchronisation.
    if int((number >= 0).sum()) < len(nodes):
        raise InputError("Expected every node at most once, but some number is there several times.")
    position = graph.pattern.position
    source, target = number[graph.col[position]], number[graph.row[position]]
    inside = (source >= 0) & (target >= 0)
    pattern = SparsityPattern.from_entries(target[inside], source[inside], (len(nodes), len(nodes)))
    value = None if graph.value is None else graph.value[position[inside][pattern.order]]
    node_ids = None if graph.node_ids is None else [graph.node_ids[node] for node in nodes.tolist()]
    return type(graph)(
        pattern,
        value,
        node_ids,
        attributes.select(graph.node_attributes, nodes),
        attributes.select(graph.edge_attributes, inside),
    )
