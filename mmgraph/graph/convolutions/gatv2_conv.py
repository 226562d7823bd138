"""Graph attention whose ranking of neighbours depends on who asks (GATv2)."""

from __future__ import annotations

import torch
from torch import nn

from mmgraph.graph.convolutions.attention_conv import AttentionConv, Terms
from mmgraph.graph.sparse_features import Features, linear


class GATv2Conv(AttentionConv):
    """Attention over the incoming edges of every node, with the non-linearity before the attention vector.

    per head:  eᵢⱼ = a · LeakyReLU(W_source xⱼ + W_target xᵢ),  αᵢⱼ = softmaxⱼ(eᵢⱼ),  yᵢ = Σ_{j→i} αᵢⱼ W_source xⱼ;
    heads are concatenated or averaged, then b is added.

    Only where the edges are matters: weights of the graph do not enter. As in the paper every node attends to
    itself, by exactly one self-loop. Edges × channels are never held at once.

    Args:
        in_channels: features per node.
        out_channels: features per node and head.
        heads: number of heads.
        concat: concatenate the heads, otherwise average them.
        share_weights: take W_target = W_source.
        negative_slope: of the LeakyReLU.
        attention_dropout: probability with which a coefficient αᵢⱼ is dropped in training.
        self_loops: whether every node attends to itself; otherwise self-loops stay as they are in the graph.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes:
        (num_nodes, heads · out_channels) where concatenated, (num_nodes, out_channels) where averaged.

    Raises:
        InputError: an argument is out of range, or the features do not fit the layer or the graph.

    Source: Brody, Alon and Yahav, How Attentive are Graph Attention Networks?, ICLR 2022.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        heads: int = 1,
        concat: bool = True,
        share_weights: bool = False,
        negative_slope: float = 0.2,
        attention_dropout: float = 0.0,
        self_loops: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            heads=heads,
            concat=concat,
            negative_slope=negative_slope,
            attention_dropout=attention_dropout,
            self_loops=self_loops,
            bias=bias,
        )
        self.weight_source = nn.Parameter(torch.empty(heads * out_channels, in_channels))
        self.weight_target = (
            None if share_weights else nn.Parameter(torch.empty(heads * out_channels, in_channels))
        )
        self.attention_vector = nn.Parameter(torch.empty(heads, out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights for each head on its own, zero bias."""
        for head in range(self.heads):
            for weight in (self.weight_source, self.weight_target):
                if weight is not None:
                    nn.init.xavier_uniform_(weight.view(self.heads, self.out_channels, -1)[head])
            nn.init.xavier_uniform_(self.attention_vector[head : head + 1])
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def terms(self, x: Features) -> Terms:
        source = linear(x, self.weight_source).view(-1, self.heads, self.out_channels)
        target = source if self.weight_target is None else linear(x, self.weight_target).view_as(source)
        return Terms(source, source, target, self.attention_vector)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, share_weights={self.weight_target is None}"
