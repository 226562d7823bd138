"""Distances between images, learned by a Siamese network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class MetricLearningConfig(TrainingOptions):
    """Options of the recipe `metric-learning`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "fashion-mnist"): {"epochs": 5, "filters": 32, "average_weights": 0.8},
        ("dataset", "orl-faces"): {"epochs": 60, "filters": 32, "items_per_class": 4, "image_size": 48},
        ("dataset", "ucf101"): {
            "loss": "contrastive",
            "epochs": 25,
            "evaluate_every": 25,
            "filters": 12,
            "weight_decay": 1e-4,
        },
        ("loss", "contrastive"): {"margin": 1.0},
        ("loss", "hinge"): {"margin": 1.0},
    }

    dataset: str = option(
        "digits",
        "Images, or videos (ucf101); of ORL faces people are tested who were never seen.",
        choices=("digits", "fashion-mnist", "orl-faces", "ucf101"),
    )
    loss: str = option(
        "triplet",
        "What is learned from.",
        choices=("triplet", "ratio", "contrastive", "hinge", "nt-xent", "multi-similarity", "prototypical"),
    )
    miner: str = option(
        "semi-hard",
        "Which pairs and triplets of a batch count.",
        choices=("all", "random", "semi-hard", "hardest", "distance-weighted"),
    )
    distance: str = option("l2", "Distance of two vectors.", choices=("l2", "squared", "l1", "cosine"))
    normalize: bool = option(True, "Vectors of length 1.")
    margin: float = option(0.2, "How much farther dissimilar images shall be.", minimum=1e-6)
    temperature: float = option(0.1, "Sharpness (nt-xent).", minimum=1e-6)
    embedding: int = option(64, "Numbers in the vector of an image.", minimum=1)
    filters: int = option(
        16, "Filters of the first convolution; each later one has twice as many.", minimum=1
    )
    image_size: int = option(
        32, "Height and width that faces and videos are reduced to.", minimum=16, maximum=112
    )
    classes_per_batch: int = option(10, "Classes in a batch.", minimum=2)
    items_per_class: int = option(8, "Images of each class in a batch.", minimum=2)
    unseen_classes: int = option(
        5, "People of ORL faces who are tested and never trained on.", minimum=2, maximum=30
    )
    frames: int = option(16, "Frames of a video; half of them are learned from at a time.", minimum=8)
    pairs_per_batch: int = option(32, "Listed pairs of videos in a batch, an even number.", minimum=2)
    pair_list: str | None = option(
        None, "File with lines 'first second 0 or 1' over training videos; none lists all pairs by class."
    )
    epochs: int = option(20, "Passes over the training images.", minimum=1)
    learning_rate: float = option(1e-3, "Step size of the optimiser.", minimum=1e-12)
    probe_images: int = option(300, "Test images that snapshots show.", minimum=1, maximum=10_000)


RECIPE = Recipe(
    name="metric-learning",
    title="Similar images near, others far",
    summary="A Siamese network that gives each image a vector, so that images of one class are near: digits, clothes, "
    "videos, or faces of people it has never seen. Needs no download for digits.",
    config=MetricLearningConfig,
    package=__name__,
    quick={"epochs": 4},
    own_model="normalised images (n, channels, height, width) or, of videos, clips (n, frames, 3, height, "
    "width) in, vectors (n, features) out",
)
