"""As many numbers of a curve as there are pixels, and round numbers for its axes. No Qt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.floating[Any]]


def thin(x: Numbers, y: Numbers, low: float, high: float, columns: int) -> tuple[Numbers, Numbers]:
    """What is needed to draw a curve from `low` to `high`: lowest and highest of each column, so peaks survive.

    One point beyond each end is kept, so that the line leaves the picture where it should.

    Args:
        x: ascending.
        columns: pixels from `low` to `high`.

    Shapes:
        x, y (n,) -> two of (m,), m ≤ 2 · columns + 4; the points themselves where there are no more than that.
    """
    start = max(int(np.searchsorted(x, low)) - 1, 0)
    stop = min(int(np.searchsorted(x, high, side="right")) + 1, len(x))
    x, y = x[start:stop], y[start:stop]
    if len(x) <= 2 * columns:
        return x, y
    column = np.floor((x - low) * (columns / max(high - low, 1e-12)))
    first = np.concatenate([[0], np.flatnonzero(np.diff(column)) + 1])
    thinned = np.empty(2 * len(first))
    thinned[0::2] = np.minimum.reduceat(y, first)
    thinned[1::2] = np.maximum.reduceat(y, first)
    return np.repeat(x[first], 2), thinned


def padded(low: float, high: float) -> tuple[float, float]:
    """A range with some room around it; numbers that never change get half of their size on both sides."""
    if low == high:
        room = abs(low) / 2 or 0.5
    else:
        room = (high - low) * 0.05
    return low - room, high + room


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[tuple[float, str]]:
    """Round numbers in a range with how they are written: multiples of 1, 2 or 5 times a power of ten.

    Args:
        most: how many there is room for.
        whole: only whole numbers.
    """
    span = high - low
    if not (span > 0 and math.isfinite(span)) or most < 1:
        return []
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    gap = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    if whole:
        gap = max(round(gap), 1)
    decimals = max(0, -math.floor(math.log10(gap) + 1e-9))
    first, last = math.ceil(low / gap - 1e-9), math.floor(high / gap + 1e-9)
    values = [number * gap for number in range(first, last + 1)]
    large = max(abs(low), abs(high))
    if decimals > 4 or large >= 1e6:
        digits = math.floor(math.log10(large)) - math.floor(math.log10(gap) + 1e-9)
        return [(value, f"{value:.{min(max(digits, 0), 6)}e}") for value in values]
    return [(value, f"{value:,.{decimals}f}".replace("-", "−")) for value in values]
