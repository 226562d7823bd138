from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import wilcoxon

PATH = Path(__file__).parents[2] / "benchmarks" / "paired.py"


@pytest.fixture(scope="module")
def paired() -> ModuleType:
    spec = importlib.util.spec_from_file_location("paired", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["paired"] = module
    spec.loader.exec_module(module)
    return module


def noisy_pairs(ratio: float, pairs: int, seed: int) -> list[tuple[float, float]]:
    """Times that share a trend, with a disturbed block now and then."""
    random = np.random.default_rng(seed)
    trend = 1 + 0.3 * np.sin(np.arange(pairs) / 5)
    noise = 1 + 0.01 * random.standard_normal((2, pairs)) + (random.random((2, pairs)) < 0.1) * 0.5
    return list(zip(trend * noise[0], ratio * trend * noise[1], strict=True))


def test_exact_pairs_give_the_exact_ratio(paired: ModuleType) -> None:
    found = paired.ratio_of_pairs([(1.0, 1.25)] * 8)
    assert (found.estimate, found.low, found.high) == pytest.approx((1.25, 1.25, 1.25))
    assert found.is_resolved
    assert str(found) == "+25.00 % [+25.00, +25.00]"


def test_the_interval_holds_the_truth_as_often_as_it_says(paired: ModuleType) -> None:
    hits = 0
    for seed in range(200):
        found = paired.ratio_of_pairs(noisy_pairs(1.02, 25, seed))
        assert found.low <= found.estimate <= found.high
        hits += found.low <= 1.02 <= found.high
    assert 0.91 <= hits / 200 <= 0.99


def test_the_interval_ends_where_the_signed_rank_test_of_scipy_changes_its_mind(paired: ModuleType) -> None:
    pairs = np.array(noisy_pairs(1.02, 40, seed=1))
    logs = np.log(pairs[:, 1] / pairs[:, 0])
    found = paired.ratio_of_pairs(pairs)
    for end, inside in ((found.low, 1), (found.high, -1)):
        accepted = wilcoxon(logs - np.log(end) - inside * 1e-4, method="approx").pvalue
        refused = wilcoxon(logs - np.log(end) + inside * 1e-4, method="approx").pvalue
        assert accepted > 0.045
        assert refused < 0.055


def test_verdicts(paired: ModuleType) -> None:
    def verdict(low: float, estimate: float, high: float) -> str:
        answer: str = paired.Ratio(estimate, low, high, 10).verdict(1.02)
        return answer

    assert verdict(1.004, 1.005, 1.006) == "pass"
    assert verdict(1.03, 1.031, 1.032) == "FAIL"
    assert verdict(1.015, 1.019, 1.024) == "unclear"
    assert verdict(0.99, 1.005, 1.016) == "not resolved"


def test_too_few_pairs(paired: ModuleType) -> None:
    with pytest.raises(ValueError, match="at least 6 pairs, not 3"):
        paired.ratio_of_pairs([(1.0, 1.0)] * 3)


def test_compare_runs_both_in_turns_and_calls_around_b(paired: ModuleType) -> None:
    calls: list[str] = []
    found = paired.compare(
        lambda: calls.append("a"), lambda: calls.append("b"), pairs=6, block_seconds=1e-4,
        before_b=lambda: calls.append("("), after_b=lambda: calls.append(")"),
    )  # fmt: skip
    turns = "".join(calls).replace("aa", "a")
    while "aa" in turns or "bb" in turns:
        turns = turns.replace("aa", "a").replace("bb", "b")
    assert turns == "ab" + "a(b)(b)" * 3 + "a"
    assert found.wall.pairs == 6
    assert found.step_seconds > 0
