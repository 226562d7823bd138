"""What the model says of each item at one step. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mmgraph.runs import Snapshot


@dataclass(frozen=True, eq=False)
class Prediction:
    """Class probabilities of every item of the item set.

    Args:
        step: the step they were recorded at.
        probabilities: NaN in rows that were not recorded.
        classes: most probable class of each item, −1 where not recorded.
        confidence: probability of that class, NaN where not recorded.

    Shapes:
        probabilities (items, classes) float32; classes (items,) int64; confidence (items,) float32.
    """

    step: int
    probabilities: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64] = field(init=False)
    confidence: npt.NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        finite = np.nan_to_num(self.probabilities, nan=-np.inf)
        classes = finite.argmax(axis=1) if finite.shape[1] else np.zeros(len(finite), dtype=np.int64)
        recorded = np.isfinite(self.probabilities).any(axis=1)
        best = finite[np.arange(len(finite)), classes] if finite.shape[1] else np.zeros(len(finite))
        object.__setattr__(self, "classes", np.where(recorded, classes, -1).astype(np.int64))
        object.__setattr__(self, "confidence", np.where(recorded, best, np.nan).astype(np.float32))

    def loss(self, row: int, label: int) -> float:
        """−ln p(label) in nats, p at least 1e−12; NaN where either is unknown, +inf where the output is not finite."""
        if not (0 <= row < len(self.probabilities) and 0 <= label < self.probabilities.shape[1]):
            return math.nan
        chance = float(self.probabilities[row, label])
        if not math.isfinite(chance):
            return math.inf if self.classes[row] >= 0 else math.nan
        return -math.log(max(chance, 1e-12))

    def losses(self, labels: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """`loss` of every item: (items,) labels -> (items,)."""
        count, classes = self.probabilities.shape
        found = np.full(len(labels), math.nan)
        known = np.flatnonzero((labels[:count] >= 0) & (labels[:count] < classes))
        chances = self.probabilities[known, labels[known]].astype(np.float64)
        finite = np.isfinite(chances)
        found[known[finite]] = -np.log(np.maximum(chances[finite], 1e-12))
        found[known[~finite & (self.classes[known] >= 0)]] = math.inf
        return found

    @classmethod
    def of(cls, snapshot: Snapshot, step: int, n_items: int) -> Prediction:
        """The prediction that a snapshot of kind "prediction" holds, spread over all items."""
        array = np.asarray(snapshot.array, dtype=np.float32)
        rows = snapshot.extras.get("rows")
        if rows is None and len(array) >= n_items:
            return cls(step, array[:n_items])
        rows = np.arange(len(array)) if rows is None else rows.astype(np.int64)
        whole = np.full((n_items, array.shape[1]), np.nan, dtype=np.float32)
        known = (rows >= 0) & (rows < n_items)
        whole[rows[known]] = array[known]
        return cls(step, whole)
