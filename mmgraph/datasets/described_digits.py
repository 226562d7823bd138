"""Digits of scikit-learn with a short, unreliable description in words each: images and texts without a download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmgraph.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

WORDS: tuple[tuple[str, ...], ...] = (
    ("zero", "nought", "nothing", "round", "even"),
    ("one", "single", "first", "straight", "odd"),
    ("two", "pair", "double", "second", "even", "prime"),
    ("three", "trio", "triple", "third", "odd", "prime"),
    ("four", "quartet", "square", "fourth", "even"),
    ("five", "quintet", "hand", "fifth", "odd", "prime"),
    ("six", "sextet", "hexagon", "sixth", "even"),
    ("seven", "week", "septet", "seventh", "odd", "prime"),
    ("eight", "octet", "octopus", "round", "even"),
    ("nine", "nonet", "ninth", "square", "odd"),
)
"""Words that describe each digit; some digits share some."""

VOCABULARY: tuple[str, ...] = tuple(sorted({word for words in WORDS for word in words}))


@dataclass(frozen=True, eq=False)
class DescribedDigits:
    """An image, a text and a class for each item.

    Shapes:
        images (1797, 8, 8) uint8, counts (1797, words) float32, labels (1797,) int64; `texts` are what `counts`
        counts the words of `VOCABULARY` in.
    """

    images: Tensor
    counts: Tensor
    labels: Tensor
    texts: tuple[str, ...]
    class_names: tuple[str, ...]


def describe_digits(*, words: int = 6, noise: float = 0.6, seed: int = 0) -> DescribedDigits:
    """A text for each digit: with probability 1 − noise a word describes the digit, else it is any word.

    Args:
        words: in each text.
        noise: share of the words that say nothing about the digit.
        seed: of the texts.

    Raises:
        InputError: fewer than one word, or a share outside 0 … 1.
    """
    import torch

    from mmgraph import datasets

    if words < 1 or not 0 <= noise <= 1:
        raise InputError(f"Expected at least one word and noise from 0 to 1, but got {words} and {noise}.")
    digits = datasets.load("digits")
    labels = digits.train_labels
    generator = torch.Generator().manual_seed(seed)
    chances = torch.zeros(len(WORDS), len(VOCABULARY))
    for digit, described in enumerate(WORDS):
        chances[digit, [VOCABULARY.index(word) for word in described]] = (1 - noise) / len(described)
    chances += noise / len(VOCABULARY)
    drawn = torch.multinomial(chances[labels], words, replacement=True, generator=generator)
    counts = torch.zeros(len(labels), len(VOCABULARY)).scatter_add_(
        1, drawn, torch.ones_like(drawn, dtype=torch.float32)
    )
    texts = tuple(" ".join(VOCABULARY[word] for word in row) for row in drawn.tolist())
    return DescribedDigits(digits.train_images, counts, labels, texts, digits.class_names)
