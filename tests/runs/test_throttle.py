from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgraph.errors import ConfigError
from mmgraph.runs.throttle import Throttle


def test_first_look_is_always_due() -> None:
    for throttle in (Throttle(), Throttle(per_second=0), Throttle(share=0)):
        assert throttle.due(123.0)


def test_stays_due_until_somebody_looked() -> None:
    throttle = Throttle()
    assert throttle.due(0.0)
    assert throttle.due(0.0)
    throttle.took(0.001)
    assert not throttle.due(0.499)
    assert throttle.due(0.5)


def test_rate_limits_cheap_looks() -> None:
    throttle = Throttle(per_second=4.0, share=0.5)
    looks = 0
    for millisecond in range(10_000):
        if throttle.due(millisecond / 1000):
            throttle.took(0.0001)
            looks += 1
    assert looks == 40


def test_share_limits_expensive_looks() -> None:
    throttle = Throttle(per_second=100.0, share=0.01)
    assert throttle.due(0.0)
    throttle.took(0.1)  # the first counts for a tenth
    assert not throttle.due(0.99)
    assert throttle.due(1.0)
    throttle.took(0.1)
    assert not throttle.due(10.99)
    assert throttle.due(11.0)


@pytest.mark.parametrize("limits", [{"per_second": 0}, {"share": 0}])
def test_zero_means_the_first_only(limits: dict[str, float]) -> None:
    throttle = Throttle(**limits)
    throttle.due(0.0)
    throttle.took(0.001)
    assert not throttle.due(1e12)


def test_no_limits_means_always() -> None:
    throttle = Throttle(per_second=float("inf"), share=1.0)
    now = 0.0
    for _ in range(5):
        assert throttle.due(now)
        throttle.took(0.25)
        assert not throttle.due(now + 0.2)
        now += 0.25


@given(
    st.lists(st.floats(1e-4, 1.0), min_size=3, max_size=30),
    st.floats(0.001, 1.0),
    st.floats(0.1, 100.0),
)
def test_looks_after_the_first_keep_within_the_share(
    costs: list[float], share: float, per_second: float
) -> None:
    throttle = Throttle(per_second, share)
    starts, now = [], 0.0
    for cost in costs:
        while not throttle.due(now):
            now += max(1 / per_second, costs[len(starts) - 1] / share) / 7
        starts.append(now)
        throttle.took(cost)
    for i in range(1, len(costs) - 1):
        gap = starts[i + 1] - starts[i]
        assert gap >= costs[i] / share * (1 - 1e-9)
        assert gap >= 1 / per_second * (1 - 1e-9)


@pytest.mark.parametrize(
    "bad", [{"per_second": -1}, {"per_second": float("nan")}, {"share": 2}, {"share": -0.1}]
)
def test_refuses_impossible_limits(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="is a number"):
        Throttle(**bad)
