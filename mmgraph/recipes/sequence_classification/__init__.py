"""Curves and gestures, sorted by a recurrent network that follows them point by point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class SequenceClassificationConfig(TrainingOptions):
    """Options of the recipe `sequence-classification`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "hand-gestures"): {"epochs": 20},
    }

    dataset: str = option(
        "curves", "Curves that are drawn, or tracks of a fingertip.", choices=("curves", "hand-gestures")
    )
    split: str = option(
        "blocks",
        "Which gestures are for test: whole stretches of the recordings, with a gap around them, or any rows at "
        "random, whose neighbours in time are then trained on.",
        choices=("blocks", "random"),
    )
    curves: int = option(1500, "Curves that are drawn; a fifth of them are for test.", minimum=60)
    kind: str = option("gru", "Recurrent cell.", choices=("lstm", "gru", "rnn"))
    peephole: bool = option(False, "Gates see the cell state (lstm).")
    coupled: bool = option(False, "Forget only where something is written (lstm).")
    hidden: int = option(64, "Numbers in the state of a layer, for each direction.", minimum=1)
    layers: int = option(1, "Recurrent layers.", minimum=1)
    bidirectional: bool = option(False, "Read in both directions.")
    dropout: float = option(0.1, "Share of the numbers zeroed in training.", minimum=0.0, maximum=0.99)
    batch_size: int = option(32, "Sequences in a batch.", minimum=1)
    probe_sequences: int = option(300, "Test sequences that snapshots show.", minimum=1)
    epochs: int = option(20, "Passes over the training sequences.", minimum=1)
    learning_rate: float = option(5e-3, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    gradient_clip: float | None = option(1.0, "Largest norm of the gradient.", minimum=1e-12)


RECIPE = Recipe(
    name="sequence-classification",
    title="Gestures, point by point",
    summary="A recurrent network that sorts drawn curves (no download) or gestures of a hand by following their "
    "points, and shows its gates while it does.",
    config=SequenceClassificationConfig,
    package=__name__,
    quick={"curves": 500},
    own_model="normalised sequences (n, steps, channels), padded with zeros, and their lengths (n,) in, class "
    "scores (n, classes) out",
)
