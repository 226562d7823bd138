"""Classes never trained on, told apart from a few examples of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class FewShotConfig(TrainingOptions):
    """Options of the recipe `few-shot`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "omniglot"): {
            "train_on": "Balinese, Early Aramaic, Greek, Latin",
            "validate_on": "Korean",
            "test_on": "Japanese (katakana), Sanskrit, Tagalog",
            "train_ways": 60,
            "ways": 20,
            "image_size": 28,
            "filters": 32,
            "epochs": 10,
            "episodes": 100,
        },
        ("distance", "l2"): {"temperature": 1.0},
        ("distance", "cosine"): {"temperature": 0.05},
        ("normalize", True): {"temperature": 0.1},
    }

    dataset: str = option(
        "digits",
        "Drawings: digits come with the package, Omniglot has 242 characters of 8 alphabets.",
        choices=("digits", "omniglot"),
    )
    train_on: str = option("0, 1, 2, 3, 4", "Alphabets (or digits) to learn from, separated by commas.")
    validate_on: str | None = option(
        "5, 6, 7, 8, 9",
        "Others that choose the best weights; the same as in the test have half of their drawings in each, and none "
        "tests the weights at the end.",
    )
    test_on: str = option("5, 6, 7, 8, 9", "Others that are tested.")
    train_ways: int = option(15, "Classes of a training episode.", minimum=2)
    shots: int = option(1, "Examples of each class.", minimum=1)
    queries: int = option(3, "Other drawings of each class, to be sorted.", minimum=1)
    episodes: int = option(50, "Episodes of an epoch.", minimum=1)
    ways: int = option(5, "Classes of an episode to validate or test on.", minimum=2)
    validation_episodes: int = option(200, "Episodes to validate on.", minimum=2)
    test_episodes: int = option(1000, "Episodes to test on.", minimum=2)
    distance: str = option(
        "squared", "Distance to the mean of the examples.", choices=("squared", "l2", "l1", "cosine")
    )
    normalize: bool = option(False, "Vectors of length 1.")
    temperature: float = option(10.0, "What distances are divided by in the loss.", minimum=1e-6)
    every_role: bool = option(True, "Each drawing of an episode is in turn example and question.")
    filters: int = option(
        16, "Filters of the first convolution; each later one has twice as many.", minimum=1
    )
    image_size: int = option(16, "Height and width that drawings are reduced to.", minimum=8, maximum=105)
    rotated_classes: bool = option(True, "A character turned by 90, 180 or 270 degrees is another class.")
    rotation: float = option(15.0, "Largest turn of a drawing, in degrees.", minimum=0.0, maximum=180.0)
    stretch: float = option(
        0.2, "Largest change of width and of height, as a share.", minimum=0.0, maximum=2.0
    )
    shear: float = option(0.3, "Largest shear.", minimum=0.0, maximum=2.0)
    shift: float = option(0.1, "Largest shift, as a fraction of the drawing.", minimum=0.0, maximum=1.0)
    views: int = option(9, "Views of each drawing that are averaged in the test.", minimum=1)
    epochs: int = option(10, "Passes over so many episodes.", minimum=1)
    learning_rate: float = option(2e-3, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    probe_images: int = option(
        300, "Drawings never trained on that snapshots show.", minimum=1, maximum=10_000
    )


RECIPE = Recipe(
    name="few-shot",
    title="New classes from one example each",
    summary="A prototypical network: learns from episodes to tell classes apart that it has never seen, characters of "
    "unknown alphabets or digits. Needs no download for digits.",
    config=FewShotConfig,
    package=__name__,
    quick={"epochs": 2, "test_episodes": 200},
    own_model="normalised images (n, 1, height, width) in, vectors (n, features) out",
)
