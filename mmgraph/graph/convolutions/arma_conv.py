"""Spectral convolution by rational filters (ARMA)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.graph.activations import activation_named
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count, check_share
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, check_features, dropout, linear


class ARMAConv(nn.Module):
    """A filter with a rational response, approached by recursion: several stacks side by side, averaged.

    per stack:  Xᵗ⁺¹ = σ(N Xᵗ W_tᵀ + dropout(X) V_tᵀ + b_t),  X⁰ = X,  N = D^(-1/2) A D^(-1/2);
    Y is the mean of Xᵀ over the stacks.

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        num_stacks: stacks side by side.
        num_steps: T, steps of the recursion.
        share_weights: one V and b for all steps, and one W for all but the first, whose shape differs.
        activation: σ, "relu", "elu", "leaky_relu", "gelu" or "tanh"; None for the identity.
        skip_dropout: probability with which a feature of the skip connection is dropped in training.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: the features do not fit the layer or the graph, or a weight is negative.
        UnknownNameError: there is no such activation.

    Source: Bianchi, Grattarola, Livi and Alippi, Graph Neural Networks with Convolutional ARMA Filters, TPAMI 2021.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        num_stacks: int = 1,
        num_steps: int = 1,
        share_weights: bool = False,
        activation: str | None = "relu",
        skip_dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("stack", num_stacks)
        check_count("step", num_steps)
        check_share("a dropout", skip_dropout)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_stacks = num_stacks
        self.num_steps = num_steps
        self.share_weights = share_weights
        self.skip_dropout = skip_dropout
        self.activation = activation_named(activation)
        own = 1 if share_weights else num_steps
        recursions = min(1, num_steps - 1) if share_weights else num_steps - 1
        self.weight_first = nn.Parameter(torch.empty(num_stacks, out_channels, in_channels))
        self.weight = (
            nn.Parameter(torch.empty(recursions, num_stacks, out_channels, out_channels))
            if recursions
            else None
        )
        self.weight_skip = nn.Parameter(torch.empty(own, num_stacks, out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(own, num_stacks, out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights for each step and stack on its own, zero bias."""
        for parameter in (self.weight_first, self.weight, self.weight_skip):
            if parameter is not None:
                for weight in parameter.view(-1, *parameter.shape[-2:]):
                    nn.init.xavier_uniform_(weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x)).normalized(
            "sym", self_loops=False, dtype=self.weight_first.dtype
        )
        h = linear(x, self.weight_first.flatten(0, 1))
        h = h.view(-1, self.num_stacks, self.out_channels)
        for step in range(self.num_steps):
            own = 0 if self.share_weights else step
            if self.weight is not None and step > 0:
                h = torch.einsum("nsi,soi->nso", h, self.weight[max(0, own - 1)])
            skip = linear(dropout(x, self.skip_dropout, self.training), self.weight_skip[own].flatten(0, 1))
            h = propagate(adjacency, h) + skip.view_as(h)
            h = self.activation(h if self.bias is None else h + self.bias[own])
        return h.mean(1)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, num_stacks={self.num_stacks}, "
            f"num_steps={self.num_steps}, share_weights={self.share_weights}, skip_dropout={self.skip_dropout}, "
            f"bias={self.bias is not None}"
        )
