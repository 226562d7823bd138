"""The convolutions that `GNN` can be built of, by name."""

from __future__ import annotations

import inspect
from typing import Any, Literal

from torch import nn

from mmgraph.errors import InputError
from mmgraph.graph.arguments import check_name
from mmgraph.graph.convolutions.appnp import APPNP
from mmgraph.graph.convolutions.arma_conv import ARMAConv
from mmgraph.graph.convolutions.cayley_conv import CayleyConv
from mmgraph.graph.convolutions.cheb_conv import ChebConv
from mmgraph.graph.convolutions.edge_conv import EdgeConv
from mmgraph.graph.convolutions.gat_conv import GATConv
from mmgraph.graph.convolutions.gatv2_conv import GATv2Conv
from mmgraph.graph.convolutions.gcn_conv import GCNConv
from mmgraph.graph.convolutions.gin_conv import GINConv
from mmgraph.graph.convolutions.linear_conv import LinearConv
from mmgraph.graph.convolutions.relational_gcn_conv import RelationalGCNConv
from mmgraph.graph.convolutions.sage_conv import SAGEConv
from mmgraph.graph.convolutions.sg_conv import SGConv
from mmgraph.graph.convolutions.spectral_conv import SpectralConv

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

LAYERS: dict[str, type[nn.Module]] = {
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
ATTENDING = (GATConv, GATv2Conv)
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


def options_for(conv: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options, where the convolution has all of them.

    Raises:
        UnknownNameError: it lacks one.
        InputError: it needs one that is not there.
    """
    layer = APPNP if conv == "appnp" else LAYERS[conv]
    parameters = inspect.signature(layer.__init__).parameters
    known = {name: entry for name, entry in parameters.items() if name not in _SET_BY_THE_NETWORK}
    for name in options:
        check_name(f"option of the convolution '{conv}'", name, known)
    for name, entry in known.items():
        if entry.default is inspect.Parameter.empty and name not in options:
            raise InputError(f"Expected the option {name} for the convolution '{conv}', but it is not given.")
    return options
