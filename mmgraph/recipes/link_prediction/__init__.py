"""Citations that were held back, found again by a graph autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

from mmgraph.options import option
from mmgraph.recipes.node_classification import CONVOLUTIONS
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class LinkPredictionConfig(TrainingOptions):
    """Options of the recipe `link-prediction`; defaults are those of the paper of VGAE."""

    dataset: str = option("cora", "Citation network.", choices=("cora", "citeseer", "pubmed", "dblp"))
    conv: str = option("gcn", "Graph convolution; linear reads no edges.", choices=CONVOLUTIONS)
    decoder: str = option(
        "dot", "What scores two nodes: their dot product, or a perceptron.", choices=("dot", "mlp")
    )
    variational: bool = option(True, "Draw the vectors of nodes in training (VGAE); false: points (GAE).")
    epochs: int = option(200, "Passes over the graph; each is one step.", minimum=1)
    learning_rate: float = option(1e-2, "Step size of the optimiser.", minimum=1e-12)
    hidden: int = option(32, "Hidden features, of each head where there are heads.", minimum=1)
    embedding: int = option(16, "Numbers in the vector of a node.", minimum=1)
    layers: int = option(2, "Graph convolutions.", minimum=1, maximum=16)
    heads: int = option(4, "Attention heads of the hidden layers (gat, gatv2).", minimum=1)
    dropout: float = option(0.0, "Share of features dropped while training.", minimum=0.0, maximum=0.95)
    normalize_features: bool = option(False, "Divide the words of a paper by their number.")
    self_links: bool = option(True, "Count every paper as linked to itself while training.")
    validation_links: float = option(
        0.05, "Share of the links that choose the best weights.", minimum=0.0, maximum=0.5
    )
    test_links: float = option(0.1, "Share of the links to test on.", minimum=0.0, maximum=0.49)


RECIPE = Recipe(
    name="link-prediction",
    title="Missing citations",
    summary="Finds citations of Cora, CiteSeer or PubMed that were held back: a graph autoencoder (VGAE or GAE) "
    "gives every paper a vector, and a dot product or perceptron scores pairs of them.",
    config=LinkPredictionConfig,
    package=__name__,
    quick={"epochs": 50},
    own_model="features (nodes, channels) and edge_index (2, edges) in, vectors (nodes, features) out, whose dot "
    "products say which papers are linked",
)
