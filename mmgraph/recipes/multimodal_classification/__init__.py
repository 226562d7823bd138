"""Digits seen and heard, both badly, and told apart by both together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class MultimodalClassificationConfig(TrainingOptions):
    """Options of the recipe `multimodal-classification`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "spoken-written"): {"epochs": 4},
    }

    dataset: str = option(
        "digits",
        "scikit-learn's digits with telephone tones, or MNIST with spoken digits.",
        choices=("digits", "spoken-written"),
    )
    modalities: str = option("both", "What is looked at.", choices=("both", "image", "sound"))
    strategy: str = option(
        "late",
        "How the modalities are joined.",
        choices=("early", "late", "gated", "attention", "low_rank"),
    )
    missing: str = option(
        "mask",
        "What stands for a missing modality: nothing, or a learned vector.",
        choices=("mask", "learned"),
    )
    modality_dropout: float = option(
        0.0, "How often a modality of an item is hidden in training.", minimum=0.0, maximum=0.99
    )
    alone: float = option(
        10.0,
        "How much the answers of each modality alone count in training; of those of both together it is 1.",
        minimum=0.0,
    )
    removed: float = option(0.75, "Share of the energy that the images lose.", minimum=0.0, maximum=0.99)
    noise: float = option(4.0, "Strength of the noise beside that of the sound.", minimum=0.0)
    dim: int = option(64, "Numbers in the vector of a modality.", minimum=1)
    filters: int = option(8, "Filters of the first convolution; each later one has twice as many.", minimum=1)
    dropout: float = option(0.3, "Share of a vector that is dropped in training.", minimum=0.0, maximum=0.99)
    training_items: int = option(4000, "Train on so many items at most.", minimum=100)
    copies: int = option(4, "How often each image is learned from, with another sound every time.", minimum=1)
    epochs: int = option(8, "Passes over the training items.", minimum=1)
    batch_size: int = option(64, "Items in a batch.", minimum=2)
    learning_rate: float = option(2e-3, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    probe_items: int = option(200, "Test items that snapshots show.", minimum=1, maximum=500)


RECIPE = Recipe(
    name="multimodal-classification",
    title="Digits seen and heard",
    summary="Two encoders joined into one answer: faint images and noisy sounds of digits, of which one may be "
    "missing. Needs no download for digits with tones.",
    config=MultimodalClassificationConfig,
    package=__name__,
    quick={"epochs": 2, "training_items": 1000},
    own_model='a dict of "image" (n, 1, height, width) and "sound" (n, 1, bands, steps), both normalised, in, class '
    "scores (n, classes) out",
)
