"""How a view is looked at, as what JSON can hold, and back: for the next start."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF


def noted(look: Any) -> Any:
    """What `View.look` returned, as numbers, texts, lists and tables."""
    if dataclasses.is_dataclass(look) and not isinstance(look, type):
        return {field.name: noted(getattr(look, field.name)) for field in dataclasses.fields(look)}
    if isinstance(look, np.ndarray):
        return look.tolist()
    if isinstance(look, QPointF):
        return [look.x(), look.y()]
    if isinstance(look, tuple):
        return [noted(part) for part in look]
    if isinstance(look, dict):
        return {name: noted(part) for name, part in look.items()}
    return look


def read_look(kind: Any, note: Any) -> Any:
    """A look of a kind (see `View.look_kind`) from what `noted` made of it.

    Raises:
        ValueError: it is none of that kind.
    """
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if note is None else read_look(next(one for one in inside if one is not type(None)), note)
    if origin is tuple and isinstance(note, list) and len(note) == len(inside):
        return tuple(read_look(part, one) for part, one in zip(inside, note, strict=True))
    if origin is dict and isinstance(note, dict):
        return {name: read_look(inside[1], one) for name, one in note.items()}
    if origin is np.ndarray:
        array = np.array(note, dtype=np.float64)
        if np.isfinite(array).all():
            return array
    elif dataclasses.is_dataclass(kind) and isinstance(note, dict):
        hints = typing.get_type_hints(kind)
        if set(note) == set(hints):
            return typing.cast("type", kind)(**{name: read_look(hints[name], note[name]) for name in hints})
    elif kind is QPointF:
        return QPointF(*read_look(tuple[float, float], note))
    elif kind is float and isinstance(note, int | float) and math.isfinite(note):
        return float(note)
    elif kind in (int, str, bool) and type(note) is kind:
        return note
    raise ValueError(f"{note!r} is no {kind}.")
