"""What is known of nodes and edges beside the structure: one array per attribute, in the order of nodes or edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mmgraph.errors import InputError

Attributes = Mapping[str, NDArray[Any]]


def column(values: Sequence[Any]) -> NDArray[Any]:
    """Values of one attribute as an array.

    Numbers or booleans that are all there give an array of bool, int64 or float64; sequences or arrays of numbers
    that all have one shape give an array with further axes. All else gives an array of objects, with None where an
    item has no value, so that nothing is invented and everything can be given back.
    """
    kinds = set(map(type, values))
    if kinds == {bool}:
        return np.array(values, np.bool_)
    if kinds and kinds <= {int, float}:
        try:
            return np.array(values, np.int64 if kinds == {int} else np.float64)
        except OverflowError:
            return _objects(values)
    if kinds and all(issubclass(kind, list | tuple | np.ndarray | np.generic) for kind in kinds):
        try:
            stacked = np.array(values)
        except (ValueError, OverflowError):
            return _objects(values)
        if stacked.dtype.kind in "biuf":
            return stacked
    return _objects(values)


def columns(items: Sequence[Mapping[Any, Any]], without: str | None = None) -> dict[str, NDArray[Any]]:
    """One array per name that occurs in any of the items; names that are no text are left out."""
    names: dict[Any, None] = dict.fromkeys(chain.from_iterable(items))
    return {
        name: column([item.get(name) for item in items])
        for name in names
        if isinstance(name, str) and name != without
    }


def rows(attributes: Attributes, count: int) -> list[dict[str, Any]]:
    """One dictionary per item, without what is None."""
    if not attributes:
        return [{} for _ in range(count)]
    names = tuple(attributes)
    # Plain numbers and lists, as other libraries and JSON expect them.
    items = zip(*(values.tolist() for values in attributes.values()), strict=True)
    if any(values.dtype == object for values in attributes.values()):
        return [
            {name: value for name, value in zip(names, item, strict=True) if value is not None}
            for item in items
        ]
    return [dict(zip(names, item, strict=True)) for item in items]


def select(attributes: Attributes, which: Any) -> dict[str, NDArray[Any]]:
    """The attributes of some of the items, by numbers or a mask."""
    if not attributes:  # then nothing has to come from the GPU
        return {}
    chosen = which.cpu().numpy() if isinstance(which, Tensor) else which
    return {name: values[chosen] for name, values in attributes.items()}


def checked(what: str, attributes: Mapping[str, Any] | None, count: int) -> dict[str, NDArray[Any]]:
    """Attributes as arrays with one entry per item.

    Raises:
        InputError: an attribute has another length.
    """
    found = {}
    for name, values in (attributes or {}).items():
        array = values if isinstance(values, np.ndarray) else column(list(cast("Iterable[Any]", values)))
        if array.ndim == 0 or len(array) != count:
            raise InputError(
                f"Expected one value per {what} for the attribute '{name}', {count}, but got an array of shape "
                f"{array.shape}."
            )
        found[name] = array
    return found


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    # np.array(values, object) would look into values that are sequences.
    array = np.empty(len(values), object)
    for i, value in enumerate(values):
        array[i] = value
    return array
