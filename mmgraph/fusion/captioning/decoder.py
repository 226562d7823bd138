"""What all decoders have in common: words follow words, with a look at the annotations before each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn

State = tuple[Tensor, ...]
"""What a decoder remembers of the words so far; sentences on the first axis of each part."""


class Decoded(NamedTuple):
    """Answers of a decoder that was told every word before the one it has to say.

    Shapes:
        logits (n, T, words); weights (n, T, L), how much is looked at each place before each word, sums 1;
        chosen (n, T), log-probabilities of the places drawn, None where none are.
    """

    logits: Tensor
    weights: Tensor
    chosen: Tensor | None = None


class CaptionDecoder(nn.Module, ABC):
    """Annotation vectors (n, L, D) and words so far to the next word."""

    num_words: int

    @abstractmethod
    def forward(self, annotations: Tensor, words: Tensor) -> Decoded:
        """What is said after each word, where all words are known; (n, L, D) and (n, T) int64."""

    @abstractmethod
    def start(self, annotations: Tensor) -> State:
        """The state before the first word."""

    @abstractmethod
    def step(self, annotations: Tensor, words: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Logits (n, words) of the next word after `words` (n,), the weights (n, L) looked with, and the new state."""

    def attention(self, annotations: Tensor, words: Tensor) -> Tensor:
        """How much is looked at each place before each word: (n, T, L)."""
        decoded: Decoded = self(annotations, words)
        return decoded.weights
