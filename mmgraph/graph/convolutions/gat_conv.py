"""Graph attention (GAT)."""

from __future__ import annotations

import torch
from torch import nn

from mmgraph.graph.convolutions.attention_conv import AttentionConv, Terms
from mmgraph.graph.sparse_features import Features, linear


class GATConv(AttentionConv):
    """Attention over the incoming edges of every node.

    per head:  hᵢ = W xᵢ,  eᵢⱼ = LeakyReLU(a_source · hⱼ + a_target · hᵢ),  αᵢⱼ = softmaxⱼ(eᵢⱼ),
    yᵢ = Σ_{j→i} αᵢⱼ hⱼ;  heads are concatenated or averaged, then b is added.

    Only where the edges are matters: weights of the graph do not enter. As in the paper every node attends to
    itself, by exactly one self-loop.

    Args:
        in_channels: features per node.
        out_channels: features per node and head.
        heads: number of heads.
        concat: concatenate the heads, otherwise average them.
        negative_slope: of the LeakyReLU.
        attention_dropout: probability with which a coefficient αᵢⱼ is dropped in training.
        self_loops: whether every node attends to itself; otherwise self-loops stay as they are in the graph.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes:
        (num_nodes, heads · out_channels) where concatenated, (num_nodes, out_channels) where averaged.

    Raises:
        InputError: an argument is out of range, or the features do not fit the layer or the graph.

    Source: Veličković et al., Graph Attention Networks, ICLR 2018.
    Differs: W xᵢ is not dropped a second time after the product, as it is in the authors' code.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        heads: int = 1,
        concat: bool = True,
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
        self.weight = nn.Parameter(torch.empty(heads * out_channels, in_channels))
        self.attention_source = nn.Parameter(torch.empty(heads, out_channels))
        self.attention_target = nn.Parameter(torch.empty(heads, out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights for each head on its own, zero bias."""
        for head in range(self.heads):
            nn.init.xavier_uniform_(self.weight.view(self.heads, self.out_channels, -1)[head])
            nn.init.xavier_uniform_(self.attention_source[head : head + 1])
            nn.init.xavier_uniform_(self.attention_target[head : head + 1])
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def terms(self, x: Features) -> Terms:
        weight = self.weight.view(self.heads, self.out_channels, self.in_channels)
        message = linear(x, self.weight).view(-1, self.heads, self.out_channels)
        # a · W x = (Wᵀ a) · x: nothing of the messages' size is made or kept for the scores.
        ends = torch.stack([self.attention_source, self.attention_target])
        ends = torch.einsum("ehc,hci->ehi", ends, weight).flatten(0, 1)
        # Autocast makes the product of weights shorter, but not sparse features.
        sums = linear(x, ends.to(self.weight.dtype))
        source, target = sums.view(-1, 2, self.heads, 1).unbind(1)
        return Terms(message, source, target, message.new_ones(self.heads, 1))
