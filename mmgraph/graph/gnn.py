"""The one configurable graph network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.gat_conv import GATConv
from mmgraph.graph.gcn_conv import GCNConv
from mmgraph.graph.sparse_features import Features, check_features, dropout

Convolution = Literal["gcn", "gat"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


class GNN(nn.Module):
    """Convolutions one after the other, with dropout before each and an activation between them.

    h⁰ = x,  hˡ = σ(convˡ(dropout(hˡ⁻¹), graph)),  logits = convᴸ(dropout(hᴸ⁻¹), graph)

    Args:
        in_channels: features per node.
        hidden_channels: features per node between the convolutions; with attention, per head.
        out_channels: logits per node.
        num_layers: number of convolutions, kept in `convs`.
        conv: "gcn" or "gat".
        heads: attention heads between the convolutions, concatenated (gat).
        output_heads: attention heads of the last convolution, averaged (gat).
        dropout: probability with which a feature is dropped before each convolution in training.
        attention_dropout: probability with which an attention coefficient is dropped in training (gat).
        activation: "relu", "elu", "leaky_relu", "gelu" or "tanh".

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: a number is out of range, or the features do not fit the network or the graph.
        UnknownNameError: there is no such convolution or activation.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        conv: Convolution = "gcn",
        *,
        heads: int = 8,
        output_heads: int = 1,
        dropout: float = 0.5,
        attention_dropout: float = 0.0,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise InputError(f"Expected at least one layer, but got {num_layers}.")
        if not 0 <= dropout <= 1:
            raise InputError(f"Expected a dropout from 0 to 1, but got {dropout}.")
        if conv not in get_args(Convolution):
            raise UnknownNameError.of("graph convolution", conv, get_args(Convolution))
        if activation not in ACTIVATIONS:
            raise UnknownNameError.of("activation", activation, ACTIVATIONS)
        self.in_channels = in_channels
        self.convs = nn.ModuleList()
        for layer in range(num_layers):
            last = layer == num_layers - 1
            channels = out_channels if last else hidden_channels
            if conv == "gcn":
                self.convs.append(GCNConv(in_channels, channels))
                in_channels = channels
            else:
                self.convs.append(
                    GATConv(
                        in_channels,
                        channels,
                        heads=output_heads if last else heads,
                        concat=not last,
                        attention_dropout=attention_dropout,
                    )
                )
                in_channels = channels * heads
        self.activation = ACTIVATIONS[activation]()
        self.dropout = dropout

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        adjacency = self._checked(x, graph)
        logits: Tensor = self.convs[-1](self._dropped(self._hidden(x, adjacency)), adjacency)
        return logits

    def embed(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        """What the last convolution works on, hᴸ⁻¹: (num_nodes, hidden_channels), times heads with attention."""
        h = self._hidden(x, self._checked(x, graph))
        return h.to_dense()

    def attention(self, x: Features, graph: Adjacency | Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """For every attending convolution by name: its edges and coefficients, as `GATConv.attention`.

        Raises:
            InputError: no convolution of this network attends.
        """
        adjacency = self._checked(x, graph)
        maps: dict[str, tuple[Tensor, Tensor]] = {}
        for layer, conv in enumerate(self.convs):
            x = self._dropped(x)
            if isinstance(conv, GATConv):
                maps[f"convs.{layer}"] = conv.attention(x, adjacency)
            x = self.activation(conv(x, adjacency))
        if not maps:
            raise InputError("Expected a network with attention, but no convolution of this one attends.")
        return maps

    def extra_repr(self) -> str:
        return f"dropout={self.dropout}"

    def _checked(self, x: Features, graph: Adjacency | Tensor) -> Adjacency:
        check_features(x, self.in_channels)
        return Adjacency.of(graph, len(x))

    def _hidden(self, x: Features, adjacency: Adjacency) -> Features:
        for conv in self.convs[:-1]:
            x = self.activation(conv(self._dropped(x), adjacency))
        return x

    def _dropped(self, x: Features) -> Features:
        return dropout(x, self.dropout, self.training)
