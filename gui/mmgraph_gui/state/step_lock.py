"""Two states that look at the same: step, selection, colour and layer of one follow those of the other. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mmgraph.runs import ItemSet
from mmgraph_gui.state import AppState, Topic
from mmgraph_gui.state.selection import Rows

By = Literal["step", "epoch", "free"]
LOCKS: dict[By, str] = {"step": "Same step", "epoch": "Same epoch", "free": "Each its own"}


@dataclass(frozen=True, eq=False)
class Common:
    """Items that two runs share, by their number in the data set.

    Shapes:
        left, right (n,): their rows in each.
    """

    left: Rows
    right: Rows

    @classmethod
    def of(cls, left: ItemSet | None, right: ItemSet | None) -> Common:
        """Those of two item sets; an id that a set has twice counts once."""
        if left is None or right is None or left.ids is None or right.ids is None:
            return cls(*np.zeros((2, 0), dtype=np.int64))
        _, one, other = np.intersect1d(left.ids, right.ids, return_indices=True)
        order = np.argsort(one)
        return cls(one[order].astype(np.int64), other[order].astype(np.int64))

    def __len__(self) -> int:
        return len(self.left)

    def to_right(self, rows: Rows) -> Rows:
        """Rows of the right that are the same items as rows of the left; those it lacks are left out."""
        return np.sort(self.right[np.isin(self.left, rows)])

    def to_left(self, rows: Rows) -> Rows:
        """The other way round."""
        return np.sort(self.left[np.isin(self.right, rows)])


class StepLock:
    """Keeps two states together, whichever of them is changed.

    Args:
        by: whether the other shows the same step, the same epoch, or goes its own way.

    Attributes:
        common: the items of both.
        unmatched: why there are none, in words; empty where there are some, or where items are still awaited.
    """

    def __init__(self, left: AppState, right: AppState, by: By = "step") -> None:
        self.left, self.right, self.by = left, right, by
        self._match()
        self._busy = False
        self._stops = [
            left.subscribe(lambda topic: self._changed(topic, left, right)),
            right.subscribe(lambda topic: self._changed(topic, right, left)),
        ]

    def close(self) -> None:
        """Let them go their own ways."""
        for stop in self._stops:
            stop()

    def set_by(self, by: By) -> None:
        """Lock steps in another way; the right follows the left at once."""
        self.by = by
        self._changed("step", self.left, self.right)

    def _match(self) -> None:
        """Find the items of both; none where the same number means another item."""
        left, right = self.left, self.right
        self.unmatched, self.common = "", Common.of(None, None)
        if left.items is None or right.items is None:
            return
        sets = _dataset(left), _dataset(right)
        common = Common.of(left.items, right.items)
        if "" in sets and any(sets):
            side, other = ("A", "B") if not sets[0] else ("B", "A")
            self.unmatched = f"{side} does not say which data set its items are of, {other} is of {max(sets)}"
        elif sets[0] != sets[1]:
            self.unmatched = f"A is of {sets[0]}, B of {sets[1]}"
        elif not len(common):
            self.unmatched = "none of the numbers in the data set is in both"
        elif not any(sets) and _labelled_unlike(left.items, right.items, common):
            self.unmatched = "items of the same number have other labels, and no data set is named"
        else:
            self.common = common

    def _changed(self, topic: Topic, of: AppState, to: AppState) -> None:
        if topic in ("run", "items"):
            self._match()
        if self._busy or of.path is None or to.path is None:
            return
        self._busy = True
        try:
            if topic in ("items", "snapshots"):  # one has just been read: it takes on what the left shows
                self._catch_up(topic)
            else:
                self._carry(topic, of, to)
        finally:
            self._busy = False

    def _catch_up(self, topic: Topic) -> None:
        left, right = self.left, self.right
        if topic == "items":
            self._carry("selection", left, right)
            self._carry("colour", left, right)
            return
        right.set_follow(False)
        if self.by != "free":
            self._carry("step", left, right)
        elif right.steps() and right.step not in right.steps():
            right.set_step(right.steps()[0])
        self._carry("layer", left, right)

    def _carry(self, topic: Topic, of: AppState, to: AppState) -> None:
        if topic == "step" and self.by != "free" and of.steps() and to.steps():
            self._step(of, to)
        elif topic == "selection" and len(self.common):
            to.select(self._rows(of, of.selection))
        elif topic == "hover" and len(self.common):
            rows = self._rows(of, np.array([] if of.hovered is None else [of.hovered], dtype=np.int64))
            to.hover(int(rows[0]) if len(rows) else None)
        elif topic == "colour":
            if of.colour_by in of.colour_choices() and of.colour_by in to.colour_choices():
                to.set_colour_by(of.colour_by)
        elif topic == "layer" and of.kinds():
            for kind in of.kinds():
                layer = of.layer(kind)
                if layer is not None and layer in to.layers(kind):
                    to.set_layer(kind, layer)
            to.set_head(of.head)

    def _step(self, of: AppState, to: AppState) -> None:
        step: float = of.step
        if self.by == "epoch":
            step = _step_at(to, _epoch_at(of, of.step))
        if np.isfinite(step):
            to.set_step(round(step))

    def _rows(self, of: AppState, rows: Rows) -> Rows:
        return self.common.to_right(rows) if of is self.left else self.common.to_left(rows)


def _dataset(state: AppState) -> str:
    """What a run says its items are of; a program of one's own may say it among its options."""
    said = (state.config.get(part, {}).get("dataset") for part in ("run", "options"))
    return next((str(name) for name in said if name), "")


def _labelled_unlike(left: ItemSet, right: ItemSet, common: Common) -> bool:
    """Whether some item has another class on the other side."""
    if left.labels is None or right.labels is None:
        return False
    one, other = left.labels[common.left], right.labels[common.right]
    return bool(((one != other) & (one >= 0) & (other >= 0)).any())


def _epochs(state: AppState) -> tuple[np.ndarray, np.ndarray]:
    """Steps and epochs of the longest series that has epochs."""
    known = [
        (one.step[fine], one.epoch[fine])
        for one in state.series.values()
        if (fine := np.isfinite(one.epoch)).any()
    ]
    empty = np.zeros(0)
    return max(known, key=lambda pair: len(pair[0]), default=(empty, empty))


def _epoch_at(state: AppState, step: int) -> float:
    steps, epochs = _epochs(state)
    return float(np.interp(step, steps, epochs)) if len(steps) else float("nan")


def _step_at(state: AppState, epoch: float) -> float:
    steps, epochs = _epochs(state)
    return float(np.interp(epoch, epochs, steps)) if len(steps) and np.isfinite(epoch) else float("nan")
