"""Papers of a citation network sorted into fields, from 20 labelled papers of each field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class NodeClassificationConfig(TrainingOptions):
    """Options of the recipe `node-classification`; defaults are those of the paper of the convolution."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("conv", "gat"): {
            "learning_rate": 5e-3,
            "hidden": 8,
            "heads": 8,
            "dropout": 0.6,
            "attention_dropout": 0.6,
            "epochs": 1000,
            "patience": 100,
            "monitor": "validation/loss",
        },
    }

    dataset: str = option("cora", "Citation network.", choices=("cora", "citeseer", "pubmed"))
    conv: str = option("gcn", "Graph convolution.", choices=("gcn", "gat"))
    epochs: int = option(200, "Passes over the graph; each is one step.", minimum=1)
    learning_rate: float = option(1e-2, "Step size of the optimiser.", minimum=1e-12)
    weight_decay: float = option(5e-4, "L2 penalty; with gcn on the first layer only.", minimum=0.0)
    hidden: int = option(16, "Hidden features, of each head where there are heads.", minimum=1)
    monitor: str = option(
        "validation/accuracy",
        "Which number chooses the best weights and stops early.",
        choices=("validation/accuracy", "validation/loss"),
    )
    heads: int = option(1, "Attention heads of the hidden layers (gat).", minimum=1)
    layers: int = option(2, "Graph convolutions.", minimum=1, maximum=16)
    dropout: float = option(0.5, "Share of features dropped while training.", minimum=0.0, maximum=0.95)
    attention_dropout: float = option(
        0.0, "Share of edges dropped while training.", minimum=0.0, maximum=0.95
    )


RECIPE = Recipe(
    name="node-classification",
    title="Papers in a citation network",
    summary="Sorts the papers of Cora, CiteSeer or PubMed into fields with GCN or GAT, from 20 labelled papers "
    "per field (the public split of Planetoid).",
    config=NodeClassificationConfig,
    package=__name__,
)
