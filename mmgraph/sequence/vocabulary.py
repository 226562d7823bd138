"""Vocabularies: which tokens have a number, and one number for all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from mmgraph.errors import InputError

UNKNOWN = "<unknown>"


class Vocabulary:
    """Tokens with a number each; every other token has the number of "<unknown>", which is 0.

    Args:
        tokens: what has a number of its own, in order; from 1 on, after the special ones.
        specials: further tokens that no text contains, such as "<begin>"; from 1 on.

    Raises:
        InputError: a token is there twice.
    """

    def __init__(self, tokens: Iterable[str], specials: Sequence[str] = ()) -> None:
        self.tokens = (UNKNOWN, *specials, *tokens)
        self._numbers = {token: number for number, token in enumerate(self.tokens)}
        if len(self._numbers) < len(self.tokens):
            twice = [token for token, count in Counter(self.tokens).items() if count > 1]
            raise InputError(f"Expected every token once, but these are there more often: {twice[:5]}.")

    @classmethod
    def of(
        cls,
        tokens: Iterable[str],
        *,
        size: int | None = None,
        minimum_count: int = 1,
        specials: Sequence[str] = (),
    ) -> Vocabulary:
        """The tokens of a corpus, the most frequent first, those of the same count in alphabetical order.

        Args:
            tokens: of all texts, one after the other.
            size: so many at most, besides the special ones.
            minimum_count: how often a token has to occur.
            specials: as for the class.
        """
        counts = Counter(tokens)
        for special in (UNKNOWN, *specials):
            del counts[special]
        kept = [token for token, count in counts.items() if count >= minimum_count]
        return cls(sorted(kept, key=lambda token: (-counts[token], token))[:size], specials)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._numbers

    def __getitem__(self, token: str) -> int:
        return self._numbers.get(token, 0)

    def encode(self, tokens: Iterable[str]) -> Tensor:
        """Numbers of tokens; 0 for those without a number of their own.

        Shapes:
            (tokens,) int64.
        """
        return torch.tensor([self._numbers.get(token, 0) for token in tokens], dtype=torch.int64)

    def decode(self, numbers: Tensor) -> list[str]:
        """Tokens of numbers.

        Shapes:
            numbers (tokens,).

        Raises:
            InputError: a number that no token has.
        """
        if numbers.numel() and not 0 <= int(numbers.min()) <= int(numbers.max()) < len(self):
            raise InputError(
                f"Expected numbers from 0 to {len(self) - 1}, but got {int(numbers.min())} to {int(numbers.max())}."
            )
        return [self.tokens[number] for number in numbers.tolist()]
