"""Along what curves are drawn: steps, epochs or time, straight or logarithmic. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mmgraph.runs import Series
from mmgraph_gui.drawing.thinning import Numbers

Span = tuple[float, float]
"""Two places or two values, the lower one first."""

Kind = Literal["step", "epoch", "time"]
KINDS: dict[Kind, str] = {"step": "Step", "epoch": "Epoch", "time": "Time (s)"}

_NOTHING = np.zeros(0)


@dataclass(frozen=True, eq=False)
class Across:
    """One way across.

    Args:
        kind: what is counted; time is that since the first number of each run.
        log: whether places are decimal logarithms; what is not above zero has none.
        steps, places: where steps of the open run lie, both ascending.
    """

    kind: Kind = "step"
    log: bool = False
    steps: Numbers = field(default_factory=lambda: _NOTHING)
    places: Numbers = field(default_factory=lambda: _NOTHING)

    @classmethod
    def of(cls, kind: Kind, log: bool, series: Iterable[Series]) -> Across:
        """That of a run with these numbers."""
        series = list(series)
        plain = cls(kind, log)
        longest = max(series, key=len, default=None)
        if kind == "step" or longest is None or not len(longest):
            return plain
        start = start_of(series)
        places = np.array(cls(kind).places_of(longest, start))
        for one in series:  # what a step is tested with comes later: the step lies where all of it is there
            if one is longest or np.array_equal(one.wall_time, longest.wall_time):
                continue
            at = np.searchsorted(longest.step, one.step)
            same = at < len(places)
            same[same] = longest.step[at[same]] == one.step[same]
            places[at[same]] = np.fmax(places[at[same]], cls(kind).places_of(one, start)[same])
        known = np.isfinite(places)
        steps, places = longest.step[known].astype(np.float64), np.maximum.accumulate(places[known])
        return cls(kind, log, steps, places)

    def places_of(self, series: Series, start: float) -> Numbers:
        """Where each number of a series lies; NaN where that is not known.

        Args:
            start: when its run began.
        """
        if self.kind == "step":
            places = series.step.astype(np.float64)
        else:
            places = series.epoch if self.kind == "epoch" else series.wall_time - start
        if not self.log:
            return np.asarray(places)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(places > 0, np.log10(places), np.nan)

    def place(self, step: float) -> float:
        """Where a step of the open run lies; NaN where it has no place."""
        plain = float(step)
        if self.kind != "step":
            plain = float(np.interp(step, self.steps, self.places)) if len(self.steps) else np.nan
        if not self.log:
            return plain
        return float(np.log10(plain)) if plain > 0 else float("nan")

    def step(self, place: float) -> float:
        """The step of the open run at a place."""
        plain = 10.0 ** min(place, 300.0) if self.log else place
        if self.kind == "step":
            return plain
        return float(np.interp(plain, self.places, self.steps)) if len(self.steps) else 0.0

    def words(self, place: float) -> str:
        """ "step 25", "epoch 2.5", "12.3 s"."""
        plain = 10.0 ** min(place, 300.0) if self.log else place
        if self.kind == "step":
            return f"step {round(plain):,}"
        return f"epoch {plain:.4g}" if self.kind == "epoch" else f"{plain:.4g} s"


def start_of(series: Iterable[Series]) -> float:
    """When the first number of a run was recorded."""
    return min((float(one.wall_time[0]) for one in series if len(one)), default=0.0)
