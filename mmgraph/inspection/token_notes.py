"""What the queries and keys of attention are: words, or patches of a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mmgraph.inspection.draft import Draft


def token_notes(draft: Draft, tokens: Sequence[Sequence[str]], image: Tensor | None) -> dict[str, Any]:
    """Notes for attention of queries on keys.

    Words name the queries or the keys where the longest list has as many as there are; those of a square map may be
    shorter, since batches are padded.

    Args:
        tokens: of each item; may be empty.
        image: pictures (items, channels, height, width) that the model was given.
    """
    notes: dict[str, Any] = {}
    counts = {axis: _total(draft, axis) for axis in ("queries", "keys")}
    longest = max(map(len, tokens), default=0)
    square = counts["queries"] == counts["keys"]
    for axis, count in counts.items():
        if longest and (longest == count or (square and longest < count)):
            items = len(draft.tensor) if "items" in draft.axes else 1
            notes[axis] = [list(some) for some in tokens[:items]]
    if image is not None and not notes:
        notes |= patch_grid(image.shape[-2], image.shape[-1], counts["keys"])
    return notes


def patch_grid(height: int, width: int, keys: int) -> dict[str, Any]:
    """Rows and columns of square patches of a picture, one key each, perhaps after one more such as a class token.

    Empty where no size of patches gives so many.
    """
    common = math.gcd(height, width)
    for side in range(1, common):
        if common % side == 0:
            rows, columns = height // side, width // side
            before = keys - rows * columns
            if before in (0, 1):
                return {"grid": [rows, columns], "before": before}
    return {}


def _total(draft: Draft, axis: str) -> int:
    size = int(draft.tensor.shape[draft.axes.index(axis)])
    return int(draft.notes.get(f"{axis}_of", size))
