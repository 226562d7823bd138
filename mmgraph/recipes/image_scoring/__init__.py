"""A score for every image, from pairs first and numbers then, by a network that grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class ImageScoringConfig(TrainingOptions):
    """Options of the recipe `image-scoring`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "utkface"): {
            "labelled": None,
            "image_size": 48,
            "quarter_turns": False,
            "rotation": 15.0,
            "scale": 0.1,
            "bins": 10,
            "pretrain_epochs": 20,
            "epochs": 40,
            "grow_from": 0.67,
            "grow_patience": 2,
            "narrow_rate": 1.0,
            "head_rate": 10.0,
        },
    }

    dataset: str = option(
        "fine-detail",
        "Images: scratched surfaces made by a formula, or faces with their age.",
        choices=("fine-detail", "utkface"),
    )
    labelled: int | None = option(
        80, "Training images whose score is known to regression; none takes all.", minimum=16
    )
    pretrain_epochs: int = option(10, "First epochs, on similar and dissimilar pairs.", minimum=0)
    grow: bool = option(True, "Begin with a part of the channels; have all of them in time for the scores.")
    grow_from: float = option(
        0.5, "Share of its channels that a growing network begins with.", minimum=0.1, maximum=1.0
    )
    grow_patience: int = option(
        4, "Epochs without a better order of distances after which it grows.", minimum=1
    )
    narrow_rate: float = option(
        2.0, "Times as large a step until the network has grown.", minimum=0.1, maximum=10.0
    )
    width: float = option(
        0.75, "Channels at the end, as a share of those of Tiny Darknet.", minimum=0.0625, maximum=4.0
    )
    weights: str | None = option(None, "File with weights of the encoder to begin with (safetensors).")
    features: int = option(64, "Numbers in the vector of an image.", minimum=1)
    bins: int = option(8, "Bins of scores that are alike, and that batches are balanced over.", minimum=2)
    margin: float = option(0.33, "How far images of neighbouring bins shall be apart.", minimum=1e-6)
    weighted: bool = option(True, "Have the distance of dissimilar images grow with that of their bins.")
    loss: str = option("huber", "Loss of regression.", choices=("huber", "squared"))
    delta: float = option(
        0.5, "Errors beyond it, in standard deviations, count linearly (huber).", minimum=1e-6
    )
    image_size: int = option(48, "Height and width that faces are reduced to.", minimum=16, maximum=200)
    landmarks: str | None = option(None, "CSV file with the eyes of the faces, to align them by.")
    rotation: float = option(0.0, "Largest turn of a training image, in degrees.", minimum=0.0, maximum=180.0)
    quarter_turns: bool = option(True, "Turn it by multiples of 90°, for what has no up and down.")
    scale: float = option(0.0, "Largest change of its size, as a share.", minimum=0.0, maximum=1.0)
    flip: float = option(0.5, "Probability that left and right change places.", minimum=0.0, maximum=1.0)
    colour: float = option(0.1, "Noise of its contrast and brightness.", minimum=0.0)
    batch_size: int = option(64, "Images in a batch.", minimum=16)
    epochs: int = option(14, "Passes over the training images, those on pairs included.", minimum=1)
    learning_rate: float = option(2e-3, "Step size of the optimiser.", minimum=1e-12)
    head_rate: float = option(
        1.0, "Times as large a step of the head, which begins when pairs end.", minimum=1e-6
    )
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run; it should be small when scores are learned.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    probe_images: int = option(300, "Test images that snapshots show.", minimum=1, maximum=10_000)


RECIPE = Recipe(
    name="image-scoring",
    title="A score for every image",
    summary="A network without batch norm learns first which images have similar scores, growing while it does, and "
    "then the scores: how scratched a surface is, or how old a face. Needs no download for surfaces.",
    config=ImageScoringConfig,
    package=__name__,
    quick={"epochs": 4, "pretrain_epochs": 3},
    own_model="normalised images (n, 3, height, width) in, scores (n,), in the units of the data, out",
)
