"""One curve of a plot: a recorded number of a run, as it is drawn along an axis. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mmgraph.runs import Series, lower_is_better
from mmgraph_gui.drawing.across import Across
from mmgraph_gui.drawing.thinning import Numbers, Places, Pyramid, smoothed

MOST_MARKS = 500


@dataclass(frozen=True, eq=False)
class Curve:
    """What is drawn.

    Args:
        part: of the data: train, validation …
        series: the numbers.
        start: when their run began, in seconds since 1970.
        run: name of the run; empty where only one run is drawn.
        slot: number of the run's colour; None where the colour is that of the part.
    """

    part: str
    series: Series
    start: float = 0.0
    run: str = ""
    slot: int | None = None

    @property
    def key(self) -> str:
        """What tells it from the others of its plot."""
        return f"{self.run} {self.part}".strip() if self.run else self.part


class Drawn:
    """A curve along an axis, ready to be thinned for any stretch of it.

    Args:
        shared: gives the places that other curves of the plot have, where these are the same.

    Attributes:
        places, values: every number that has a place, NaN among the values.
        raw: the finite numbers that can be drawn.
        smooth: the same, smoothed; None where nothing is smoothed.
        marks: (place, value) where stretches of NaN or infinite values begin, at the height of the last finite one.
        bad: how many are NaN or infinite.
        best: (place, value) of the best; None where the name does not tell which way is better.
    """

    def __init__(
        self,
        curve: Curve,
        quantity: str,
        across: Across,
        *,
        log: bool,
        weight: float,
        shared: Callable[[Numbers], Places] = Places,
    ) -> None:
        self.curve = curve
        places, values = across.places_of(curve.series, curve.start), curve.series.value
        known = np.isfinite(places)
        if not known.all():
            places, values = places[known], values[known]
        if len(places) > 1 and (np.diff(places) < 0).any():
            order = np.argsort(places, kind="stable")
            places, values = places[order], values[order]
        self.places, self.values = places, values
        finite = np.isfinite(values)
        self.bad = int((~finite).sum())
        x, y = (places, values) if finite.all() else (places[finite], values[finite])
        smooth = smoothed(y, weight) if weight > 0 else None
        self.raw = _pyramid(x, y, log, shared)
        self.smooth = None if smooth is None else _pyramid(x, smooth, log, shared)
        self.marks = self._marks(finite, log) if self.bad else []
        lower = lower_is_better(quantity.replace(" ", "_"))
        shown = self.raw.y
        self.best: tuple[float, float] | None = None
        if lower is not None and len(shown) > 1:
            at = int(shown.argmin() if lower else shown.argmax())
            self.best = float(self.raw.places.x[at]), float(shown[at])

    def value_at(self, place: float) -> float:
        """The last number at or before a place; NaN before the first."""
        reach = place + 1e-9 * max(1.0, abs(place))  # logarithms and interpolation are not exact
        at = int(np.searchsorted(self.places, reach, side="right"))
        return float(self.values[at - 1]) if at else float("nan")

    def _marks(self, finite: np.ndarray, log: bool) -> list[tuple[float, float]]:
        starts = np.flatnonzero(~finite & np.concatenate([[True], finite[:-1]]))[:MOST_MARKS]
        drawable = finite & (self.values > 0) if log else finite
        last = np.maximum.accumulate(np.where(drawable, np.arange(len(finite)), -1))[starts]
        heights = np.where(last >= 0, self.values[last], 1.0 if log else 0.0)
        if log:
            heights = np.log10(heights)
        return list(zip(self.places[starts].tolist(), heights.tolist(), strict=True))


def _pyramid(x: Numbers, y: Numbers, log: bool, shared: Callable[[Numbers], Places]) -> Pyramid:
    if not log:
        return Pyramid(shared(x), y)
    above = y > 0
    return Pyramid(shared(x[above]), np.log10(y[above]))
