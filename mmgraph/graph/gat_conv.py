"""Graph attention (GAT)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.propagation import propagate, segment_softmax
from mmgraph.graph.sparse_features import Features, check_features, linear


class GATConv(nn.Module):
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
        super().__init__()
        if in_channels < 1 or out_channels < 1 or heads < 1:
            raise InputError(
                f"Expected at least one channel and one head, but got {in_channels} channels in, "
                f"{out_channels} out and {heads} heads."
            )
        if not 0 <= attention_dropout <= 1:
            raise InputError(f"Expected an attention dropout from 0 to 1, but got {attention_dropout}.")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.heads = heads
        self.concat = concat
        self.negative_slope = negative_slope
        self.attention_dropout = attention_dropout
        self.self_loops = self_loops
        self.weight = nn.Parameter(torch.empty(heads * out_channels, in_channels))
        self.attention_source = nn.Parameter(torch.empty(heads, out_channels))
        self.attention_target = nn.Parameter(torch.empty(heads, out_channels))
        self.bias = (
            nn.Parameter(torch.empty(heads * out_channels if concat else out_channels)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights for each head on its own, zero bias."""
        for head in range(self.heads):
            nn.init.xavier_uniform_(self.weight.view(self.heads, self.out_channels, -1)[head])
            nn.init.xavier_uniform_(self.attention_source[head : head + 1])
            nn.init.xavier_uniform_(self.attention_target[head : head + 1])
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        adjacency, h, alpha = self._coefficients(x, graph)
        alpha = nn.functional.dropout(alpha, self.attention_dropout, self.training)
        y = propagate(adjacency, h, alpha)
        y = y.flatten(1) if self.concat else y.mean(1)
        return y if self.bias is None else y + self.bias

    def attention(self, x: Features, graph: Adjacency | Tensor) -> tuple[Tensor, Tensor]:
        """The edges, self-loops included, and the coefficient of each per head, before any dropout.

        Edges come in the order given; where self-loops are added, first those between different nodes, then
        the loops of nodes 0, 1, …. Over the edges into one node the coefficients of a head sum to 1.

        Shapes:
            edge_index (2, E), alpha (E, heads).
        """
        adjacency, _, alpha = self._coefficients(x, graph)
        edge_index, _ = adjacency.to_edge_index()
        return edge_index, adjacency.in_given_order(alpha)

    def _coefficients(self, x: Features, graph: Adjacency | Tensor) -> tuple[Adjacency, Tensor, Tensor]:
        """The graph attended over, W x as (num_nodes, heads, channels), and α in CSR order."""
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x))
        if self.self_loops:
            adjacency = adjacency.with_self_loops()
        h = linear(x, self.weight).view(-1, self.heads, self.out_channels)
        source = (h * self.attention_source).sum(-1).index_select(0, adjacency.col)
        target = (h * self.attention_target).sum(-1).index_select(0, adjacency.row)
        scores = nn.functional.leaky_relu(source + target, self.negative_slope)
        return adjacency, h, segment_softmax(scores, adjacency.rowptr)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, heads={self.heads}, concat={self.concat}, "
            f"negative_slope={self.negative_slope}, attention_dropout={self.attention_dropout}, "
            f"self_loops={self.self_loops}, bias={self.bias is not None}"
        )
