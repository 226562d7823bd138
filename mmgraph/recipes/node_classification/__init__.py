"""Papers of a citation network sorted into fields, from 20 labelled papers of each field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions

CONVOLUTIONS = (
    "gcn",
    "appnp",
    "arma",
    "cayley",
    "cheb",
    "gat",
    "gatv2",
    "gin",
    "linear",
    "sage",
    "sgc",
    "spectral",
)

_ATTENTION: Mapping[str, Scalar | None] = {
    "learning_rate": 5e-3,
    "hidden": 8,
    "heads": 8,
    "dropout": 0.6,
    "attention_dropout": 0.6,
    "epochs": 1000,
    "patience": 100,
    "monitor": "both",
}


@dataclass(frozen=True, kw_only=True)
class NodeClassificationConfig(TrainingOptions):
    """Options of the recipe `node-classification`; defaults are those of the paper of the convolution."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("conv", "appnp"): {
            "hidden": 64,
            "reach": 10,
            "weight_decay": 5e-3,
            "epochs": 1000,
            "patience": 100,
            "monitor": "validation/loss",
        },
        ("conv", "arma"): {"dropout": 0.75},
        ("conv", "cheb"): {"reach": 3},
        ("conv", "gat"): _ATTENTION,
        ("conv", "gatv2"): _ATTENTION,
        ("conv", "gin"): {"hidden": 64},
        ("conv", "sage"): {"hidden": 64},
        ("conv", "sgc"): {
            "layers": 1,
            "learning_rate": 0.2,
            "weight_decay": 1.3e-5,
            "dropout": 0.0,
            "epochs": 100,
            "monitor": "validation/loss",
        },
    }

    dataset: str = option(
        "cora",
        "Citation network; or friendships, where the gender is asked for.",
        choices=("cora", "citeseer", "pubmed", "dblp", "reed98", "cornell5"),
    )
    conv: str = option("gcn", "Graph convolution; linear reads no edges.", choices=CONVOLUTIONS)
    epochs: int = option(200, "Passes over the graph; each is one step.", minimum=1)
    learning_rate: float = option(1e-2, "Step size of the optimiser.", minimum=1e-12)
    weight_decay: float = option(
        5e-4, "L2 penalty; with gcn, cheb and appnp on the first layer only.", minimum=0.0
    )
    hidden: int = option(16, "Hidden features, of each head where there are heads.", minimum=1)
    monitor: str = option(
        "validation/accuracy",
        "Which number chooses the best weights and stops early; with both, weights are best where neither has been "
        "better before.",
        choices=("validation/accuracy", "validation/loss", "both"),
    )
    heads: int = option(1, "Attention heads of the hidden layers (gat, gatv2).", minimum=1)
    layers: int = option(2, "Graph convolutions.", minimum=1, maximum=16)
    dropout: float = option(0.5, "Share of features dropped while training.", minimum=0.0, maximum=0.95)
    attention_dropout: float = option(
        0.0, "Share of edges dropped while training (gat, gatv2).", minimum=0.0, maximum=0.95
    )
    reach: int = option(
        2, "Polynomials (cheb), powers (cayley) or propagations (sgc, appnp).", minimum=1, maximum=100
    )
    restart: float = option(0.1, "Probability to return to the start (appnp).", minimum=0.0, maximum=1.0)
    edge_dropout: float = option(
        0.5, "Share of edges dropped in each propagation while training (appnp).", minimum=0.0, maximum=0.95
    )
    aggregation: str = option(
        "mean", "What a node makes of its neighbours (sage).", choices=("mean", "max", "sum")
    )
    stacks: int = option(2, "Filters side by side, averaged (arma).", minimum=1)
    residual: bool = option(False, "Add each hidden layer's input to its output.")
    norm: str | None = option(None, "Normalisation of hidden layers.", choices=("batch", "layer"))
    jumping_knowledge: str | None = option(
        None, "How to join what all layers saw; none takes the last.", choices=("cat", "max", "lstm")
    )
    batching: str = option(
        "full",
        "What the network sees in a step: the whole graph, sampled neighbourhoods, or clusters.",
        choices=("full", "neighbours", "clusters"),
    )
    batch_size: int = option(
        1024, "Labelled nodes in a batch (neighbours), or nodes of a batch about (clusters).", minimum=1
    )
    fan_out: str = option(
        "15,10", "Neighbours drawn at each hop, one number per layer; -1 takes all (neighbours)."
    )


RECIPE = Recipe(
    name="node-classification",
    title="Papers in a citation network",
    summary="Sorts the papers of Cora, CiteSeer or PubMed into fields with GCN, GAT, ChebNet or another graph "
    "convolution, from 20 labelled papers per field (the public split of Planetoid).",
    config=NodeClassificationConfig,
    package=__name__,
    quick={"epochs": 50},
    own_model="features (nodes, channels) and edge_index (2, edges) in, class scores (nodes, classes) out",
)
