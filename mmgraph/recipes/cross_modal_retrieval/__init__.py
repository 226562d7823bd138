"""Images and texts in one space, where either is found by the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class CrossModalRetrievalConfig(TrainingOptions):
    """Options of the recipe `cross-modal-retrieval`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("method", "cca"): {"epochs": 1},
        ("method", "sm"): {"epochs": 1},
        ("method", "scm"): {"epochs": 1, "components": 9},
        ("method", "contrastive"): {"modal_epochs": 0, "batch_size": 256},
    }

    dataset: str = option(
        "digits",
        "Pairs of images and texts: scikit-learn's digits with noisy words, or Wikipedia articles.",
        choices=("digits", "wikipedia"),
    )
    method: str = option(
        "deep",
        "The map: CCA, semantic matching, semantic correlation matching, five layers, or CLIP-style.",
        choices=("cca", "sm", "scm", "deep", "contrastive"),
    )
    components: int = option(7, "Correlated directions (cca, scm).", minimum=1)
    image_regularisation: float = option(
        1.0, "Of the images' covariance, in mean variances of a feature (cca, scm).", minimum=0.0
    )
    text_regularisation: float = option(
        0.01, "Of the texts' covariance, in mean variances of a feature (cca, scm).", minimum=0.0
    )
    image_inverse_penalty: float = option(
        0.01, "How little large weights cost in the regression of the images (sm).", minimum=1e-9
    )
    text_inverse_penalty: float = option(
        1.0, "How little large weights cost in the regressions (sm for texts, scm for both).", minimum=1e-9
    )
    hidden: int = option(128, "Width of the layers (deep, contrastive).", minimum=1)
    dropout: float = option(
        0.5, "Share of the numbers between layers that is dropped in training.", minimum=0.0, maximum=0.99
    )
    modal_epochs: int = option(
        60, "The first so many epochs train each modality apart (deep); 0 for none.", minimum=0
    )
    alone: float = option(
        1.0, "How much answers to one modality alone count in the joint epochs (deep).", minimum=0.0
    )
    keep: bool = option(True, "Joint epochs leave pre-trained layers as they are (deep).")
    embedding: int = option(64, "Numbers in a vector of the common space (contrastive).", minimum=1)
    temperature: float = option(0.1, "Sharpness (contrastive).", minimum=1e-6)
    positives: str = option(
        "pair",
        "What belongs together: own partners, or all of a class (contrastive).",
        choices=("pair", "class"),
    )
    validation: int = option(400, "Training pairs held back to choose the best weights.", minimum=20)
    epochs: int = option(80, "Passes over the training pairs.", minimum=1)
    batch_size: int = option(128, "Pairs in a batch.", minimum=2)
    learning_rate: float = option(1e-3, "Step size of the optimiser.", minimum=1e-12)
    optimizer: str = option("adamw", "Optimiser.", choices=("adam", "adamw", "sgd"))
    weight_decay: float = option(1e-4, "L2 penalty on the weights.", minimum=0.0)
    probe_items: int = option(300, "Test pairs that snapshots show.", minimum=1, maximum=5000)


RECIPE = Recipe(
    name="cross-modal-retrieval",
    title="Images found by texts, texts by images",
    summary="Maps images and texts into one space by CCA, semantic matching, a five-layer network or contrast; digits "
    "with noisy words need no download, Wikipedia articles are the published benchmark.",
    config=CrossModalRetrievalConfig,
    package=__name__,
    quick={"epochs": 20, "modal_epochs": 15},
)
