"""What training hands over, as values that SQLite can hold; checked before they are queued."""

from __future__ import annotations

import json
import math
import operator
from typing import Any

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.runs.schema import FINAL_STATES, RUNNING_STATES

_NUMBERS = ("epoch", "seconds", "seconds_left", "steps_per_second", "learning_rate")
_WHOLE_NUMBERS = ("step", "total_steps", "device_memory")
_STATUS_FIELDS = ("state", "message", "metrics", *_NUMBERS, *_WHOLE_NUMBERS)


def as_step(value: Any) -> int:
    """A step of training: a whole number from 0."""
    try:
        step = operator.index(value)
    except TypeError as error:
        raise InputError(f"A step is a whole number, not {value!r}.") from error
    if not 0 <= step < 2**53:
        raise InputError(f"A step is a whole number from 0 to 2^53 − 1, not {step}.")
    return step


def as_number(name: str, value: Any) -> float | None:
    """A float; None, as given or for NaN, which SQLite does not know."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)):
        raise InputError(f"{name} must be a number, not the text {value!r}.")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InputError(f"{name} must be one number, not {type(value).__name__} ({error}).") from error
    return None if math.isnan(number) else number


def as_scalar(entry: tuple[str, Any]) -> tuple[str, float | None]:
    """A recorded number under its name."""
    tag, value = entry
    if not isinstance(tag, str) or value is None:
        raise InputError(
            f"Recorded numbers have a text as name and a number as value, not {tag!r}: {value!r}."
        )
    return as_text(tag), as_number(tag, value)


def as_text(value: object) -> str:
    """Text that SQLite takes: what is not Unicode, such as parts of odd file names, is escaped."""
    return str(value).encode(errors="backslashreplace").decode()


def as_status(name: str, value: Any) -> Any:
    """A field of the status as its column holds it."""
    if name not in _STATUS_FIELDS:
        raise UnknownNameError.of("field of a run's status", name, _STATUS_FIELDS)
    if name == "state":
        states = (*RUNNING_STATES, *FINAL_STATES)
        if value not in states:
            raise UnknownNameError.of("state of a run", str(value), states)
        return value
    if name == "message":
        return as_text(value)
    if name == "metrics":
        values = dict(map(as_scalar, value.items()))
        return json.dumps({tag: math.nan if number is None else number for tag, number in values.items()})
    if name in _WHOLE_NUMBERS:
        return as_step(value) if value is not None else (0 if name == "step" else None)
    number = as_number(name, value)
    return 0.0 if number is None and name in ("epoch", "seconds") else number
