"""Whether a decoder looks at the things it names."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mmgraph.datasets.captioned_images import Mention
from mmgraph.errors import InputError


def pointing_accuracy(weights: Tensor, grid: tuple[int, int], mentions: Sequence[Sequence[Mention]]) -> float:
    """Share of named things at which attention is highest before their name is said: the pointing game.

    A peak is right where its place, one cell of the grid, overlaps the box of the thing.

    Args:
        weights: how much is looked at each place before each word.
        grid: rows and columns of places.
        mentions: of each sentence the words that name things, and where these lie: top, left, bottom and right as
            shares of height and width.

    Shapes:
        weights (n, T, rows · columns).

    Raises:
        InputError: the weights do not fit the grid or the sentences, or nothing is named.

    Source: Zhang et al., "Top-down neural attention by excitation backprop", ECCV 2016.
    """
    rows, columns = grid
    if weights.dim() != 3 or len(weights) != len(mentions) or weights.size(2) != rows * columns:
        raise InputError(
            f"Expected weights ({len(mentions)}, words, {rows * columns}), but got {tuple(weights.shape)}."
        )
    peaks = weights.argmax(dim=2).tolist()
    right = named = 0
    for places, some in zip(peaks, mentions, strict=True):
        for word, (top, left, bottom, right_side) in some:
            if word >= len(places):
                raise InputError(
                    f"Word {word} names a thing, but there are weights of {len(places)} words only."
                )
            row, column = divmod(places[word], columns)
            inside = row < bottom * rows and (row + 1) > top * rows
            right += inside and column < right_side * columns and (column + 1) > left * columns
            named += 1
    if not named:
        raise InputError("None of the sentences names a thing, so there is nothing to point at.")
    return right / named
