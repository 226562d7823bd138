"""Handwritten digits, most of them without a label, classified with the help of their neighbours."""

from __future__ import annotations

from dataclasses import dataclass

from mmgraph.options import option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class DigitsGraphConfig(TrainingOptions):
    """Options of the recipe `digits-graph`."""

    epochs: int = option(150, "Passes over the graph; each is one step.", minimum=1)
    learning_rate: float = option(5e-3, "Step size of the optimiser.", minimum=1e-12)
    weight_decay: float = option(5e-4, "L2 penalty on the weights.", minimum=0.0)
    snapshot_share: float = option(
        0.2, "Largest share of the training time that snapshots may take.", minimum=0.0, maximum=1.0
    )
    neighbours: int = option(8, "Nearest images that each image is linked to.", minimum=1, maximum=100)
    labels_per_class: int = option(20, "Labelled images of each digit.", minimum=1, maximum=100)
    validation: int = option(300, "Images whose labels choose the best weights.", minimum=1, maximum=700)
    features: int = option(64, "Numbers that the encoder makes of an image.", minimum=1)
    hidden: int = option(8, "Hidden features of each attention head.", minimum=1)
    heads: int = option(8, "Attention heads of the first graph layer.", minimum=1)
    dropout: float = option(0.4, "Share of features dropped while training.", minimum=0.0, maximum=0.95)
    attention_dropout: float = option(
        0.2, "Share of edges dropped while training.", minimum=0.0, maximum=0.95
    )


RECIPE = Recipe(
    name="digits-graph",
    title="Digits on a graph",
    summary="Classifies 1,797 handwritten digits from 20 labels of each: a small convolutional network reads "
    "the images, graph attention passes on what similar images say. Needs no download.",
    config=DigitsGraphConfig,
    package=__name__,
    quick={"epochs": 40},
    own_model="images (nodes, 1, 8, 8) and edge_index (2, edges) in, class scores (nodes, 10) out",
)
