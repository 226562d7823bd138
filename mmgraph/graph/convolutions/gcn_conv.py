"""Graph convolution by the normalised adjacency (GCN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels
from mmgraph.graph.normalization import Normalization
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, SparseFeatures, check_features, linear


class GCNConv(nn.Module):
    """First-order spectral graph convolution.

    Y = D̂^(-1/2) Â D̂^(-1/2) X Wᵀ + b, with Â = A + I and D̂ᵢᵢ = Σⱼ âᵢⱼ

    Where the graph is directed, D̂ holds the weighted numbers of incoming edges. A self-loop that is already
    there keeps its weight instead of getting a second one.

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        normalization: "sym" as above, "row" for D̂⁻¹Â (the mean over neighbours), or "none" for Â.
        self_loops: whether to add I.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: the features do not fit the layer or the graph.

    Source: Kipf and Welling, Semi-Supervised Classification with Graph Convolutional Networks, ICLR 2017.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        normalization: Normalization = "sym",
        self_loops: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.normalization = normalization
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
        adjacency = Adjacency.of(graph, len(x)).normalized(
            self.normalization, self.self_loops, dtype=self.weight.dtype
        )
        # A (X W) = (A X) W: propagate on whichever side has fewer channels; A X would not stay sparse.
        if isinstance(x, SparseFeatures) or self.out_channels <= self.in_channels:
            y = propagate(adjacency, linear(x, self.weight))
        else:
            y = linear(propagate(adjacency, x), self.weight)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, normalization={self.normalization!r}, "
            f"self_loops={self.self_loops}, bias={self.bias is not None}"
        )
