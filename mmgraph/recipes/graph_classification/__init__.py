"""Molecules, proteins and casts of films: whole graphs sorted into classes, in ten-fold cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions

DATASETS = ("mutag", "proteins", "enzymes", "imdb-binary")

CONVOLUTIONS = (
    "gin",
    "appnp",
    "arma",
    "cayley",
    "cheb",
    "gat",
    "gatv2",
    "gcn",
    "linear",
    "sage",
    "sgc",
)

_ATTENTION: Mapping[str, Scalar | None] = {"hidden": 8, "heads": 4}


@dataclass(frozen=True, kw_only=True)
class GraphClassificationConfig(TrainingOptions):
    """Options of the recipe `graph-classification`; defaults are those of GIN and its experiments."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "imdb-binary"): {"hidden": 64, "pooling": "mean"},
        ("conv", "gat"): _ATTENTION,
        ("conv", "gatv2"): _ATTENTION,
    }

    dataset: str = option("mutag", "Graphs to sort.", choices=DATASETS)
    conv: str = option("gin", "Graph convolution; linear reads no edges.", choices=CONVOLUTIONS)
    fold: int = option(0, "Which of the folds is held out for testing, from 0.", minimum=0)
    folds: int = option(10, "Parts of the cross-validation, with the same shares of classes.", minimum=2)
    fold_files: str | None = option(
        None, "Folder of train_idx-N.txt and test_idx-N.txt that name the folds; none makes them."
    )
    fold_seed: int = option(0, "Seed of the folds and of what validates.", minimum=0, maximum=2**32 - 1)
    validation: float = option(
        0.1, "Share of the other folds that chooses the best weights; 0 for none.", minimum=0.0, maximum=0.5
    )
    epochs: int = option(350, "Passes over the training graphs; see iterations.", minimum=1)
    iterations: int = option(
        0, "Random batches in an epoch (50 in GIN's code); 0 goes over every graph once.", minimum=0
    )
    batch_size: int = option(32, "Graphs in a batch.", minimum=1)
    learning_rate: float = option(1e-2, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "halving",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    monitor: str = option(
        "validation/loss",
        "Which number chooses the best weights and stops early.",
        choices=("validation/accuracy", "validation/loss"),
    )
    layers: int = option(
        4, "Graph convolutions (GIN counts the features as one more).", minimum=1, maximum=16
    )
    hidden: int = option(32, "Hidden features, of each head where there are heads.", minimum=1)
    heads: int = option(1, "Attention heads (gat, gatv2).", minimum=1)
    norm: str | None = option("batch", "Normalisation of hidden layers.", choices=("batch", "layer"))
    jumping_knowledge: str | None = option(
        "layerwise",
        "How to join what all layers saw; none takes the last.",
        choices=("cat", "layerwise", "lstm", "max"),
    )
    pooling: str = option(
        "sum",
        "What a graph makes of its nodes.",
        choices=("attention", "max", "mean", "sum", "top-k"),
    )
    head_dropout: float = option(
        0.5, "Share of the logits of single layers dropped while training.", minimum=0.0, maximum=0.95
    )
    dropout: float = option(
        0.0, "Share of features dropped before each convolution while training.", minimum=0.0, maximum=0.95
    )
    attention_dropout: float = option(
        0.0, "Share of edges dropped while training (gat, gatv2).", minimum=0.0, maximum=0.95
    )
    residual: bool = option(False, "Add each hidden layer's input to its output.")
    learn_epsilon: bool = option(False, "Learn the weight of a node beside its neighbours (gin).")
    reach: int = option(
        2, "Polynomials (cheb), powers (cayley) or propagations (sgc, appnp).", minimum=1, maximum=100
    )
    aggregation: str = option(
        "mean", "What a node makes of its neighbours (sage).", choices=("mean", "max", "sum")
    )
    node_features: str | None = option(
        None,
        "What a node brings; none takes tags, and the degree where all tags are the same.",
        choices=("degree", "ones", "tags"),
    )


RECIPE = Recipe(
    name="graph-classification",
    title="Whole graphs",
    summary="Sorts molecules (MUTAG), proteins (PROTEINS, ENZYMES) or casts of films (IMDB-BINARY) with GIN, GCN or "
    "another graph convolution; one fold of a ten-fold cross-validation.",
    config=GraphClassificationConfig,
    package=__name__,
    quick={"epochs": 40},
    own_model="features (nodes, channels), edge_index (2, edges) and the graph of each node (nodes,) in, class "
    "scores (graphs, classes) out",
)
