"""Digits sorted, turned around or spelled out, by an encoder and a decoder with attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class SequenceToSequenceConfig(TrainingOptions):
    """Options of the recipe `sequence-to-sequence`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("task", "spell"): {"shortest": 1, "longest": 6},
    }

    task: str = option(
        "sort",
        "What is written for some digits: the digits in order, the digits from back to front, or the number in words.",
        choices=("sort", "reverse", "spell"),
    )
    pairs: int = option(4000, "Pairs that are drawn; a quarter of them are held back.", minimum=40)
    shortest: int = option(3, "Fewest digits.", minimum=1, maximum=50)
    longest: int = option(8, "Most digits; 9 at most for words.", minimum=1, maximum=50)
    kind: str = option("gru", "Recurrent cell.", choices=("lstm", "gru", "rnn"))
    attention: str = option(
        "additive", "How the decoder looks back.", choices=("additive", "general", "dot", "none")
    )
    hidden: int = option(96, "Numbers in the state of the decoder; even.", minimum=2)
    layers: int = option(1, "Recurrent layers of encoder and decoder.", minimum=1)
    embedding: int = option(32, "Numbers in the vector of a token.", minimum=1)
    dropout: float = option(0.0, "Share of the numbers zeroed in training.", minimum=0.0, maximum=0.99)
    teacher_forcing: float = option(
        1.0,
        "How often the true token before is given at the end of the run; below 1 ever less often (scheduled sampling).",
        minimum=0.0,
        maximum=1.0,
    )
    batch_size: int = option(64, "Pairs in a batch.", minimum=1)
    probe_pairs: int = option(100, "Test pairs that snapshots show.", minimum=1)
    epochs: int = option(12, "Passes over the training pairs.", minimum=1)
    learning_rate: float = option(5e-3, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    gradient_clip: float | None = option(1.0, "Largest norm of the gradient.", minimum=1e-12)


RECIPE = Recipe(
    name="sequence-to-sequence",
    title="Sorting and spelling digits",
    summary="An encoder and a decoder that sort digits, turn them around or spell numbers in words, with what each "
    "written token looks at as an attention map. Needs no download.",
    config=SequenceToSequenceConfig,
    package=__name__,
    quick={"epochs": 4, "pairs": 1500},
)
