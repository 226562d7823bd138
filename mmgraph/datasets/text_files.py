"""Texts to learn a language from: one file, in UTF-8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmgraph.errors import InputError

MOST_BYTES = 1 << 30
BUILTIN = Path(__file__).parent / "builtin"


@dataclass(frozen=True)
class Text:
    """A text and what it is called."""

    name: str
    text: str

    def __len__(self) -> int:
        return len(self.text)


def read_text(path: Path, name: str = "") -> Text:
    """A text file, whatever its script.

    Args:
        path: the file; line ends of every system become a line feed.
        name: what the text is called; the file by default.

    Raises:
        InputError: there is no such file, it is larger than 1 GiB, empty, or not UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputError(f"'{path}' has {size:,} bytes; a text of at most {MOST_BYTES:,} is read.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"'{path}' is not a text in UTF-8 ({error.reason} at byte {error.start})."
        ) from error
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror}).") from error
    if not text:
        raise InputError(f"'{path}' is empty; expected a text to learn from.")
    return Text(name or path.stem, text)
