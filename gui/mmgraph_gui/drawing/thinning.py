"""As many numbers of a curve as there are pixels, smoothed ones, and round numbers for its axes. No Qt."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK = 4
SMALL = 4096
"""A curve of so many numbers needs no coarser blocks."""

Numbers = npt.NDArray[np.floating[Any]]


class Cut(NamedTuple):
    """Which blocks of a curve are drawn, and where.

    Args:
        level: of how many times `BLOCK` numbers they are; −1 are the numbers themselves.
        part: which of them.
        starts: where in the part each column begins; None where every number is drawn.
        x: where the lowest and then the highest of each column is drawn, or each number.
    """

    level: int
    part: slice
    starts: npt.NDArray[np.intp] | None
    x: Numbers


class Places:
    """Where the numbers of a curve lie. Curves that lie alike share one, and are cut into columns once for all.

    Args:
        x: ascending.

    Shapes:
        x (n,).
    """

    def __init__(self, x: Numbers) -> None:
        self.x = x
        self.levels: list[tuple[npt.NDArray[np.intp], Numbers]] = []
        """Of ever coarser blocks: where each begins among those of the level before, and where it lies."""
        while len(x) > SMALL:
            starts = np.arange(0, len(x), BLOCK)
            x = x[starts]
            self.levels.append((starts, x))
        self._last: tuple[tuple[float, float, int], Cut] | None = None

    def __len__(self) -> int:
        return len(self.x)

    def cut(self, low: float, high: float, columns: int) -> Cut:
        """What is drawn from `low` to `high` on so many columns of pixels.

        The coarsest blocks are taken of which there are at least two to a column; one beyond each end is kept, so that
        the line leaves the picture where it should.
        """
        wanted = low, high, columns
        if self._last is None or self._last[0] != wanted:
            self._last = wanted, self._cut(*wanted)
        return self._last[1]

    def _cut(self, low: float, high: float, columns: int) -> Cut:
        start, stop = np.searchsorted(self.x, (low, high))
        level = -1
        while level + 1 < len(self.levels) and (stop - start) / BLOCK ** (level + 2) >= 2 * columns:
            level += 1
        x = self.x if level < 0 else self.levels[level][1]
        first = max(int(np.searchsorted(x, low)) - 1, 0)
        part = slice(first, min(int(np.searchsorted(x, high, side="right")) + 1, len(x)))
        x = x[part]
        if level < 0 and len(x) <= 2 * columns:
            return Cut(level, part, None, x)
        starts = _columns(x, low, high, columns)
        return Cut(level, part, starts, np.repeat(x[starts], 2))


class Pyramid:
    """A curve in ever coarser blocks of lowest and highest values, so that thinning costs the same at any length.

    Shapes:
        y (n,), as many as there are places.
    """

    def __init__(self, places: Places, y: Numbers) -> None:
        self.places, self.y = places, y
        self._levels = [(y, y)]
        for starts, _ in places.levels:
            low, high = self._levels[-1]
            self._levels.append((np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)))

    def __len__(self) -> int:
        return len(self.y)

    def thin(self, low: float, high: float, columns: int) -> tuple[Numbers, Numbers]:
        """What is needed to draw it from `low` to `high`: lowest and highest of each column, so peaks survive.

        Args:
            columns: pixels from `low` to `high`.

        Shapes:
            two of (m,), m ≤ 2 · columns + 4; the points themselves where there are no more than that.
        """
        level, part, starts, x = self.places.cut(low, high, columns)
        lows, highs = (values[part] for values in self._levels[level + 1])
        return x, lows if starts is None else _interleaved(lows, highs, starts)


def smoothed(values: Numbers, weight: float) -> Numbers:
    """The exponential moving average without the pull towards zero at its beginning.

    mₜ = β mₜ₋₁ + (1 − β) vₜ,   sₜ = mₜ / (1 − βᵗ)

    Args:
        values: finite.
        weight: β, from 0 (as they are) to less than 1.

    Source:
        Kingma, Ba, Adam, 2015, section 3: the correction of a mean that starts at zero.
    """
    if weight <= 0 or not len(values):
        return values
    mean = (1 - weight) * values
    reach, share = (
        1,
        weight,
    )  # each number reaches twice as far with every turn: no filter need be imported for it
    while reach < len(mean) and share > 0:
        mean[reach:] += share * mean[:-reach]
        reach, share = 2 * reach, share * share
    with np.errstate(under="ignore"):
        return np.asarray(mean / (1 - weight ** np.arange(1, len(values) + 1)))


def padded(low: float, high: float) -> tuple[float, float]:
    """A range with some room around it; numbers that never change get half of their size on both sides."""
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # rounding of a smoothed constant is no change
        room = abs(low) / 2 or 0.5
    else:
        room = (high - low) * 0.05
    return low - room, high + room


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[tuple[float, str]]:
    """Round numbers in a range with how they are written: multiples of 1, 2 or 5 times a power of ten.

    One number alone does not tell how far it is to any other: then they lie closer.

    Args:
        most: how many there is room for.
        whole: only whole numbers.
    """
    span = high - low
    if not (span > 0 and math.isfinite(span)) or most < 1:
        return []
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    gaps = [factor * power for factor in (10, 5, 2, 1, 0.5, 0.2) if not whole or factor * power >= 1] or [1]
    place = max((number for number, gap in enumerate(gaps) if gap >= rough * 0.999), default=0)
    for gap in gaps[place:]:
        first, last = math.ceil(low / gap - 1e-9), math.floor(high / gap + 1e-9)
        if last > first:
            break
    decimals = max(0, -math.floor(math.log10(gap) + 1e-9))
    values = [number * gap for number in range(first, last + 1)]
    large = max(abs(low), abs(high))
    if decimals > 4 or large >= 1e6:
        digits = math.floor(math.log10(large)) - math.floor(math.log10(gap) + 1e-9)
        return [(value, f"{value:.{min(max(digits, 0), 6)}e}") for value in values]
    return [(value, f"{value:,.{decimals}f}".replace("-", "−")) for value in values]


def log_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """As `ticks`, for an axis of decimal logarithms: 1, 2 and 5 times the powers of ten, or powers alone.

    Args:
        low, high: logarithms of the ends.
    """
    if not (high > low and math.isfinite(high - low)) or most < 1:
        return []
    powers = range(math.floor(low), math.ceil(high) + 1)
    for factors in ((1, 2, 5), (1,)):
        places = [(power + math.log10(factor), factor, power) for power in powers for factor in factors]
        inside = [place for place in places if low <= place[0] <= high]
        if len(inside) <= most:
            break
    inside = inside[:: max(math.ceil(len(inside) / most), 1)]
    if len(inside) < 2:  # less than a decade: round numbers lie closer
        values = ticks(10.0**low, 10.0**high, most)
        return [(math.log10(value), text) for value, text in values if value > 0]
    return [
        (place, f"{factor * 10**power:,}" if 0 <= power < 6 else f"{factor * 10.0**power:g}")
        for place, factor, power in inside
    ]


def _columns(x: Numbers, low: float, high: float, columns: int) -> npt.NDArray[np.intp]:
    """Where in `x` each column begins."""
    column = x - low
    column *= columns / max(high - low, 1e-12)
    np.floor(column, out=column)
    begins = np.empty(len(x), dtype=bool)
    begins[0] = True
    np.not_equal(column[1:], column[:-1], out=begins[1:])
    return np.flatnonzero(begins)


def _interleaved(lows: Numbers, highs: Numbers, starts: npt.NDArray[np.intp]) -> Numbers:
    both = np.empty(2 * len(starts))
    both[0::2] = np.minimum.reduceat(lows, starts)
    both[1::2] = np.maximum.reduceat(highs, starts)
    return both
