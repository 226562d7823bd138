"""How well two rows of numbers go together: Pearson, Spearman and Kendall, with confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError, UnknownNameError

Array = npt.NDArray[np.float64]
CorrelationKind = Literal["pearson", "spearman", "kendall"]


@dataclass(frozen=True)
class Correlation:
    """A coefficient and the interval that holds the true one with probability `level`."""

    value: float
    low: float
    high: float
    level: float
    count: int


def correlation(
    first: npt.ArrayLike, second: npt.ArrayLike, kind: CorrelationKind = "pearson", *, level: float = 0.95
) -> Correlation:
    """Correlation of two rows of numbers, with its confidence interval.

        pearson   Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² Σ (y − ȳ)²)
        spearman  Pearson of the ranks, equal values sharing their mean rank; without ties 1 − 6 Σ d² / (n³ − n)
        kendall   τ_b = (concordant − discordant pairs) / √((pairs − tied in x)(pairs − tied in y))

    The interval is symmetric in z = artanh, with a standard error of 1 / √(n − 3) for Pearson,
    √((1 + r² / 2) / (n − 3)) for Spearman and √(0.437 / (n − 4)) for Kendall; with too few numbers for that it is
    −1 to 1.

    Args:
        first, second: what is compared.
        kind: which coefficient.
        level: of the interval.

    Shapes:
        (n,) each, n ≥ 2.

    Raises:
        UnknownNameError: there is no such coefficient.
        InputError: lengths differ, fewer than two numbers, numbers that are not finite, a row that is constant, or a
            level outside 0 to 1.

    Source: Fisher 1921; Bonett & Wright, "Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations", Psychometrika 2000, for the standard errors; Fieller, Hartley & Pearson, Biometrika 1957 (Kendall).
    """
    if kind not in get_args(CorrelationKind):
        raise UnknownNameError.of("correlation", kind, get_args(CorrelationKind))
    if not 0 < level < 1:
        raise InputError(f"Expected a level between 0 and 1, but got {level}.")
    x, y = (np.asarray(row, dtype=np.float64) for row in (first, second))
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise InputError(
            f"Expected two rows of at least 2 numbers each, but got shapes {x.shape} and {y.shape}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("Expected finite numbers, but some are NaN or infinite.")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise InputError("A row whose numbers are all equal has no correlation with anything.")
    n = len(x)
    if kind == "pearson":
        value, spread, spare = _pearson(x, y), 1.0, n - 3
    elif kind == "spearman":
        value = _spearman(x, y)
        spread, spare = math.sqrt(1 + value**2 / 2), n - 3
    else:
        value, spread, spare = _kendall(x, y), math.sqrt(0.437), n - 4
    low, high = -1.0, 1.0
    if spare > 0 and abs(value) < 1:
        reach = NormalDist().inv_cdf((1 + level) / 2) * spread / math.sqrt(spare)
        low, high = math.tanh(math.atanh(value) - reach), math.tanh(math.atanh(value) + reach)
    elif spare > 0:
        low = high = value
    return Correlation(value, low, high, level, n)


def _pearson(x: Array, y: Array) -> float:
    # Scaled first, so that squares of very large or small numbers neither overflow nor vanish.
    x, y = (row / np.abs(row).max() for row in (x, y))
    x, y = x - x.mean(), y - y.mean()
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    return float(np.clip(x @ y, -1, 1))


def _spearman(x: Array, y: Array) -> float:
    (first, ties), (second, other_ties) = _ranks(x), _ranks(y)
    if ties or other_ties:
        return _pearson(first, second)
    n = len(x)
    return float(1 - 6 * ((first - second) ** 2).sum() / (n * (n**2 - 1)))


def _ranks(x: Array) -> tuple[Array, bool]:
    """Ranks from 1, equal numbers sharing their mean, and whether there are such."""
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place.reshape(-1)], len(counts) < len(x)


def _kendall(x: Array, y: Array) -> float:
    """τ_b in O(n log² n): in order of x, discordant pairs are inversions of y."""
    n = len(x)
    order = np.lexsort((y, x))
    place = np.unique(y, return_inverse=True)[1].reshape(-1)[order]
    discordant = _inversions(place)
    pairs = n * (n - 1) // 2
    tied_x, tied_y = _tied(x[:, None]), _tied(y[:, None])
    tied_both = _tied(np.stack([x, y], axis=1))
    concordant = pairs - tied_x - tied_y + tied_both - discordant
    value = (concordant - discordant) / math.sqrt(pairs - tied_x) / math.sqrt(pairs - tied_y)
    return max(-1.0, min(1.0, value))


def _tied(rows: Array) -> int:
    """Pairs of equal rows."""
    counts = np.unique(rows, axis=0, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())


def _inversions(values: npt.NDArray[np.int64]) -> int:
    """Pairs in which the earlier number is the larger: a merge sort from the bottom, one level at a time."""
    n = len(values)
    where = np.arange(n)
    total, half = 0, 1
    while half < n:
        block = where // (2 * half)
        # Stable, so that of equal numbers the one on the left comes first and they are no inversion.
        order = np.lexsort((values, block))
        from_right = ((where // half) % 2 == 1)[order]
        passed = np.cumsum(from_right)
        before_block = np.concatenate([[0], passed])[np.searchsorted(block, block, side="left")]
        total += int((passed - before_block)[~from_right].sum())
        values, half = values[order], 2 * half
    return total
