"""The curves of one plot, made ready to be drawn along an axis. No Qt."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import numpy as np

from mmgraph_gui.drawing.across import Across, Span
from mmgraph_gui.drawing.curve import Curve, Drawn
from mmgraph_gui.drawing.thinning import Numbers, Places, padded

BUDGET = 0.010
"""Seconds in which curves are made ready; the others wait for the next call."""

Points = tuple[Numbers, Numbers]
Mark = tuple[float, float]


@dataclass(frozen=True)
class Thinned:
    """The points that are drawn of each curve on some pixels, and, where it is smoothed, of the one behind it."""

    shown: dict[str, Points] = field(default_factory=dict)
    faint: dict[str, Points] = field(default_factory=dict)

    def limits(self, marks: Iterable[Mark]) -> Span:
        """Lowest and highest value of points and marks, with some room."""
        values = [y for points in (self.shown, self.faint) for _, y in points.values() if len(y)]
        heights = [height for _, height in marks]
        low = min([float(y.min()) for y in values] + heights, default=0.0)
        high = max([float(y.max()) for y in values] + heights, default=1.0)
        return padded(low, high)


class CurveSet:
    """Curves of one quantity, by their keys.

    Places are where numbers lie along the axis: steps, epochs or seconds, or their logarithms.

    Attributes:
        across: along what.
        log: whether heights are logarithms.
        is_partial: whether some curves wait for the next `update`.
    """

    def __init__(self, quantity: str) -> None:
        self.quantity = quantity
        self.across, self.log, self._weight = Across(), False, 0.0
        self.is_partial = False
        self._drawn: dict[str, Drawn] = {}
        self._places: WeakValueDictionary[tuple[float, ...], Places] = WeakValueDictionary()

    def update(self, curves: Iterable[Curve], across: Across, *, log: bool, smoothing: float) -> None:
        """Take these curves in place of those before; what has not changed is kept.

        Args:
            smoothing: weight of the past in the smoothed curve; 0 draws none.
        """
        same = (across.kind, across.log, log, smoothing) == (
            self.across.kind, self.across.log, self.log, self._weight,
        )  # fmt: skip
        self.across, self.log, self._weight = across, log, smoothing
        known, self._drawn, self.is_partial = self._drawn, {}, False
        began = time.perf_counter()
        for curve in curves:
            drawn = known.get(curve.key) if same else None
            if drawn is None or drawn.curve.series is not curve.series:
                if time.perf_counter() - began > BUDGET:
                    self.is_partial = True
                    if drawn is None:
                        continue
                else:
                    drawn = Drawn(
                        curve, self.quantity, across, log=log, weight=smoothing, shared=self._shared
                    )
            if drawn.curve.series is curve.series:
                drawn.curve = curve
            self._drawn[curve.key] = drawn

    def _shared(self, x: Numbers) -> Places:
        """Places that a curve has already, or new ones."""
        key = (len(x), *x[:1].tolist(), *x[-1:].tolist())
        known = self._places.get(key)
        if known is None or not np.array_equal(known.x, x):
            known = self._places[key] = Places(x)
        return known

    @property
    def by_key(self) -> dict[str, Curve]:
        """Those that are drawn."""
        return {key: drawn.curve for key, drawn in self._drawn.items()}

    @property
    def parts(self) -> set[str]:
        """The parts of the data that they are of."""
        return {drawn.curve.part for drawn in self._drawn.values()}

    @property
    def is_overlaid(self) -> bool:
        """Whether curves of several runs are drawn."""
        return any(drawn.curve.run for drawn in self._drawn.values())

    @property
    def bad(self) -> int:
        """How many numbers are NaN or infinite."""
        return sum(drawn.bad for drawn in self._drawn.values())

    @property
    def marks(self) -> list[Mark]:
        """(place, value) where stretches of NaN or infinite values begin, at the height of the last finite one."""
        return [mark for drawn in self._drawn.values() for mark in drawn.marks]

    @property
    def best(self) -> dict[str, Mark]:
        """(place, value) of the best number of each curve of the validation part; of each where there is none."""
        parts = self.parts
        wanted = {"validation"} if "validation" in parts else parts
        return {
            key: drawn.best
            for key, drawn in self._drawn.items()
            if drawn.best is not None and drawn.curve.part in wanted
        }

    def values_at(self, place: float) -> dict[str, float]:
        """The last number of each at or before a place; NaN before its first."""
        return {key: drawn.value_at(place) for key, drawn in self._drawn.items()}

    def thin(self, span: Span, columns: int) -> Thinned:
        """The points to draw from one place to another on so many columns of pixels."""
        thinned = Thinned()
        for key, drawn in self._drawn.items():
            chosen = drawn.raw if drawn.smooth is None else drawn.smooth
            if len(chosen):
                thinned.shown[key] = chosen.thin(*span, columns)
            if drawn.smooth is not None and len(drawn.raw):
                thinned.faint[key] = drawn.raw.thin(*span, columns)
        return thinned
