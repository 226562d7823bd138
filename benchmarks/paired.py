"""Compare two variants of the same work on a machine that others use too.

Short blocks of A and B alternate in one process (A B, B A, A B, …), so that a slow second hits both and a slow
trend cancels. Of each pair only the ratio counts. The estimate is the Hodges-Lehmann one, the median of the means
of all two ratios' logarithms, and its interval inverts Wilcoxon's signed-rank test: neither assumes a
distribution, and a few disturbed blocks move them little.

    comparison = compare(off, on, pairs=30, block_seconds=0.7)
    print(comparison.wall)          # +0.8 % [+0.5, +1.2]

Source: Hodges & Lehmann, "Estimates of location based on rank tests", 1963; Wilcoxon, 1945.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

RESOLVED_WITHIN = 0.01
"""Half width of an interval beyond which a comparison is not resolved."""


@dataclass(frozen=True)
class Ratio:
    """How many times as much B takes as A, with a confidence interval."""

    estimate: float
    low: float
    high: float
    pairs: int

    @property
    def is_resolved(self) -> bool:
        """Whether the interval lies within ±1 % of the estimate."""
        return max(self.high - self.estimate, self.estimate - self.low) <= RESOLVED_WITHIN

    def verdict(self, limit: float) -> str:
        """ "pass" or "FAIL" where the whole interval is on one side of the limit, "unclear" where it is not,
        and "not resolved" where it is too wide to say anything."""
        if not self.is_resolved:
            return "not resolved"
        if self.high < limit:
            return "pass"
        return "FAIL" if self.low > limit else "unclear"

    def __str__(self) -> str:
        percent = [f"{(value - 1) * 100:+.2f}" for value in (self.estimate, self.low, self.high)]
        return f"{percent[0]} % [{percent[1]}, {percent[2]}]"


@dataclass(frozen=True)
class Comparison:
    """What B takes compared with A: wall time per step, processor time per step of all threads, and A's step."""

    wall: Ratio
    cpu: Ratio
    step_seconds: float


def compare(
    a: Callable[[], object],
    b: Callable[[], object],
    *,
    pairs: int = 30,
    block_seconds: float = 0.7,
    before_b: Callable[[], object] = lambda: None,
    after_b: Callable[[], object] = lambda: None,
    confidence: float = 0.95,
) -> Comparison:
    """Time one step of A and one of B against each other.

    Args:
        a, b: do one step; a GPU's work must be finished when they return, or all blocks begin with the rest of
            the one before.
        pairs: how many blocks of each.
        block_seconds: length of a block.
        before_b, after_b: run around each block of B, not as part of its wall time; the processor time of
            `after_b` is B's, for instance that of a thread that still writes.
    """
    count = _steps_in(a, block_seconds)
    _block(b, count)
    walls, cpus = [], []
    for pair in range(pairs):
        times = {}
        for name in ("ab", "ba")[pair % 2]:
            step = a if name == "a" else b
            if name == "b":
                before_b()
            cpu = time.process_time()
            wall = _block(step, count)
            if name == "b":
                after_b()
            times[name] = wall, time.process_time() - cpu
        walls.append((times["a"][0], times["b"][0]))
        cpus.append((times["a"][1], times["b"][1]))
    return Comparison(
        ratio_of_pairs(walls, confidence),
        ratio_of_pairs(cpus, confidence),
        float(np.median([first for first, _ in walls])) / count,
    )


def ratio_of_pairs(pairs: Sequence[tuple[float, float]], confidence: float = 0.95) -> Ratio:
    """Hodges-Lehmann estimate of b/a and its distribution-free confidence interval.

    Shapes:
        pairs (n, 2), at least 6 of them.
    """
    times = np.asarray(pairs, dtype=np.float64)
    if len(times) < 6:
        raise ValueError(f"An interval needs at least 6 pairs, not {len(times)}.")
    logs = np.log(times[:, 1] / times[:, 0])
    count = len(logs)
    rows, columns = np.triu_indices(count)
    averages = np.sort((logs[rows] + logs[columns]) / 2)
    spread = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    outside = count * (count + 1) / 4 - NormalDist().inv_cdf(0.5 + confidence / 2) * spread
    rank = max(0, math.floor(outside))
    low, high = averages[rank], averages[len(averages) - 1 - rank]
    return Ratio(*(float(np.exp(value)) for value in (np.median(averages), low, high)), pairs=count)


def _steps_in(step: Callable[[], object], seconds: float) -> int:
    """How many steps take about so long, warmed up."""
    step()
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds or count < 3:
        step()
        count += 1
    return max(1, round(count * seconds / elapsed))


def _block(step: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        step()
    return time.perf_counter() - started
