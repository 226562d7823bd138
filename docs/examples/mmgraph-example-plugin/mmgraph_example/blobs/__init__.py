"""The recipe `blobs`: clouds of points in a plane, told apart by a small network."""

from __future__ import annotations

from dataclasses import dataclass

from mmgraph.options import option
from mmgraph.recipes import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class BlobsConfig(TrainingOptions):
    """Options of the recipe: flags, form and config file are made from them. No torch here."""

    epochs: int = option(30, "Passes over the points.", minimum=1)
    learning_rate: float = option(0.01, "Step size of the optimiser.", minimum=1e-12)
    clouds: int = option(5, "How many clouds there are.", minimum=2, maximum=20)
    hidden: int = option(32, "Units of the hidden layer.", minimum=1)


RECIPE = Recipe(
    name="blobs",
    title="Clouds of points",
    summary="Tells clouds of points in a plane apart, with a network of one hidden layer.",
    config=BlobsConfig,
    package="mmgraph_example.blobs",
)
