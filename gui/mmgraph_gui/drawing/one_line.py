"""Names that people gave, in one line, whatever script they are in."""

from __future__ import annotations

import unicodedata

ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"
"""Around what is written from the right, so that a number beside it stays where it was put."""

FROM_THE_RIGHT = ("R", "AL")
TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""Marks with which a name could turn around what stands beside it."""


def in_one_line(name: str) -> str:
    """The name with spaces in place of line breaks, tabs and other control characters, and kept to itself."""
    kinds = {letter: unicodedata.bidirectional(letter) for letter in set(name)}
    kept = "".join(
        " " if unicodedata.category(letter) == "Cc" else letter
        for letter in name
        if kinds[letter] not in TURNS
    )
    line = " ".join(kept.split())
    if any(kind in FROM_THE_RIGHT for kind in kinds.values()):
        return f"{ISOLATE}{line}{END_OF_ISOLATE}"
    return line
