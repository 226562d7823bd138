"""How right a model is about each item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Prediction, confidence and loss of each item.

    Shapes, all (items,):
        predictions   class with the highest probability; −1 where the output is not finite.
        confidences   its probability; NaN where the output is not finite.
        labels        as given; −1 where unknown.
        correct       prediction equals label; False where either is unknown.
        wrong         prediction differs from a known label; a non-finite output of a labelled item is wrong.
        losses        −ln p(label), in nats; NaN where the label is unknown, +inf where the output is not finite.
    """

    predictions: npt.NDArray[np.int64]
    confidences: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    correct: npt.NDArray[np.bool_]
    wrong: npt.NDArray[np.bool_]
    losses: npt.NDArray[np.float64]

    def most_wrong(self) -> npt.NDArray[np.int64]:
        """All rows, highest loss first; items without a label follow, least confident first; ties by row."""
        unknown = np.isnan(self.losses)
        key = np.where(unknown, np.nan_to_num(self.confidences, nan=-1.0), -np.nan_to_num(self.losses))
        return np.lexsort((key, unknown)).astype(np.int64)

    def least_confident(self) -> npt.NDArray[np.int64]:
        """All rows, non-finite outputs first, then by rising confidence; ties by row."""
        return np.argsort(np.nan_to_num(self.confidences, nan=-1.0), kind="stable").astype(np.int64)


def judge(probabilities: npt.NDArray[Any], labels: npt.NDArray[Any] | None = None) -> Outcomes:
    """Compare predicted probabilities with labels.

    prediction = argmax p,   confidence = max p,   loss = −ln p[label]   (p is clipped at 1e−12)

    Shapes:
        probabilities (items, classes), rows sum to 1; labels (items,) with −1 for unknown.

    Raises:
        InputError: the shapes do not fit, or a label is not one of the classes.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.shape[1] == 0:
        raise InputError(f"Probabilities have shape (items, classes), not {probabilities.shape}.")
    items, classes = probabilities.shape
    if labels is None:
        labels = np.full(items, -1)
    labels = np.asarray(labels)
    if labels.shape != (items,):
        raise InputError(f"{items} rows of probabilities need as many labels, not shape {labels.shape}.")
    labels = labels.astype(np.int64)
    if items and not (labels.min() >= -1 and labels.max() < classes):
        raise InputError(
            f"Labels are class numbers from 0 to {classes - 1}, or −1 where unknown; "
            f"these go from {labels.min()} to {labels.max()}."
        )
    values = probabilities.astype(np.float64)
    finite = np.asarray(np.isfinite(values).all(axis=1))
    values = np.where(finite[:, None], values, -1.0)
    predictions = np.where(finite, values.argmax(axis=1), -1)
    confidences = np.where(finite, values.max(axis=1), np.nan)
    known = labels >= 0
    of_label = values[np.arange(items), np.maximum(labels, 0)]
    losses = np.where(finite, -np.log(np.maximum(of_label, 1e-12)), np.inf)
    return Outcomes(
        predictions=predictions,
        confidences=confidences,
        labels=labels,
        correct=known & (predictions == labels),
        wrong=known & (predictions != labels),
        losses=np.where(known, losses, np.nan),
    )
