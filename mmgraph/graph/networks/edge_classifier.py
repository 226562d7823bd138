"""What kind of edge joins two nodes: a graph network and a perceptron over both ends."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.convolutions.catalogue import Convolution
from mmgraph.graph.networks.decoders import MLPDecoder, PairJoin
from mmgraph.graph.networks.gnn import GNN
from mmgraph.graph.sparse_features import Features


class EdgeClassifier(nn.Module):
    """A graph network gives every node a vector, a perceptron reads those of both ends and the edge's features.

    Z = σ(GNN(x, graph)),  logits_uv = MLP(join(z_u, z_v), e_uv)

    Args:
        in_channels: features per node.
        hidden_channels: features per node between the convolutions (with attention, per head) and after the last,
            and of the perceptron.
        out_channels: classes.
        num_layers: number of convolutions.
        conv: convolution of `GNN`.
        join: "product", "symmetric" or "ends", as in `MLPDecoder`.
        edge_channels: features per edge; 0 where there are none.
        dropout: probability with which a feature is dropped before each layer in training.
        options: others of `GNN` and its convolution.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes, pairs (2, n), edge_attr
        (n, edge_channels): (n, out_channels). Pairs need not be edges of the graph.

    Raises:
        InputError: a number is out of range, or features, graph and pairs do not fit.
        UnknownNameError: there is no such convolution, join or option.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        conv: Convolution = "gcn",
        *,
        join: PairJoin = "symmetric",
        edge_channels: int = 0,
        dropout: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__()
        self.encoder = GNN(
            in_channels, hidden_channels, hidden_channels, num_layers, conv, dropout=dropout, **options
        )
        self.dropout = nn.Dropout(dropout)
        self.decoder = MLPDecoder(
            hidden_channels,
            hidden_channels,
            out_channels,
            join=join,
            edge_channels=edge_channels,
            dropout=dropout,
        )

    def encode(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        """The vector of every node, (num_nodes, hidden_channels)."""
        z: Tensor = self.encoder.activation(self.encoder(x, graph))
        return z

    def forward(
        self, x: Features, graph: Adjacency | Tensor, pairs: Tensor, edge_attr: Tensor | None = None
    ) -> Tensor:
        logits: Tensor = self.decoder(self.dropout(self.encode(x, graph)), pairs, edge_attr)
        return logits

    def embed(
        self, x: Features, graph: Adjacency | Tensor, pairs: Tensor, edge_attr: Tensor | None = None
    ) -> Tensor:
        """What the logits of every pair are made of, (n, hidden_channels)."""
        return self.decoder.embed(self.encode(x, graph), pairs, edge_attr)
