"""What colours the items: a class each, or a number each. No Qt; `theme` turns it into colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph_gui.state import AppState

WRONG, CORRECT = -2, -3
"""Places in the palette that have the same colours, vermillion and blue, whatever was chosen for classes."""


@dataclass(frozen=True, eq=False)
class Colouring:
    """A class or a number for each item of the item set.

    Args:
        title: what it is, for a legend.
        codes: class of each item, −1 for none; None where `values` are given.
        names: name of each class, for a legend.
        slots: place of each class in the categorical palette.
        values: a number for each item; NaN for none.
        low: smallest finite value; high: the largest.

    Shapes:
        codes (items,) int64; values (items,) float64.
    """

    title: str
    codes: npt.NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    slots: tuple[int, ...] = ()
    values: npt.NDArray[np.float64] | None = None
    low: float = 0.0
    high: float = 1.0


def colouring_of(state: AppState) -> Colouring | None:
    """What `state.colour_by` says of each item; None where there are no items or nothing is known yet."""
    items, prediction = state.items, state.prediction
    if items is None:
        return None
    n_classes = prediction.probabilities.shape[1] if prediction is not None else 0
    if state.colour_by == "label" and items.labels is not None:
        return _classes("Label", items.labels, items.class_names)
    if state.colour_by == "prediction" and prediction is not None:
        return _classes("Prediction", prediction.classes, items.class_names, n_classes)
    if state.colour_by == "correct" and prediction is not None and items.labels is not None:
        known = (items.labels >= 0) & (prediction.classes >= 0)
        codes = np.where(known, prediction.classes == items.labels, -1).astype(np.int64)
        return Colouring("Prediction", codes, ("wrong", "correct"), (WRONG, CORRECT))
    if state.colour_by == "split" and items.splits is not None:
        return _classes("Split", items.splits, items.split_names)
    if state.colour_by == "loss" and prediction is not None and items.labels is not None:
        return _numbers("Loss (nats)", prediction.losses(items.labels))
    if state.colour_by == "confidence" and prediction is not None:
        return _numbers("Confidence", prediction.confidence)
    if state.colour_by in state.groups:
        groups = state.groups[state.colour_by]
        if groups.values is not None:
            return _numbers(groups.title, groups.values)
        return Colouring(groups.title, groups.codes, groups.names, tuple(range(len(groups.names))))
    if state.colour_by in items.columns:
        return _numbers(state.colour_by, items.columns[state.colour_by])
    return None


def _numbers(title: str, given: npt.NDArray[Any]) -> Colouring:
    values = given.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    return Colouring(title, values=values, low=low, high=high)


def _classes(
    title: str, codes: npt.NDArray[np.int64], names: tuple[str, ...], at_least: int = 0
) -> Colouring:
    codes = codes.astype(np.int64)
    count = max(int(codes.max(initial=-1)) + 1, len(names), at_least)
    named = tuple(names[i] if i < len(names) else str(i) for i in range(count))
    return Colouring(title, codes, named, tuple(range(count)))
