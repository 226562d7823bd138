"""What happens in a clip: moving shapes, or people who do something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class VideoClassificationConfig(TrainingOptions):
    """Options of the recipe `video-classification`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("model", "cnn-lstm"): {
            "epochs": 20,
            "learning_rate": 1e-2,
            "window": 9,
            "filters": 4,
            "features": 64,
        },
        ("model", "two-stream"): {"epochs": 16},
        ("model", "fusion"): {"epochs": 16},
        ("model", "sound"): {"learning_rate": 1e-2},
        # Last, for a data set decides over a network.
        ("dataset", "ucf101"): {
            "epochs": 40,
            "evaluate_every": 40,
            "batch_size": 13,
            "window": 8,
            "motion_network": "stack",
            "stack": 3,
            "image_size": 32,
            "filters": 12,
            "augment": True,
            "weight_decay": 1e-4,
        },
    }

    dataset: str = option(
        "moving-shapes",
        "Clips; moving shapes are generated, of ucf101 the classes that are here are read.",
        choices=("moving-shapes", "ucf101"),
    )
    model: str = option(
        "conv3d",
        "Network; fusion joins appearance, motion and, where there is one, sound; these are its streams alone; "
        "single-frame sees the middle frame.",
        choices=(
            "conv3d",
            "cnn-lstm",
            "two-stream",
            "fusion",
            "appearance",
            "motion",
            "sound",
            "single-frame",
        ),
    )
    strategy: str = option(
        "late",
        "How the streams are joined (fusion).",
        choices=("early", "late", "gated", "attention", "low_rank"),
    )
    alone: float = option(
        10.0,
        "How much the answers of each stream alone count in training (fusion); of those of all together it is 1.",
        minimum=0.0,
    )
    motion: str = option(
        "difference",
        "What the motion stream sees (two-stream, fusion, motion).",
        choices=("difference", "flow"),
    )
    motion_network: str = option(
        "conv3d",
        "How the motion stream sees: convolutions over time as well, or some frames at once as channels.",
        choices=("conv3d", "stack"),
    )
    stack: int = option(
        7, "Differences or flows that a motion network of the kind stack sees at once.", minimum=1
    )
    read: str = option(
        "every",
        "What is read of the LSTM (cnn-lstm): its last states, the mean over every frame, or one weighed by attention.",
        choices=("last", "every", "attention"),
    )
    places: bool = option(
        True,
        "The LSTM reads how far the places that filters find move (cnn-lstm); otherwise it reads whole maps.",
    )
    frames: int = option(16, "Frames of a clip.", minimum=2)
    window: int | None = option(
        None,
        "Frames that are learned from at a time, from a random place; none, or more than there are, takes all.",
        minimum=2,
    )
    image_size: int = option(24, "Height and width of the frames.", minimum=16, maximum=256)
    filters: int = option(8, "Filters of the first convolution; later ones have twice as many.", minimum=1)
    features: int = option(32, "Numbers in the vector of a clip; two streams have as many each.", minimum=1)
    dropout: float = option(0.0, "Share of features dropped in training.", minimum=0.0, maximum=0.95)
    augment: bool = option(
        False, "Mirror, shift and scale clips in training; not where left and right matter."
    )
    epochs: int = option(12, "Passes over the training clips.", minimum=1)
    learning_rate: float = option(3e-3, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    batch_size: int = option(32, "Clips in a batch.", minimum=1)
    clips: int = option(
        1200, "Generated clips: 60 % to learn from, 15 % to choose weights, 25 % to test.", minimum=80
    )
    probe_clips: int = option(64, "Test clips that snapshots show.", minimum=1, maximum=1000)


RECIPE = Recipe(
    name="video-classification",
    title="What happens in a clip",
    summary="A 3-D convolutional, recurrent or two-stream network, or a fusion of sight and sound, on clips whose "
    "class is in the motion (generated, no download), or on UCF101, with each frame's prediction on a strip.",
    config=VideoClassificationConfig,
    package=__name__,
    quick={"epochs": 3, "clips": 300},
    own_model="normalised clips (n, frames, 3, height, width) in, class scores (n, classes) out",
)
