"""Texts into tokens and back: characters, words, and words with their spaces."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from mmgraph.errors import UnknownNameError

TokenKind = Literal["characters", "words", "spaced-words"]

_WORD = r"\w+(?:['’]\w+)*"
_PATTERNS = {
    "words": re.compile(rf"{_WORD}|[^\w\s]"),
    "spaced-words": re.compile(rf" ?{_WORD}| ?[^\w\s]|\s"),
}


@dataclass(frozen=True)
class Tokenizer:
    """Cuts texts of any script into tokens.

    Args:
        kind: "characters" are Unicode code points; "words" are runs of letters, digits and inner apostrophes, and
            single other marks, without the white space; "spaced-words" are the same with the space before them, and
            other white space each by itself, so that joining them gives back the text.
        lowercase: whether capitals are made small first.

    Raises:
        UnknownNameError: there is no such kind.
    """

    kind: TokenKind = "words"
    lowercase: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(TokenKind):
            raise UnknownNameError.of("kind of tokens", self.kind, get_args(TokenKind))

    def cut(self, text: str) -> list[str]:
        """The tokens of a text; none of an empty one."""
        text = text.lower() if self.lowercase else text
        return list(text) if self.kind == "characters" else _PATTERNS[self.kind].findall(text)

    def join(self, tokens: list[str]) -> str:
        """A text again; of "words" with a space between all of them."""
        return (" " if self.kind == "words" else "").join(tokens)
