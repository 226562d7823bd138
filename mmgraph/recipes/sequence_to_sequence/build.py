"""The task of the recipe `sequence-to-sequence`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

from mmgraph.errors import ConfigError
from mmgraph.recipes.sequence_to_sequence import SequenceToSequenceConfig
from mmgraph.runs import ItemSet
from mmgraph.sequence import EncoderDecoder, Vocabulary
from mmgraph.training.sequence_to_sequence import Pair, SequenceToSequence

if TYPE_CHECKING:
    from mmgraph.sequence.attention import AttentionKind
    from mmgraph.sequence.cell import CellKind

BEGIN, END = "<begin>", "<end>"
HELD = 0.125
"""Share of the pairs for validation, and for test."""

MOST_SPELLED = 9
UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = [
    "ten",
    "eleven",
    "twelve",
    *(f"{stem}teen" for stem in ("thir", "four", "fif", "six", "seven", "eigh", "nine")),
]
ONES = UNITS + TEENS
TENS = [f"{stem}ty" for stem in ("twen", "thir", "for", "fif", "six", "seven", "eigh", "nine")]


def build(config: SequenceToSequenceConfig) -> SequenceToSequence:
    """Pairs in three parts, none of them twice, and a network over them."""
    if config.hidden % 2:
        raise ConfigError(
            f"hidden is an even number here, for each direction of the encoder has half; not {config.hidden}."
        )
    pairs = draw_pairs(config)
    held = round(len(pairs) * HELD)
    parts = {"test": pairs[:held], "validation": pairs[held : 2 * held], "train": pairs[2 * held :]}
    source = Vocabulary("0123456789")
    words = (
        sorted({word for _, written in pairs for word in written}) if config.task == "spell" else "0123456789"
    )
    target = Vocabulary(words, specials=(BEGIN, END))
    model = EncoderDecoder(
        len(source),
        len(target),
        config.hidden,
        begin=target[BEGIN],
        end=target[END],
        embedding=config.embedding,
        kind=cast("CellKind", config.kind),
        layers=config.layers,
        attention=None if config.attention == "none" else cast("AttentionKind", config.attention),
        dropout=config.dropout,
    )
    shown = parts["test"][: config.probe_pairs]
    lengths = torch.tensor([len(read) for read, _ in shown])
    items = ItemSet(
        labels=(lengths - lengths.min()).numpy(),
        class_names=tuple(f"{length} digits" for length in range(int(lengths.min()), int(lengths.max()) + 1)),
        texts=tuple(f"{' '.join(read)} → {' '.join(written)}" for read, written in shown),
        noun="pair",
    )
    return SequenceToSequence(
        model,
        parts,
        source=source,
        target=target,
        items=items,
        cut=lambda text: [digit for digit in text if not digit.isspace()],
        batch_size=config.batch_size,
        teacher_forcing=config.teacher_forcing,
        epochs=config.epochs,
        seed=config.seed,
    )


def draw_pairs(config: SequenceToSequenceConfig) -> list[Pair]:
    """Different rows of digits and what is to be written for them.

    Raises:
        ConfigError: there are too few different rows of so many digits.
    """
    shortest, longest = config.shortest, config.longest
    if shortest > longest or (config.task == "spell" and longest > MOST_SPELLED):
        most = f" of at most {MOST_SPELLED}" if config.task == "spell" else ""
        raise ConfigError(
            f"Expected numbers of digits from shortest to longest{most}, not {shortest} to {longest}."
        )
    # No row may begin with zero where it is a number; half of all rows at most are asked for, so that drawing ends.
    possible = sum(
        (9 if config.task == "spell" else 10) * 10 ** (length - 1) for length in range(shortest, longest + 1)
    )
    if 2 * config.pairs > possible:
        raise ConfigError(
            f"There are {possible:,} rows of {shortest} to {longest} digits, too few to draw {config.pairs:,} "
            "different ones: use more digits or fewer pairs."
        )
    generator = torch.Generator().manual_seed(config.seed)
    rows: dict[str, None] = {}
    while len(rows) < config.pairs:
        length = int(torch.randint(shortest, longest + 1, (), generator=generator))
        digits = "".join(map(str, torch.randint(10, (length,), generator=generator).tolist()))
        if config.task != "spell" or digits[0] != "0":
            rows[digits] = None
    return [(list(digits), answer(config.task, digits)) for digits in rows]


def answer(task: str, digits: str) -> list[str]:
    """What is to be written for some digits."""
    if task == "sort":
        return sorted(digits)
    return list(reversed(digits)) if task == "reverse" else spelled(int(digits))


def spelled(number: int) -> list[str]:
    """A number below a milliard in English words: 1203 is one thousand two hundred three."""
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = spelled(number % size) if number % size else []
            return [*spelled(number // size), name, *rest]
    if number < len(ONES):
        return [ONES[number]]
    return [TENS[number // 10 - 2], *([ONES[number % 10]] if number % 10 else [])]
