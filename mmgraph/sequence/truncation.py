"""Long sequences in windows: the data side of truncated back-propagation through time."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from mmgraph.errors import InputError


def text_windows(
    tokens: Tensor, rows: int, columns: int, steps: int, *, shift: int = 0, start: int = 0
) -> Iterator[tuple[bool, Tensor, Tensor]]:
    """A long sequence in rows side by side, read in windows: whether rows begin here, tokens, and those one further.

    States go on from window to window, with `detached` in between; so gradients go back `steps` tokens at most.

    Args:
        tokens: the sequence.
        rows, columns: how it lies; rows · columns tokens are read.
        steps: columns of a window; the last may have fewer.
        shift: where the first row begins.
        start: window to begin with.

    Shapes:
        tokens (n,): windows (rows, steps).

    Raises:
        InputError: the sequence is too short, or a number is out of range.
    """
    if min(rows, columns, steps) < 1 or shift < 0 or shift + rows * columns >= len(tokens):
        raise InputError(
            f"Expected more than shift + rows · columns = {shift} + {rows} · {columns} tokens and steps of at least 1, "
            f"but got {len(tokens)} tokens and {steps} steps."
        )
    before = tokens[shift : shift + rows * columns].view(rows, columns)
    after = tokens[shift + 1 : shift + 1 + rows * columns].view(rows, columns)
    for first in range(start * steps, columns, steps):
        window = slice(first, first + steps)
        yield first == 0, before[:, window], after[:, window]
