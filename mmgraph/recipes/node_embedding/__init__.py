"""A vector for every node of a graph, and what a linear classifier makes of the vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions

DATASETS = ("cora", "citeseer", "pubmed", "blogcatalog", "dblp-authors", "ppi")
METHODS = ("deepwalk", "node2vec", "spectral", "netmf", "planetoid-t", "planetoid-i")

_PLANETOID: Mapping[str, Scalar | None] = {
    "epochs": 220,
    "dimensions": 50,
    "walk_length": 20,
    "window": 5,
    "negatives": 1,
    "learning_rate": 0.01,
    "schedule": "constant",
}


@dataclass(frozen=True, kw_only=True)
class NodeEmbeddingConfig(TrainingOptions):
    """Options of the recipe `node-embedding`; defaults are those of the method's estimator."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("method", "spectral"): {"epochs": 1},
        ("method", "netmf"): {"epochs": 1, "negatives": 1},
        ("method", "planetoid-t"): {**_PLANETOID, "weight_decay": 0.005},
        ("method", "planetoid-i"): {**_PLANETOID, "weight_decay": 0.02},
    }

    dataset: str = option("cora", "Graph with labelled nodes.", choices=DATASETS)
    method: str = option("deepwalk", "What makes vectors of nodes.", choices=METHODS)
    dimensions: int = option(128, "Numbers in the vector of a node.", minimum=1)
    epochs: int = option(
        10,
        "Walks from each node (deepwalk, node2vec); rounds, the first 20 without labels (planetoid).",
        minimum=1,
    )
    walk_length: int = option(80, "Nodes in a walk (deepwalk, node2vec, planetoid).", minimum=1)
    window: int = option(10, "Largest distance in a walk that counts (all but spectral).", minimum=1)
    negatives: int = option(5, "Random nodes that each pair is held against.", minimum=1)
    p: float = option(1.0, "Return parameter; larger goes back less (node2vec).", minimum=1e-6)
    q: float = option(1.0, "In-out parameter; larger stays closer (node2vec).", minimum=1e-6)
    rank: int | None = option(
        None, "Eigenpairs that stand for the graph; none for all, exactly (netmf).", minimum=1
    )
    learning_rate: float = option(
        0.025, "Step size at the start (walks), or of steps on labels (planetoid).", minimum=1e-12
    )
    schedule: str = option(
        "linear",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "linear", "step", "halving"),
    )
    fraction: float | None = option(
        None,
        "Share of the nodes whose labels are learned from, where nodes have several; none for 0.1, 0.2 … 0.9.",
        minimum=0.01,
        maximum=0.99,
    )
    repeats: int = option(10, "Random splits for each share.", minimum=1)
    threads: int | None = option(
        1,
        "CPU threads; 1 for a result that depends on the seed alone, none for one per processor.",
        minimum=1,
    )
    device: str = option(
        "cpu", "Where to train; cuda is for deepwalk and node2vec, in batches.", choices=("cpu", "cuda")
    )


RECIPE = Recipe(
    name="node-embedding",
    title="Vectors of nodes",
    summary="Gives every node of Cora, CiteSeer, PubMed, BlogCatalog or a protein graph a vector from the edges "
    "alone, by DeepWalk, node2vec or a factorised matrix, then learns labels from the vectors; or, by Planetoid, from "
    "edges, words and labels at once.",
    config=NodeEmbeddingConfig,
    package=__name__,
    quick={"epochs": 2, "walk_length": 20},
)
