"""The next character or word of a text, by a recurrent network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from mmgraph.options import Scalar, option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class LanguageModelConfig(TrainingOptions):
    """Options of the recipe `language-model`."""

    presets: ClassVar[Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]]] = {
        ("dataset", "tinyshakespeare"): {
            "epochs": 6,
            "hidden": 512,
            "dropout": 0.5,
            "batch_size": 32,
            "steps": 64,
            "warmup_steps": 100,
        },
    }

    dataset: str = option("sonnets", "Text to learn from.", choices=("sonnets", "tinyshakespeare"))
    text_file: str | None = option(
        None, "A text file of your own, in UTF-8; it takes the place of the dataset."
    )
    tokens: str = option(
        "characters", "What the text is cut into; words keep their spaces.", choices=("characters", "words")
    )
    vocabulary: int | None = option(
        None, "Most frequent tokens that are known; all others are one; none takes all.", minimum=1
    )
    kind: str = option("lstm", "Recurrent cell.", choices=("lstm", "gru", "rnn"))
    peephole: bool = option(False, "Gates see the cell state (lstm).")
    coupled: bool = option(False, "Forget only where something is written (lstm).")
    hidden: int = option(128, "Numbers in the state of a layer.", minimum=1)
    layers: int = option(1, "Recurrent layers.", minimum=1)
    embedding: int = option(64, "Numbers in the vector of a token.", minimum=1)
    dropout: float = option(0.2, "Share of the numbers zeroed in training.", minimum=0.0, maximum=0.99)
    tied: bool = option(False, "Token vectors also score what comes next.")
    batch_size: int = option(16, "Rows that the text is read in, side by side.", minimum=1)
    steps: int = option(32, "Tokens that gradients go back through.", minimum=1)
    validation: float = option(
        0.05,
        "Share of the text, before the last 10 % that are for test, that chooses the best weights.",
        minimum=0.01,
        maximum=0.5,
    )
    prompt: str = option("", "What samples begin with; empty for a new line.")
    sample_length: int = option(200, "Tokens of a sample.", minimum=0)
    temperature: float = option(0.8, "Samples: below 1 the likely becomes likelier.", minimum=0.0)
    top_k: int | None = option(None, "Samples: only the so many likeliest tokens are drawn.", minimum=1)
    nucleus: float | None = option(
        None,
        "Samples: only the likeliest tokens that make up this share are drawn.",
        minimum=1e-6,
        maximum=1.0,
    )
    epochs: int = option(30, "Passes over the training part of the text.", minimum=1)
    learning_rate: float = option(3e-3, "Step size of the optimiser.", minimum=1e-12)
    schedule: str = option(
        "cosine",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    gradient_clip: float | None = option(1.0, "Largest norm of the gradient.", minimum=1e-12)


RECIPE = Recipe(
    name="language-model",
    title="The next character",
    summary="A recurrent network that learns to write like a text, character by character or word by word, and shows "
    "what it writes as it learns: sonnets (no download), tinyshakespeare, or any text file.",
    config=LanguageModelConfig,
    package=__name__,
    quick={"epochs": 5},
    own_model="token numbers (n, time), at most as many as the option steps says, in, scores of the token after each "
    "(n, time, tokens) out",
)
