"""The task of the recipe `language-model`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from mmgraph import datasets
from mmgraph.datasets.text_files import read_text
from mmgraph.errors import ConfigError
from mmgraph.recipes.language_model import LanguageModelConfig
from mmgraph.sequence import LanguageModel, Tokenizer, Vocabulary
from mmgraph.training.language_modelling import LanguageModelling, parts_of

if TYPE_CHECKING:
    from mmgraph.datasets.text_files import Text
    from mmgraph.sequence.cell import CellKind

TEST = 0.1


def build(config: LanguageModelConfig) -> LanguageModelling:
    """A text in three parts by position, and a network that has seen none of its tokens."""
    if config.kind != "lstm" and (config.peephole or config.coupled):
        raise ConfigError(f"peephole and coupled belong to kind = lstm, not to {config.kind}.")
    if config.text_file is not None:
        found = read_text(Path(config.text_file).expanduser())
    else:
        found = cast("Text", datasets.load(config.dataset))
    tokenizer = Tokenizer("characters" if config.tokens == "characters" else "spaced-words")
    parts = parts_of(tokenizer.cut(found.text), TEST, config.validation)
    vocabulary = Vocabulary.of(parts["train"], size=config.vocabulary)
    model = LanguageModel(
        len(vocabulary),
        config.hidden,
        embedding=config.embedding,
        kind=cast("CellKind", config.kind),
        layers=config.layers,
        dropout=config.dropout,
        tied=config.tied,
        peephole=config.peephole,
        coupled=config.coupled,
    )
    return LanguageModelling(
        model,
        {part: vocabulary.encode(tokens) for part, tokens in parts.items()},
        characters={part: sum(map(len, tokens)) for part, tokens in parts.items()},
        vocabulary=vocabulary,
        tokenizer=tokenizer,
        batch_size=config.batch_size,
        steps=config.steps,
        seed=config.seed,
        prompt=config.prompt or "\n",
        sample_length=config.sample_length,
        temperature=config.temperature,
        top_k=config.top_k,
        nucleus=config.nucleus,
    )
