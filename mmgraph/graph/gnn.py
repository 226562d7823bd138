"""The one configurable graph network."""

from __future__ import annotations

import inspect
from itertools import pairwise
from typing import Any, Literal, get_args

from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.activations import activation_named
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.appnp import APPNP
from mmgraph.graph.arguments import check_channels, check_count, check_name, check_share
from mmgraph.graph.arma_conv import ARMAConv
from mmgraph.graph.cayley_conv import CayleyConv
from mmgraph.graph.cheb_conv import ChebConv
from mmgraph.graph.edge_conv import EdgeConv
from mmgraph.graph.gat_conv import GATConv
from mmgraph.graph.gatv2_conv import GATv2Conv
from mmgraph.graph.gcn_conv import GCNConv
from mmgraph.graph.gin_conv import GINConv
from mmgraph.graph.jumping_knowledge import Joining, JumpingKnowledge
from mmgraph.graph.linear_conv import LinearConv
from mmgraph.graph.pooling import AttentionPooling, Pooling, checked_batch, pool
from mmgraph.graph.relational_gcn_conv import RelationalGCNConv
from mmgraph.graph.sage_conv import SAGEConv
from mmgraph.graph.sg_conv import SGConv
from mmgraph.graph.sparse_features import Features, check_features, dropout, linear
from mmgraph.graph.spectral_conv import SpectralConv
from mmgraph.graph.top_k_pooling import TopKPooling

Convolution = Literal[
    "appnp",
    "arma",
    "cayley",
    "cheb",
    "edge",
    "gat",
    "gatv2",
    "gcn",
    "gin",
    "linear",
    "rgcn",
    "sage",
    "sgc",
    "spectral",
]
FeatureNormalization = Literal["batch", "layer"]
Readout = Literal["sum", "mean", "max", "attention", "top-k"]

_LAYERS: dict[str, type[nn.Module]] = {
    "appnp": LinearConv,
    "arma": ARMAConv,
    "cayley": CayleyConv,
    "cheb": ChebConv,
    "edge": EdgeConv,
    "gat": GATConv,
    "gatv2": GATv2Conv,
    "gcn": GCNConv,
    "gin": GINConv,
    "linear": LinearConv,
    "rgcn": RelationalGCNConv,
    "sage": SAGEConv,
    "sgc": SGConv,
    "spectral": SpectralConv,
}
_ATTENDING = (GATConv, GATv2Conv)
_SET_BY_THE_NETWORK = {
    "self",
    "in_channels",
    "out_channels",
    "heads",
    "concat",
    "attention_dropout",
    "activation",
    "mlp",
}


