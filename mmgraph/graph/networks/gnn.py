"""The one configurable graph network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.activations import activation_named
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count, check_name, check_share
from mmgraph.graph.convolutions.appnp import APPNP
from mmgraph.graph.convolutions.arma_conv import ARMAConv
from mmgraph.graph.convolutions.catalogue import ATTENDING, LAYERS, Convolution, options_for
from mmgraph.graph.convolutions.edge_conv import EdgeConv
from mmgraph.graph.convolutions.relational_gcn_conv import RelationalGCNConv
from mmgraph.graph.networks.jumping_knowledge import Joining, JumpingKnowledge
from mmgraph.graph.networks.layerwise_linear import LayerwiseLinear
from mmgraph.graph.networks.pooling import AttentionPooling, Pooling, checked_batch, pool
from mmgraph.graph.networks.top_k_pooling import TopKPooling
from mmgraph.graph.partitioning.exchange import DistributedGraph
from mmgraph.graph.sparse_features import Features, check_features, dropout, linear

FeatureNormalization = Literal["batch", "layer"]
Readout = Literal["sum", "mean", "max", "attention", "top-k"]

__all__ = ["GNN", "Convolution", "FeatureNormalization", "Readout"]


_Graph: TypeAlias = Adjacency | DistributedGraph


class GNN(nn.Module):
    """Convolutions one after the other, with dropout before each and an activation between them.

    h⁰ = x,  hˡ = σ(norm(convˡ(dropout(hˡ⁻¹), graph))) [+ Rˡ hˡ⁻¹],  logits = convᴸ(dropout(hᴸ⁻¹), graph)

    With `jumping_knowledge` or `pooling` all L convolutions are hidden ones and a linear map gives the logits:
    logits = W dropout(pool(join(h¹, …, hᴸ))) + b, or with "layerwise" Σₗ dropout(Wₗ pool(hˡ)) + b from l = 0 on.

    Args:
        in_channels: features per node.
        hidden_channels: features per node between the convolutions; with attention, per head.
        out_channels: logits per node, or per graph where there is pooling.
        num_layers: number of convolutions, kept in `convs`.
        conv: "appnp", "arma", "cayley", "cheb", "edge", "gat", "gatv2", "gcn", "gin", "linear", "rgcn", "sage",
            "sgc" or "spectral". "linear" reads no edges; "appnp" is "linear" with propagation at the end.
        heads: attention heads between the convolutions, concatenated (gat, gatv2).
        output_heads: attention heads of the last convolution where it gives the logits, averaged (gat, gatv2).
        dropout: probability with which a feature is dropped before each convolution in training.
        attention_dropout: probability with which an attention coefficient is dropped in training (gat, gatv2).
        activation: "relu", "elu", "leaky_relu", "gelu" or "tanh".
        residual: add hˡ⁻¹ to hˡ, through a linear map R where it has another width.
        norm: "batch" or "layer" normalisation of every hidden convolution's output; None for none.
        jumping_knowledge: "cat", "max" or "lstm" joins what all layers saw; "layerwise" gives each of them, the
            features x included, a linear map to logits of its own and adds these up; None takes the last.
        pooling: "sum", "mean", "max", "attention" or "top-k" (the mean over the nodes that score highest) over the
            nodes of each graph; None keeps nodes.
        head_dropout: the same before the linear map that gives the logits, or of each layer's logits where that is
            layerwise; as `dropout` by default.
        options: of the convolution, such as K for "cheb" or aggregation for "sage"; of `APPNP` for "appnp".

    Shapes:
        x (num_nodes, in_channels), dense or SparseFeatures where the convolution takes them; graph with num_nodes
        nodes; batch (num_nodes,) integers; edge_attr one row per edge in the order given, relations (E,) for
        "rgcn", features (E, edge_channels) for "edge": (num_nodes, out_channels) or (num_graphs, out_channels).

    Raises:
        InputError: a number is out of range, or the features do not fit the network or the graph.
        UnknownNameError: there is no such convolution, activation, option, ….
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
        residual: bool = False,
        norm: FeatureNormalization | None = None,
        jumping_knowledge: Joining | Literal["layerwise"] | None = None,
        pooling: Readout | None = None,
        head_dropout: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        check_count("layer", num_layers)
        head_dropout = dropout if head_dropout is None else head_dropout
        check_share("a dropout", dropout)
        check_share("a dropout", head_dropout)
        check_channels(hidden_channels, out_channels)
        check_name("graph convolution", conv, get_args(Convolution))
        if norm is not None:
            check_name("normalisation of features", norm, get_args(FeatureNormalization))
        if pooling is not None:
            check_name("pooling", pooling, get_args(Readout))
        propagation = options_for(conv, options)
        attends = issubclass(LAYERS[conv], ATTENDING)
        width = hidden_channels * heads if attends else hidden_channels
        has_head = jumping_knowledge is not None or pooling is not None
        num_hidden = num_layers if has_head else num_layers - 1

        self.in_channels = in_channels
        self.convs = nn.ModuleList()
        for layer in range(num_layers):
            hidden = layer < num_hidden
            given = {} if conv == "appnp" else dict(options)
            if attends:
                given |= {
                    "heads": heads if hidden else output_heads,
                    "concat": hidden,
                    "attention_dropout": attention_dropout,
                }
            elif conv == "arma":
                given["activation"] = activation if hidden else None
            self.convs.append(
                LAYERS[conv](
                    width if layer else in_channels, hidden_channels if hidden else out_channels, **given
                )
            )
        self.propagation = APPNP(**propagation) if conv == "appnp" else None
        widths = [in_channels] + [width] * num_hidden
        self.shortcuts = nn.ModuleList(
            nn.Identity() if before == after else nn.Linear(before, after, bias=False)
            for before, after in pairwise(widths)
            if residual
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(width) if norm == "batch" else nn.LayerNorm(width)
            for _ in range(num_hidden)
            if norm is not None
        )
        self.layerwise = jumping_knowledge == "layerwise"
        self.jump: JumpingKnowledge | None = None
        if jumping_knowledge is not None and jumping_knowledge != "layerwise":
            self.jump = JumpingKnowledge(jumping_knowledge, width, num_layers)
        joined = sum(widths) if self.layerwise else width if self.jump is None else self.jump.out_channels
        self.pooling = pooling
        self.pool: nn.Module | None = None
        if pooling == "attention":
            self.pool = AttentionPooling(joined)
        elif pooling == "top-k":
            self.pool = TopKPooling(joined)
        self.head: nn.Linear | None = None
        if self.layerwise:
            self.head = LayerwiseLinear(widths, out_channels, dropout=head_dropout)
        elif has_head:
            self.head = nn.Linear(joined, out_channels)
        self.activation = activation_named(activation)
        self.dropout = dropout
        self.head_dropout = 0.0 if self.layerwise else head_dropout

    def forward(
        self,
        x: Features,
        graph: Adjacency | DistributedGraph | Tensor,
        batch: Tensor | None = None,
        edge_attr: Tensor | None = None,
    ) -> Tensor:
        adjacency = self._checked(x, graph)
        h = self._represented(x, adjacency, batch, edge_attr)
        if self.head is not None:
            logits: Tensor = self.head(dropout(h, self.head_dropout, self.training))
            return logits
        logits = self._layer(len(self.convs) - 1, h, self._dropped(h), adjacency, edge_attr)
        return self._propagated(logits, adjacency)

    def layer(
        self, layer: int, h: Features, graph: Adjacency | Tensor, edge_attr: Tensor | None = None
    ) -> Tensor:
        """hˡ from hˡ⁻¹, for those who go through a graph layer by layer; the first layer is 0.

        The last one gives the logits where no linear map does (`head` is None), before any APPNP (`propagation`).
        """
        return self._layer(layer, h, self._dropped(h), Adjacency.of(graph, len(h)), edge_attr)

    def join(self, x: Features, layers: Sequence[Tensor]) -> Tensor:
        """What `propagation`, pooling and `head` work on, from the features and h¹, …, hᴸ of the same nodes."""
        if self.layerwise:
            return torch.cat([x.to_dense(), *layers], dim=1)
        joined: Tensor = layers[-1] if self.jump is None else self.jump(layers)
        return joined

    def embed(
        self,
        x: Features,
        graph: Adjacency | DistributedGraph | Tensor,
        batch: Tensor | None = None,
        edge_attr: Tensor | None = None,
    ) -> Tensor:
        """What the logits are made of: hᴸ⁻¹, or what is joined and pooled, one row per node or graph."""
        h = self._represented(x, self._checked(x, graph), batch, edge_attr)
        return h.to_dense()

    def attention(
        self, x: Features, graph: Adjacency | Tensor, edge_attr: Tensor | None = None
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """For every attending convolution by name: its edges and coefficients, as `GATConv.attention`.

        Raises:
            InputError: no convolution of this network attends.
        """
        maps: dict[str, tuple[Tensor, Tensor]] = {}
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x))
        for layer, conv in enumerate(self.convs):
            dropped = self._dropped(x)
            if isinstance(conv, ATTENDING):
                maps[f"convs.{layer}"] = conv.attention(dropped, adjacency)
            if layer < len(self.convs) - 1:
                x = self._layer(layer, x, dropped, adjacency, edge_attr)
        if not maps:
            raise InputError("Expected a network with attention, but no convolution of this one attends.")
        return maps

    def extra_repr(self) -> str:
        return f"dropout={self.dropout}" + ("" if self.pooling is None else f", pooling={self.pooling!r}")

    def _checked(self, x: Features, graph: Adjacency | DistributedGraph | Tensor) -> _Graph:
        check_features(x, self.in_channels)
        if not isinstance(graph, DistributedGraph):
            return Adjacency.of(graph, len(x))
        if self.pooling is not None or self.propagation is not None:
            raise InputError(
                "Expected a network without pooling and APPNP for a graph that lies on several processes."
            )
        if len(x) != graph.num_nodes:
            raise InputError(
                f"Expected features of the {graph.num_nodes} nodes that this process owns, but got {len(x)} rows."
            )
        return graph

    def _represented(
        self, x: Features, adjacency: _Graph, batch: Tensor | None, edge_attr: Tensor | None
    ) -> Features:
        """What the last map works on: that of the nodes, or with pooling of the graphs."""
        layers: list[Tensor] = []
        h = x
        for layer in range(len(self.convs) if self.head is not None else len(self.convs) - 1):
            h = self._layer(layer, h, self._dropped(h), adjacency, edge_attr)
            layers.append(h)
        if self.head is None:
            return h
        joined = self.join(x, layers)
        joined = self._propagated(joined, adjacency)
        return self._pooled(joined, adjacency, batch)

    def _layer(
        self, layer: int, h: Features, dropped: Features, adjacency: _Graph, edge_attr: Tensor | None
    ) -> Tensor:
        y = self._convolved(self.convs[layer], dropped, adjacency, edge_attr)
        if self.head is None and layer == len(self.convs) - 1:
            return y
        if len(self.norms):
            y = self.norms[layer](y)
        if not isinstance(self.convs[layer], ARMAConv):
            y = self.activation(y)
        if len(self.shortcuts):
            shortcut = self.shortcuts[layer]
            y = y + (linear(h, shortcut.weight) if isinstance(shortcut, nn.Linear) else h.to_dense())
        return y

    def _convolved(self, conv: nn.Module, h: Features, adjacency: _Graph, edge_attr: Tensor | None) -> Tensor:
        y: Tensor
        if isinstance(adjacency, DistributedGraph):
            y = adjacency.convolve(conv, h.to_dense())
        elif isinstance(conv, (RelationalGCNConv, EdgeConv)):
            y = conv(h, adjacency, edge_attr)
        else:
            y = conv(h, adjacency)
        return y

    def _propagated(self, h: Tensor, adjacency: _Graph) -> Tensor:
        if self.propagation is None or isinstance(adjacency, DistributedGraph):
            return h
        y: Tensor = self.propagation(h, adjacency)
        return y

    def _pooled(self, h: Tensor, adjacency: _Graph, batch: Tensor | None) -> Tensor:
        if self.pooling is None or isinstance(adjacency, DistributedGraph):
            return h
        batch, num_graphs = checked_batch(h, batch, None)
        if isinstance(self.pool, AttentionPooling):
            pooled: Tensor = self.pool(h, batch, num_graphs)
            return pooled
        if isinstance(self.pool, TopKPooling):
            smaller = self.pool(h, adjacency, batch)
            return pool(smaller.x, smaller.batch, "mean", num_graphs)
        kinds: dict[str, Pooling] = {"sum": "sum", "mean": "mean", "max": "max"}
        return pool(h, batch, kinds[self.pooling], num_graphs)

    def _dropped(self, x: Features) -> Features:
        return dropout(x, self.dropout, self.training)
