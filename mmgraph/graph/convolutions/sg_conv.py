"""Simplified graph convolution (SGC)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, SparseFeatures, check_features, linear


class SGConv(nn.Module):
    """K graph convolutions without anything between them, which are one.

    Y = S^K X Wᵀ + b,  S = D̂^(-1/2) Â D̂^(-1/2), Â = A + I

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        K: how often to propagate; 0 gives a linear map.
        self_loops: whether to add I.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: the features do not fit the layer or the graph, or a weight is negative.

    Source: Wu, Zhang, Souza, Fifty, Yu and Weinberger, Simplifying Graph Convolutional Networks, ICML 2019.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        K: int = 2,
        self_loops: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("propagations (K)", K, 0)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.K = K
        self.self_loops = self_loops
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights, zero bias."""
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x)).normalized("sym", self.self_loops, dtype=self.weight.dtype)
        # S (X W) = (S X) W: propagate on whichever side has fewer channels; S X would not stay sparse.
        product_first = isinstance(x, SparseFeatures) or self.out_channels <= self.in_channels
        h = linear(x, self.weight) if isinstance(x, SparseFeatures) or product_first else x
        for _ in range(self.K):
            h = propagate(adjacency, h)
        y = h if product_first else linear(h, self.weight)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, K={self.K}, self_loops={self.self_loops}, "
            f"bias={self.bias is not None}"
        )
