"""Sentences about images, with a look at the image before each word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class CaptioningConfig(TrainingOptions):
    """Options of the recipe `captioning`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "flickr8k"): {
            "image_size": 96,
            "blocks": 4,
            "hidden": 128,
            "dropout": 0.3,
            "epochs": 40,
            "evaluate_every": 4,
            "learning_rate": 1e-2,
            "word_count": 3,
        },
        ("decoder", "transformer"): {"learning_rate": 1e-3, "warmup_steps": 200},
    }

    dataset: str = option(
        "scenes",
        "Images with sentences; scenes are generated, with shapes that lie above, below or beside each other.",
        choices=("scenes", "flickr8k"),
    )
    decoder: str = option(
        "recurrent",
        "What makes the sentence: an LSTM, two of them that read forwards and backwards, or a transformer.",
        choices=("recurrent", "bidirectional", "transformer"),
    )
    attention: str = option(
        "soft",
        "How the LSTM looks at the image: at a mixture of places, at a place drawn, or at all alike.",
        choices=("soft", "hard", "none"),
    )
    doubly_stochastic: float = option(
        0.0, "How much every place shall be looked at about as much as any other.", minimum=0.0
    )
    images: int = option(5000, "Scenes to learn from.", minimum=10)
    image_size: int = option(48, "Height and width of the images.", minimum=24, maximum=512)
    blocks: int = option(
        3, "Convolutions with pooling; each halves the grid of places.", minimum=1, maximum=6
    )
    filters: int = option(24, "Filters of the first convolution; each later one has more.", minimum=1)
    weights: str | None = option(
        None,
        "File with weights of a ResNet-20 for CIFAR-10, whose maps are looked at as they are; none trains a network.",
    )
    hidden: int = option(96, "Numbers of an annotation vector and of the state of the decoder.", minimum=4)
    embedding: int = option(64, "Numbers of a word (LSTM).", minimum=1)
    dropout: float = option(
        0.0, "Share of numbers dropped before the words in training.", minimum=0.0, maximum=0.95
    )
    word_count: int = option(1, "Words that the training sentences have less often are unknown.", minimum=1)
    longest: int = option(
        50, "Most words of a sentence; what longer ones have more is not learned.", minimum=1, maximum=255
    )
    beams: int = option(3, "Beginnings that the search for a sentence keeps.", minimum=1, maximum=50)
    batch_size: int = option(50, "Images in a batch.", minimum=1)
    epochs: int = option(15, "Passes over the training images.", minimum=1)
    learning_rate: float = option(2e-3, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "linear", "step"),
    )
    gradient_clip: float | None = option(5.0, "Largest norm of the gradient; none leaves it as it is.")
    probe_images: int = option(100, "Test images that snapshots show.", minimum=1, maximum=10_000)


RECIPE = Recipe(
    name="captioning",
    title="Images in words",
    summary="Says in a sentence what an image shows, with a map of where it looks before each word: generated scenes "
    "of coloured shapes (no download) or photographs of Flickr8k.",
    config=CaptioningConfig,
    package=__name__,
    quick={"epochs": 4, "images": 1000},
)
