"""Graph attention whose ranking of neighbours depends on who asks (GATv2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count, check_share
from mmgraph.graph.propagation import propagate, segment_softmax
from mmgraph.graph.sparse_features import Features, check_features, linear

# Entries of edges × heads × channels looked at together: 16 MB of float32.
_BLOCK = 1 << 22


class GATv2Conv(nn.Module):
    """Attention over the incoming edges of every node, with the non-linearity before the attention vector.

    per head:  eᵢⱼ = a · LeakyReLU(W_source xⱼ + W_target xᵢ),  αᵢⱼ = softmaxⱼ(eᵢⱼ),  yᵢ = Σ_{j→i} αᵢⱼ W_source xⱼ;
    heads are concatenated or averaged, then b is added.

    Only where the edges are matters: weights of the graph do not enter. As in the paper every node attends to
    itself, by exactly one self-loop. Scores are computed for a block of edges after the other, and again for
    their gradients, so edges × channels are never held at once.

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
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("head", heads)
        check_share("an attention dropout", attention_dropout)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.heads = heads
        self.concat = concat
        self.negative_slope = negative_slope
        self.attention_dropout = attention_dropout
        self.self_loops = self_loops
        self.weight_source = nn.Parameter(torch.empty(heads * out_channels, in_channels))
        self.weight_target = (
            None if share_weights else nn.Parameter(torch.empty(heads * out_channels, in_channels))
        )
        self.attention_vector = nn.Parameter(torch.empty(heads, out_channels))
        self.bias = (
            nn.Parameter(torch.empty(heads * out_channels if concat else out_channels)) if bias else None
        )
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

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        adjacency, source, alpha = self._coefficients(x, graph)
        alpha = nn.functional.dropout(alpha, self.attention_dropout, self.training)
        y = propagate(adjacency, source, alpha)
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
        """The graph attended over, W_source x as (num_nodes, heads, channels), and α in CSR order."""
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x))
        if self.self_loops:
            adjacency = adjacency.with_self_loops()
        source = linear(x, self.weight_source).view(-1, self.heads, self.out_channels)
        target = source
        if self.weight_target is not None:
            target = linear(x, self.weight_target).view_as(source)
        return adjacency, source, segment_softmax(self._scores(adjacency, source, target), adjacency.rowptr)

    def _scores(self, adjacency: Adjacency, source: Tensor, target: Tensor) -> Tensor:
        # The gradient of a block is as large as all nodes, so a block has at least as many edges.
        size = max(adjacency.num_nodes, _BLOCK // (self.heads * self.out_channels), 1)
        if adjacency.num_edges <= size:
            return self._scores_of(source, target, adjacency.col, adjacency.row)
        blocks = zip(adjacency.col.split(size), adjacency.row.split(size), strict=True)
        scores: list[Tensor] = [
            checkpoint(
                self._scores_of, source, target, col, row, use_reentrant=False, preserve_rng_state=False
            )
            for col, row in blocks
        ]
        return torch.cat(scores)

    def _scores_of(self, source: Tensor, target: Tensor, col: Tensor, row: Tensor) -> Tensor:
        pairs = nn.functional.leaky_relu(
            source.index_select(0, col) + target.index_select(0, row), self.negative_slope
        )
        return (pairs * self.attention_vector).sum(-1)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, heads={self.heads}, concat={self.concat}, "
            f"share_weights={self.weight_target is None}, negative_slope={self.negative_slope}, "
            f"attention_dropout={self.attention_dropout}, self_loops={self.self_loops}, "
            f"bias={self.bias is not None}"
        )