class GNN(nn.Module):
    """Convolutions one after the other, with dropout before each and an activation between them.

    h⁰ = x,  hˡ = σ(norm(convˡ(dropout(hˡ⁻¹), graph))) [+ Rˡ hˡ⁻¹],  logits = convᴸ(dropout(hᴸ⁻¹), graph)

    With `jumping_knowledge` or `pooling` all L convolutions are hidden ones and a linear map gives the logits:
    logits = W dropout(pool(join(h¹, …, hᴸ))) + b.

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
        jumping_knowledge: "cat", "max" or "lstm" joins what all layers saw; None takes the last.
        pooling: "sum", "mean", "max", "attention" or "top-k" (the mean over the nodes that score highest) over the
            nodes of each graph; None keeps nodes.
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
        jumping_knowledge: Joining | None = None,
        pooling: Readout | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        check_count("layer", num_layers)
        check_share("a dropout", dropout)
        check_channels(hidden_channels, out_channels)
        check_name("graph convolution", conv, get_args(Convolution))
        if norm is not None:
            check_name("normalisation of features", norm, get_args(FeatureNormalization))
        if pooling is not None:
            check_name("pooling", pooling, get_args(Readout))
        propagation = _options_for(APPNP if conv == "appnp" else _LAYERS[conv], conv, options)
        attends = issubclass(_LAYERS[conv], _ATTENDING)
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
                _LAYERS[conv](
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
        self.jump = (
            None if jumping_knowledge is None else JumpingKnowledge(jumping_knowledge, width, num_layers)
        )
        joined = width if self.jump is None else self.jump.out_channels
        self.pooling = pooling
        self.pool: nn.Module | None = None
        if pooling == "attention":
            self.pool = AttentionPooling(joined)
        elif pooling == "top-k":
            self.pool = TopKPooling(joined)
        self.head = nn.Linear(joined, out_channels) if has_head else None
        self.activation = activation_named(activation)
        self.dropout = dropout

    def forward(
        self,
        x: Features,
        graph: Adjacency | Tensor,
        batch: Tensor | None = None,
        edge_attr: Tensor | None = None,
    ) -> Tensor:
        adjacency = self._checked(x, graph)
        h = self._represented(x, adjacency, batch, edge_attr)
        if self.head is not None:
            logits: Tensor = self.head(self._dropped(h))
            return logits
        logits = self._convolved(self.convs[-1], self._dropped(h), adjacency, edge_attr)
        return logits if self.propagation is None else self.propagation(logits, adjacency)

    def embed(
        self,
        x: Features,
        graph: Adjacency | Tensor,
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
        adjacency = self._checked(x, graph)
        for layer, conv in enumerate(self.convs):
            dropped = self._dropped(x)
            if isinstance(conv, _ATTENDING):
                maps[f"convs.{layer}"] = conv.attention(dropped, adjacency)
            if layer < len(self.convs) - 1:
                x = self._layer(layer, x, dropped, adjacency, edge_attr)
        if not maps:
            raise InputError("Expected a network with attention, but no convolution of this one attends.")
        return maps

    def extra_repr(self) -> str:
        return f"dropout={self.dropout}" + ("" if self.pooling is None else f", pooling={self.pooling!r}")

    def _checked(self, x: Features, graph: Adjacency | Tensor) -> Adjacency:
        check_features(x, self.in_channels)
        return Adjacency.of(graph, len(x))

    def _represented(
        self, x: Features, adjacency: Adjacency, batch: Tensor | None, edge_attr: Tensor | None
    ) -> Features:
        """What the last map works on: that of the nodes, or with pooling of the graphs."""
        layers: list[Tensor] = []
        h = x
        for layer in range(len(self.convs) if self.head is not None else len(self.convs) - 1):
            h = self._layer(layer, h, self._dropped(h), adjacency, edge_attr)
            layers.append(h)
        if self.head is None:
            return h
        joined = layers[-1] if self.jump is None else self.jump(layers)
        if self.propagation is not None:
            joined = self.propagation(joined, adjacency)
        return self._pooled(joined, adjacency, batch)

    def _layer(
        self, layer: int, h: Features, dropped: Features, adjacency: Adjacency, edge_attr: Tensor | None
    ) -> Tensor:
        y = self._convolved(self.convs[layer], dropped, adjacency, edge_attr)
        if len(self.norms):
            y = self.norms[layer](y)
        if not isinstance(self.convs[layer], ARMAConv):
            y = self.activation(y)
        if len(self.shortcuts):
            shortcut = self.shortcuts[layer]
            y = y + (linear(h, shortcut.weight) if isinstance(shortcut, nn.Linear) else h.to_dense())
        return y

    def _convolved(
        self, conv: nn.Module, h: Features, adjacency: Adjacency, edge_attr: Tensor | None
    ) -> Tensor:
        y: Tensor
        if isinstance(conv, (RelationalGCNConv, EdgeConv)):
            y = conv(h, adjacency, edge_attr)
        else:
            y = conv(h, adjacency)
        return y

    def _pooled(self, h: Tensor, adjacency: Adjacency, batch: Tensor | None) -> Tensor:
        if self.pooling is None:
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


def _options_for(layer: type[nn.Module], conv: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options, where the layer has all of them.

    Raises:
        UnknownNameError: it lacks one.
        InputError: it needs one that is not there.
    """
    parameters = inspect.signature(layer.__init__).parameters
    known = {name: entry for name, entry in parameters.items() if name not in _SET_BY_THE_NETWORK}
    for name in options:
        check_name(f"option of the convolution '{conv}'", name, known)
    for name, entry in known.items():
        if entry.default is inspect.Parameter.empty and name not in options:
            raise InputError(f"Expected the option {name} for the convolution '{conv}', but it is not given.")
    return options
