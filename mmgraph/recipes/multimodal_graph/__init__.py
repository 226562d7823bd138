"""A graph whose nodes carry images and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class MultimodalGraphConfig(TrainingOptions):
    """Options of the recipe `multimodal-graph`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "flickr8k"): {
            "objective": "links",
            "epochs": 60,
            "filters": 4,
            "dropout": 0.0,
            "learning_rate": 2e-3,
        },
    }

    dataset: str = option(
        "digits",
        "Spoiled digits with noisy words in a generated graph, or photographs of Flickr8k with a sentence each, linked "
        "where other sentences about them are alike.",
        choices=("digits", "flickr8k"),
    )
    objective: str = option(
        "classification",
        "What is learned: classes, vectors by which nodes find their like, or links held back.",
        choices=("classification", "retrieval", "links"),
    )
    use: str = option(
        "all",
        "What the model sees: all, what nodes carry without the edges, or the edges without what nodes carry.",
        choices=("all", "encoders", "graph"),
    )
    fusion: str = option(
        "gated",
        "How the modalities of a node are joined.",
        choices=("early", "late", "gated", "attention", "low_rank"),
    )
    conv: str = option(
        "gat", "Graph convolution.", choices=("gat", "gatv2", "gcn", "sage", "gin", "sgc", "arma", "cheb")
    )
    neighbourhood: str = option(
        "given",
        "Which edges messages go along: those of the graph, those to the nodes that random walks visit most (PinSage), "
        "or those to the nodes that look and sound most alike.",
        choices=("given", "importance", "similar"),
    )
    neighbours: int = option(10, "Neighbours of a node, other than in the given graph.", minimum=1)
    layers: int = option(2, "Graph convolutions.", minimum=1, maximum=8)
    hidden: int = option(16, "Numbers per node between convolutions; per head with attention.", minimum=1)
    heads: int = option(4, "Attention heads (gat, gatv2).", minimum=1)
    features: int = option(64, "Numbers that encoders and fusion give.", minimum=1)
    filters: int = option(16, "Filters of the first convolution over images.", minimum=1)
    dropout: float = option(0.5, "Share of numbers dropped in training.", minimum=0.0, maximum=0.95)
    modality_dropout: float = option(
        0.2, "Probability with which a modality is hidden in training.", minimum=0.0, maximum=0.95
    )
    vector: int = option(32, "Numbers in the vector of a node (retrieval, links).", minimum=1)
    fan_out: int | None = option(
        None, "Neighbours drawn at each hop, for batches; none reads the whole graph.", minimum=1
    )
    batch_size: int = option(100, "Nodes in a batch, where neighbours are drawn.", minimum=1)
    labels_per_class: int = option(20, "Nodes of each class to learn from.", minimum=1)
    validation: int = option(300, "Nodes that choose the best weights.", minimum=1)
    image_size: int = option(48, "Height and width of photographs.", minimum=16, maximum=512)
    epochs: int = option(150, "Passes over the training nodes.", minimum=1)
    learning_rate: float = option(5e-3, "Step size of the optimiser.", minimum=1e-12)
    weight_decay: float = option(5e-4, "L2 penalty on the weights.", minimum=0.0)


RECIPE = Recipe(
    name="multimodal-graph",
    title="A graph of images and words",
    summary="Reads the image and the words that every node carries, joins them, and passes messages along the edges: "
    "classes, retrieval or links. Generated digits (no download) or photographs of Flickr8k.",
    config=MultimodalGraphConfig,
    package=__name__,
    quick={"epochs": 40},
)
