"""Sample and aggregate (GraphSAGE)."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.aggregation import Aggregation, propagate_max
from mmgraph.graph.arguments import check_channels, check_name
from mmgraph.graph.normalization import Normalization
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, SparseFeatures, check_features, linear


class SAGEConv(nn.Module):
    """A node's own features beside what its neighbours send.

    yᵢ = W_neighbour aggregate_{j→i} hⱼ + W_root xᵢ + b,  h = x, or σ(W_project x + b_project) where project

    Aggregates: mean Σⱼ aᵢⱼ hⱼ / Σⱼ aᵢⱼ, sum Σⱼ aᵢⱼ hⱼ, max maxⱼ hⱼ, each 0 for a node that receives nothing.
    Weights of the graph enter mean and sum; max never holds edges × channels.

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        aggregation: "mean", "max" or "sum".
        project: send σ(W_project x + b_project), σ = ReLU, as the paper's pooling aggregator does.
        root: whether to add W_root xᵢ.
        normalize: divide every yᵢ by its length ‖yᵢ‖.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense, or SparseFeatures unless aggregation is "max" without project; graph
        with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: the features do not fit the layer or the graph, or a weight is negative (mean).
        UnknownNameError: there is no such aggregation.

    Source: Hamilton, Ying and Leskovec, Inductive Representation Learning on Large Graphs, NeurIPS 2017.
    Differs: the LSTM aggregator is left out, as it depends on the order of the neighbours.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        aggregation: Aggregation = "mean",
        project: bool = False,
        root: bool = True,
        normalize: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_name("aggregation", aggregation, get_args(Aggregation))
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.aggregation = aggregation
        self.normalize = normalize
        self.weight_project = nn.Parameter(torch.empty(in_channels, in_channels)) if project else None
        self.bias_project = nn.Parameter(torch.empty(in_channels)) if project else None
        self.weight_neighbour = nn.Parameter(torch.empty(out_channels, in_channels))
        self.weight_root = nn.Parameter(torch.empty(out_channels, in_channels)) if root else None
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights, zero biases."""
        for weight in (self.weight_project, self.weight_neighbour, self.weight_root):
            if weight is not None:
                nn.init.xavier_uniform_(weight)
        for bias in (self.bias_project, self.bias):
            if bias is not None:
                nn.init.zeros_(bias)

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x))
        y = self._from_neighbours(x, adjacency)
        if self.weight_root is not None:
            y = y + linear(x, self.weight_root, self.bias)
        elif self.bias is not None:
            y = y + self.bias
        return nn.functional.normalize(y, dim=-1) if self.normalize else y

    def _from_neighbours(self, x: Features, adjacency: Adjacency) -> Tensor:
        h = x
        if self.weight_project is not None and self.bias_project is not None:
            h = torch.relu(linear(x, self.weight_project, self.bias_project))
        if self.aggregation == "max":
            if isinstance(h, SparseFeatures):
                raise InputError(
                    "Expected dense features, as the maximum over neighbours is taken before any product, but got "
                    "SparseFeatures: use project=True, or x.to_dense()."
                )
            return linear(propagate_max(adjacency, h), self.weight_neighbour)
        kind: Normalization = "row" if self.aggregation == "mean" else "none"
        sums = adjacency.normalized(kind, self_loops=False, dtype=self.weight_neighbour.dtype)
        # A (H W) = (A H) W: propagate on whichever side has fewer channels; A H would not stay sparse.
        if isinstance(h, SparseFeatures) or self.out_channels <= self.in_channels:
            return propagate(sums, linear(h, self.weight_neighbour))
        return linear(propagate(sums, h), self.weight_neighbour)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, aggregation={self.aggregation!r}, "
            f"project={self.weight_project is not None}, root={self.weight_root is not None}, "
            f"normalize={self.normalize}, bias={self.bias is not None}"
        )
