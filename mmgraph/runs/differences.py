"""What differs between the configurations of two runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PASSING = frozenset({"run.created", "run.command"})
"""Differ between any two runs."""


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, object, object]]:
    """(name, value in one, value in the other) of everything that differs; None where a run does not say.

    Options come first, then what the run is, then where it ran; `options.epochs` names an option by its table.
    """
    left, right = _flat(one), _flat(other)
    order = {"options": 0, "run": 1, "environment": 2}
    names = sorted(
        (left.keys() | right.keys()) - PASSING,
        key=lambda name: (order.get(name.partition(".")[0], 3), name),
    )
    return [(name, left.get(name), right.get(name)) for name in names if left.get(name) != right.get(name)]


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
