"""Convolutions out of functions of your own: what an edge sends, and what a node makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.aggregation import Aggregation, aggregate
from mmgraph.graph.arguments import check_name

Message = Callable[[Tensor, Tensor, Tensor | None], Tensor]
Update = Callable[[Tensor, Tensor], Tensor]


class MessagePassing(nn.Module):
    """The general convolution, of which the others are cases that need not hold one message per edge.

    yᵢ = update(xᵢ, aggregate_{j→i} message(xᵢ, xⱼ, eⱼᵢ))

    Weights of the graph do not enter; where they matter they are edge features.

    Args:
        message: takes the features of the targets xᵢ, of the sources xⱼ, and of the edges, or None where there are
            none, one row per edge each, to one message per edge. A module's parameters become those of the layer.
        update: takes the features of the nodes and what they received to their new features; without it the new
            features are what they received.
        aggregation: "mean", "max" or "sum"; each is 0 for a node that receives nothing.

    Shapes:
        x (num_nodes, channels), graph with num_nodes nodes, edge_attr (E, edge_channels) in the order the edges
        were given in: (num_nodes, …). message: 3 × (E, …) → (E, message_channels).

    Raises:
        InputError: the features do not fit the graph, or there is not one message per edge.
        UnknownNameError: there is no such aggregation.

    Source: Gilmer, Schoenholz, Riley, Vinyals and Dahl, Neural Message Passing for Quantum Chemistry, ICML 2017.
    """

    def __init__(
        self, message: Message, update: Update | None = None, *, aggregation: Aggregation = "sum"
    ) -> None:
        super().__init__()
        check_name("aggregation", aggregation, get_args(Aggregation))
        self.message = message
        self.update = update
        self.aggregation = aggregation

    def forward(self, x: Tensor, graph: Adjacency | Tensor, edge_attr: Tensor | None = None) -> Tensor:
        adjacency = _checked_graph(x, graph)
        edges = edge_features(edge_attr, adjacency)
        messages = self.message(x.index_select(0, adjacency.row), x.index_select(0, adjacency.col), edges)
        received = aggregate(adjacency, messages, self.aggregation)
        return received if self.update is None else self.update(x, received)

    def extra_repr(self) -> str:
        return f"aggregation={self.aggregation!r}"


def edge_features(edge_attr: Tensor | None, adjacency: Adjacency) -> Tensor | None:
    """Features of the edges, brought from the order given into CSR order.

    Raises:
        InputError: not one row per edge.
    """
    if edge_attr is None:
        return None
    if not isinstance(edge_attr, Tensor) or edge_attr.dim() != 2 or len(edge_attr) != adjacency.num_edges:
        got = tuple(edge_attr.shape) if isinstance(edge_attr, Tensor) else type(edge_attr).__name__
        raise InputError(f"Expected edge features ({adjacency.num_edges}, edge_channels), but got {got}.")
    return edge_attr.index_select(0, adjacency.order)


def _checked_graph(x: Tensor, graph: Adjacency | Tensor) -> Adjacency:
    if not isinstance(x, Tensor) or x.layout != torch.strided or x.dim() < 1:
        got = f"{tuple(x.shape)} in {x.layout}" if isinstance(x, Tensor) else type(x).__name__
        raise InputError(
            f"Expected dense features (num_nodes, channels), as messages are made of them, but got {got}: "
            f"use x.to_dense()."
        )
    return Adjacency.of(graph, len(x))
