"""Links of a network sorted by what they join."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.node_classification import CONVOLUTIONS
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class EdgeClassificationConfig(TrainingOptions):
    """Options of the recipe `edge-classification`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "karate"): {"labels_per_class": 4, "validation": 15, "hidden": 16},
    }

    dataset: str = option(
        "cora",
        "Citation network, or Zachary's karate club, which needs no download.",
        choices=("cora", "citeseer", "pubmed", "dblp", "karate"),
    )
    conv: str = option("gcn", "Graph convolution; linear reads no edges.", choices=CONVOLUTIONS)
    join: str = option(
        "symmetric",
        "What is read of two ends u and v: u∘v, or u+v and |u−v|.",
        choices=("product", "symmetric"),
    )
    epochs: int = option(200, "Passes over the graph; each is one step.", minimum=1)
    learning_rate: float = option(1e-2, "Step size of the optimiser.", minimum=1e-12)
    weight_decay: float = option(5e-4, "L2 penalty on the weights.", minimum=0.0)
    hidden: int = option(32, "Hidden features, of each head where there are heads.", minimum=1)
    layers: int = option(2, "Graph convolutions.", minimum=1, maximum=16)
    heads: int = option(4, "Attention heads of the hidden layers (gat, gatv2).", minimum=1)
    dropout: float = option(0.5, "Share of features dropped while training.", minimum=0.0, maximum=0.95)
    labels_per_class: int = option(20, "Links of each class whose class is known.", minimum=1)
    validation: int = option(500, "Links whose classes choose the best weights.", minimum=1)


RECIPE = Recipe(
    name="edge-classification",
    title="Kinds of links",
    summary="Sorts links: a citation of Cora, CiteSeer or PubMed by the field it stays in, or as one across fields; "
    "a friendship of the karate club by the faction. A graph network reads the nodes, a perceptron both ends.",
    config=EdgeClassificationConfig,
    package=__name__,
    quick={"epochs": 50},
)
