"""Convolution over differences along edges (EdgeConv)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.aggregation import Aggregation
from mmgraph.graph.arguments import check_channels, check_count
from mmgraph.graph.convolutions.message_passing import MessagePassing
from mmgraph.graph.sparse_features import Features, SparseFeatures, check_features


class EdgeConv(nn.Module):
    """A perceptron on every edge, of where its target is and how its source differs.

    yᵢ = max_{j→i} MLP([xᵢ, xⱼ − xᵢ, eⱼᵢ])

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        edge_channels: features per edge; 0 where there are none.
        mlp: takes (E, 2 · in_channels + edge_channels) to (E, out_channels); without it Linear → ReLU → Linear
            with `out_channels` between.
        aggregation: "max" as in the paper, "mean" or "sum"; each is 0 for a node that receives nothing.

    Shapes:
        x (num_nodes, in_channels), graph with num_nodes nodes, edge_attr (E, edge_channels) in the order the edges
        were given in: (num_nodes, out_channels). Memory: E · (2 · in_channels + edge_channels).

    Raises:
        InputError: the features do not fit the layer or the graph.
        UnknownNameError: there is no such aggregation.

    Source: Wang, Sun, Liu, Sarma, Bronstein and Solomon, Dynamic Graph CNN for Learning on Point Clouds, ACM
    Transactions on Graphics 2019.
    Differs: edges may bring features of their own.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        edge_channels: int = 0,
        mlp: nn.Module | None = None,
        aggregation: Aggregation = "max",
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("edge channels", edge_channels, 0)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.edge_channels = edge_channels
        self.mlp = mlp or nn.Sequential(
            nn.Linear(2 * in_channels + edge_channels, out_channels),
            nn.ReLU(),
            nn.Linear(out_channels, out_channels),
        )
        self.passing = MessagePassing(self._message, aggregation=aggregation)

    def forward(self, x: Features, graph: Adjacency | Tensor, edge_attr: Tensor | None = None) -> Tensor:
        check_features(x, self.in_channels)
        if isinstance(x, SparseFeatures):
            raise InputError(
                "Expected dense features, as their differences along edges are taken, but got SparseFeatures: "
                "use x.to_dense()."
            )
        channels = 0 if edge_attr is None or edge_attr.dim() != 2 else edge_attr.size(1)
        if channels != self.edge_channels:
            raise InputError(f"Expected {self.edge_channels} features per edge, but got {channels}.")
        y: Tensor = self.passing(x, graph, edge_attr)
        return y

    def _message(self, target: Tensor, source: Tensor, edges: Tensor | None) -> Tensor:
        parts = [target, source - target] if edges is None else [target, source - target, edges]
        messages: Tensor = self.mlp(torch.cat(parts, dim=1))
        return messages

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, edge_channels={self.edge_channels}"
