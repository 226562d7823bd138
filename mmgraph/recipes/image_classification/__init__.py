"""Images sorted into ten classes by a LeNet-style network."""

from __future__ import annotations

from dataclasses import dataclass

from mmgraph.options import option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class ImageClassificationConfig(TrainingOptions):
    """Options of the recipe `image-classification`."""

    dataset: str = option("fashion-mnist", "Set of images.", choices=("fashion-mnist", "mnist"))
    epochs: int = option(8, "Passes over the training images.", minimum=1)
    learning_rate: float = option(2e-3, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "linear", "step"),
    )
    batch_size: int = option(128, "Images in a batch.", minimum=1)
    validation: int = option(5000, "Training images held back to choose the best weights.", minimum=1)
    training_images: int | None = option(
        None, "Train on the first so many images; none takes all.", minimum=1
    )
    # As many as in a batch: a look then works in memory that training has just used, and costs as little as a step.
    probe_images: int = option(128, "Test images that snapshots show.", minimum=1, maximum=10_000)


RECIPE = Recipe(
    name="image-classification",
    title="Small images",
    summary="A LeNet-style convolutional network on Fashion-MNIST or MNIST.",
    config=ImageClassificationConfig,
    package=__name__,
    quick={"epochs": 2, "training_images": 10_000},
    own_model="normalised images (n, 1, 28, 28) in, class scores (n, classes) out",
)
