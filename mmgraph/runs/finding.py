"""Finding items by what is known of them: number, class, part of the data, text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.runs.items import ItemSet

FIELDS = ("id", "label", "split", "text")

_Found = npt.NDArray[np.bool_]


def find_items(items: ItemSet, text: str) -> npt.NDArray[np.int64]:
    """Rows of the items that fit every word, whatever its case; all of them for no words.

    A word fits an item whose id it is, whose class or text holds it; a number fits a class of that name only.
    `label:7`, `id:7`, `split:test` and `text:graph` look in one place only.

    Shapes:
        (m,) ascending.
    """
    found: _Found = np.ones(len(items), dtype=bool)
    for word in text.casefold().split():
        found &= _fitting(items, word)
    return np.flatnonzero(found)


def _fitting(items: ItemSet, word: str) -> _Found:
    field, colon, value = word.partition(":")
    if not (colon and value and field in FIELDS):
        field, value = "", word
    found: _Found = np.zeros(len(items), dtype=bool)
    if field in ("", "id") and items.ids is not None and value.isdecimal():
        found |= items.ids == min(int(value), np.iinfo(np.int64).max)
    if field in ("", "label") and items.labels is not None:
        found |= _named(items.labels, items.class_names, value)
    if field == "split" and items.splits is not None:
        found |= _named(items.splits, items.split_names, value)
    if field in ("", "text") and items.texts is not None:
        found |= np.fromiter((value in text.casefold() for text in items.texts), dtype=bool, count=len(items))
    return found


def _named(codes: npt.NDArray[Any], names: Sequence[str], value: str) -> _Found:
    """Whether the name of each code holds a value; a code without a name is its own."""
    known = np.unique(codes[codes >= 0])
    spelled = {int(code): names[code].casefold() if code < len(names) else str(code) for code in known}
    whole = value.isdecimal()
    wanted = [code for code, name in spelled.items() if (name == value if whole else value in name)]
    return np.isin(codes, wanted)
