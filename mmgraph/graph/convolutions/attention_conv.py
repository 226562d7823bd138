"""What attending convolutions share: everything but where the scores come from."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count, check_share
from mmgraph.graph.kernels.edge_scores import edge_scores
from mmgraph.graph.kernels.edge_softmax import segment_softmax
from mmgraph.graph.kernels.random_zeros import drop
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, check_features


class Terms(NamedTuple):
    """What the nodes bring: their messages, and s, t and v of the scores ⟨v, LeakyReLU(sⱼ + tᵢ)⟩.

    Shapes:
        message (num_nodes, heads, out_channels), source and target (num_nodes, heads, k), vector (heads, k).
    """

    message: Tensor
    source: Tensor
    target: Tensor
    vector: Tensor


class AttentionConv(nn.Module):
    """Attention over the incoming edges of every node; `terms` says by what.

    per head:  αᵢⱼ = softmaxⱼ ⟨v, LeakyReLU(sⱼ + tᵢ)⟩,  yᵢ = Σ_{j→i} αᵢⱼ mⱼ;  heads are concatenated or averaged,
    then b is added.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        heads: int,
        concat: bool,
        negative_slope: float,
        attention_dropout: float,
        self_loops: bool,
        bias: bool,
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
        self.bias = (
            nn.Parameter(torch.empty(heads * out_channels if concat else out_channels)) if bias else None
        )

    @abstractmethod
    def terms(self, x: Features) -> Terms:
        """What the nodes bring."""

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        adjacency, message, alpha = self._coefficients(x, graph)
        if self.training and self.attention_dropout > 0:
            alpha = drop(alpha, self.attention_dropout)
        y = propagate(adjacency, message, alpha)
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
        """The graph attended over, the messages, and α in CSR order, (E, heads)."""
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x))
        if self.self_loops:
            adjacency = adjacency.with_self_loops()
        message, source, target, vector = self.terms(x)
        scores = edge_scores(adjacency.pattern, source, target, vector, self.negative_slope)
        return adjacency, message, segment_softmax(scores, adjacency.rowptr)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, heads={self.heads}, concat={self.concat}, "
            f"negative_slope={self.negative_slope}, attention_dropout={self.attention_dropout}, "
            f"self_loops={self.self_loops}, bias={self.bias is not None}"
        )
