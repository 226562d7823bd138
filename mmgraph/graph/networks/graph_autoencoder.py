"""Graphs folded into one vector per node, out of which the links come again (GAE, VGAE)."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_count, check_name
from mmgraph.graph.convolutions.catalogue import Convolution
from mmgraph.graph.networks.decoders import DotDecoder, MLPDecoder
from mmgraph.graph.networks.gnn import GNN
from mmgraph.graph.sparse_features import Features

Decoding = Literal["dot", "mlp"]


class Encoding(NamedTuple):
    """Where the vector of every node is expected, and the logarithm of how far it scatters; None for a point.

    Shapes:
        mean, log_std (num_nodes, embedding_channels).
    """

    mean: Tensor
    log_std: Tensor | None

    def sample(self) -> Tensor:
        """z = μ + σ ∘ ε with ε ~ N(0, I); μ where nothing scatters."""
        if self.log_std is None:
            return self.mean
        return self.mean + self.log_std.exp() * torch.randn_like(self.mean)

    def divergence(self) -> Tensor:
        """KL(N(μᵢ, σᵢ²) ‖ N(0, I)) = ½ Σ (μᵢ² + σᵢ² − 1 − 2 log σᵢ), averaged over nodes; 0 for points."""
        if self.log_std is None:
            return self.mean.new_zeros(())
        terms = self.mean.square() + (2 * self.log_std).exp() - 1 - 2 * self.log_std
        return terms.sum(dim=1).mean() / 2


class GraphAutoencoder(nn.Module):
    """A graph network gives every node a vector, a decoder says from two of them whether there is a link.

    plain:       z = GNN(x, graph)
    variational: z ~ N(μ, diag σ²), [μ, log σ] = GNN(x, graph): two last layers over the same hidden ones
    link:        s_uv = decoder(z_u, z_v), p(u–v) = 1 / (1 + exp(−s_uv))

    In evaluation z = μ.

    Args:
        in_channels: features per node.
        hidden_channels: features per node between the convolutions; with attention, per head.
        embedding_channels: numbers in the vector of a node.
        conv: convolution of `GNN`.
        decoder: "dot", or "mlp" on z_u ∘ z_v.
        variational: whether vectors are drawn in training, and kept near N(0, I) by `Encoding.divergence`.
        dropout: probability with which a feature is dropped before each convolution in training.
        options: others of `GNN` and its convolution.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes, pairs (2, n): (n,).

    Raises:
        InputError: a number is out of range, or features, graph and pairs do not fit.
        UnknownNameError: there is no such convolution, decoder or option.

    Source: Kipf and Welling, Variational Graph Auto-Encoders, NeurIPS workshop 2016.
    Differs: log σ and μ start with the spread of one layer of both widths.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int = 32,
        embedding_channels: int = 16,
        conv: Convolution = "gcn",
        *,
        decoder: Decoding = "dot",
        variational: bool = False,
        dropout: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__()
        check_count("embedding channel", embedding_channels)
        check_name("decoder", decoder, get_args(Decoding))
        self.variational = variational
        self.encoder: nn.Module = GNN(
            in_channels,
            hidden_channels,
            embedding_channels * (2 if variational else 1),
            conv=conv,
            dropout=dropout,
            **options,
        )
        self.decoder = (
            DotDecoder()
            if decoder == "dot"
            else MLPDecoder(embedding_channels, hidden_channels, dropout=dropout)
        )

    def encode(self, x: Features, graph: Adjacency | Tensor) -> Encoding:
        """What is known of the vector of every node."""
        out: Tensor = self.encoder(x, graph)
        if not self.variational:
            return Encoding(out, None)
        mean, log_std = out.chunk(2, dim=1)
        return Encoding(mean, log_std)

    def decode(self, z: Tensor, pairs: Tensor) -> Tensor:
        """The score of every pair; above 0 a link is more likely than none."""
        scores: Tensor = self.decoder(z, pairs)
        return scores.flatten()

    def forward(self, x: Features, graph: Adjacency | Tensor, pairs: Tensor) -> Tensor:
        encoding = self.encode(x, graph)
        return self.decode(encoding.sample() if self.training else encoding.mean, pairs)

    def extra_repr(self) -> str:
        return f"variational={self.variational}"
