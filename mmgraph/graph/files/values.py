"""Values of attributes as text, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmgraph.errors import InputError

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no way to say."""


def boolean(text: str) -> bool:
    return BOOLEANS[text.lower()]


READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": boolean,
    "byte": int,
    "short": int,
    "int": int,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "anyuri": str,
    "liststring": str,
}
"""How the values of a type are read; the types of GraphML and GEXF."""


def kind_of(name: str, values: NDArray[Any], format: str) -> type[bool] | type[int] | type[float] | type[str]:
    """The one kind of an attribute's values.

    Raises:
        InputError: they are of several kinds, or of one that text formats cannot hold.
    """
    kinds = {type(value) for value in values.tolist() if value is not None}
    if kinds <= {int, float} and kinds:
        return float if float in kinds else int
    if len(kinds) == 1 and values.ndim == 1 and (kind := kinds.pop()) in (bool, str):
        return kind
    if not kinds:
        return str
    raise InputError(
        f"Expected numbers, booleans or text as values of the attribute '{name}' in {format}, but they are "
        f"{' and '.join(sorted(kind.__name__ for kind in kinds)) or 'lists'}: write .npz, or leave the attribute out."
    )


def checked_text(text: str, format: str) -> str:
    """Text that XML can hold.

    Raises:
        InputError: it has a character that XML cannot.
    """
    if found := UNWRITABLE.search(text):
        raise InputError(
            f"Expected text that {format} can hold, but {text!r} has the character {found[0]!r}: write .npz."
        )
    return text


def as_text(value: Any) -> str:
    """A value as XML writes it."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
