from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from mmgraph.analysis import correlation
from mmgraph.errors import InputError, UnknownNameError

KINDS = ("pearson", "spearman", "kendall")
ORACLE = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}


def rows(n, ties, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    y = 0.6 * x + random.normal(size=n)
    return (np.round(2 * x), np.round(y)) if ties else (x, y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [2, 3, 4, 5, 17, 64, 100, 2000])
def test_values_equal_scipy(kind, ties, n):
    for seed in range(4):
        x, y = rows(n, ties, seed)
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            continue
        found = correlation(x, y, kind)
        assert math.isclose(found.value, ORACLE[kind](x, y).statistic, abs_tol=1e-12)
        assert found.low <= found.value <= found.high
        assert found.count == n


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_interval_of_pearson_equals_scipy(level):
    x, y = rows(40, False)
    found = correlation(x, y, level=level)
    expected = stats.pearsonr(x, y).confidence_interval(level)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)


@pytest.mark.parametrize(("kind", "truth"), [("pearson", 0.5), ("spearman", None), ("kendall", 1 / 3)])
def test_intervals_hold_the_truth_as_often_as_they_say(kind, truth):
    if truth is None:
        truth = 6 / math.pi * math.asin(0.25)
    random = np.random.default_rng(1)
    held = 0
    for _ in range(600):
        x, e = random.normal(size=(2, 50))
        found = correlation(x, 0.5 * x + math.sqrt(0.75) * e, kind)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 600 <= 0.98


@pytest.mark.parametrize("kind", KINDS)
def test_few_numbers_say_nothing_about_the_truth(kind):
    found = correlation([1, 2, 3], [1, 3, 2], kind)
    assert (found.low, found.high) == (-1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_perfect_order_and_its_opposite(kind):
    x = np.arange(30.0)
    assert correlation(x, x, kind).value == pytest.approx(1, abs=1e-12)
    opposite = correlation(x, -x, kind)
    assert (opposite.value, opposite.low, opposite.high) == pytest.approx((-1, -1, -1), abs=1e-12)


def test_numbers_of_any_size():
    x, y = rows(50, False)
    assert correlation(x * 1e200, y * 1e-200).value == pytest.approx(correlation(x, y).value, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ([], [], "at least 2 numbers"),
        ([1], [1], "at least 2 numbers"),
        ([1, 2], [1, 2, 3], "at least 2 numbers"),
        ([[1, 2]], [[1, 2]], "at least 2 numbers"),
        ([1, math.nan], [1, 2], "finite"),
        ([1, 2], [1, math.inf], "finite"),
        ([1, 1, 1], [1, 2, 3], "all equal"),
        ([1, 2, 3], [5, 5, 5], "all equal"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_correlation_says_why(first, second, words, kind):
    with pytest.raises(InputError, match=words):
        correlation(first, second, kind)


def test_wrong_kind_and_level():
    with pytest.raises(UnknownNameError, match="cosine"):
        correlation([1, 2], [1, 2], "cosine")
    with pytest.raises(InputError, match="level"):
        correlation([1, 2], [1, 2], level=1.0)


def test_it_needs_no_torch():
    code = "import sys; from mmgraph.analysis import correlation; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
