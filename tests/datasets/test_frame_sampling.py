from __future__ import annotations

import numpy as np
import pytest

from mmgraph.datasets.frame_sampling import FrameSampling
from mmgraph.errors import InputError, UnknownNameError


def times(frames: int, rate: float = 25.0) -> np.ndarray:
    return np.arange(frames) / rate


@pytest.mark.parametrize("frames", [1, 2, 7, 16, 100, 299])
@pytest.mark.parametrize("count", [1, 3, 16])
def test_uniform_takes_the_middle_of_equal_parts(frames: int, count: int) -> None:
    found = FrameSampling(count=count).positions(times(frames))
    assert found.tolist() == [int((2 * i + 1) * frames / (2 * count)) for i in range(count)]


def test_a_variable_frame_rate_is_chosen_from_by_time() -> None:
    shown = np.array([0.0, 0.1, 0.2, 0.3, 5.0, 5.1, 5.2, 9.9])
    found = FrameSampling(count=4).positions(shown)
    assert found.tolist() == [3, 3, 6, 6]


def test_random_segment_takes_one_of_each_part_and_all_in_time() -> None:
    generator = np.random.default_rng(0)
    seen = np.stack(
        [
            FrameSampling(strategy="random-segment", count=5).positions(times(50), generator)
            for _ in range(300)
        ]
    )
    assert (seen // 10 == np.arange(5)).all()
    assert sorted(set(seen.flatten().tolist())) == list(range(50))
    with pytest.raises(InputError, match="generator"):
        FrameSampling(strategy="random-segment").positions(times(50))


def test_stride_is_dense() -> None:
    three = FrameSampling(strategy="stride", count=3, stride=4)
    assert three.positions(times(20)).tolist() == [5, 9, 13]
    assert three.positions(times(5)).tolist() == [0, 4, 4]
    starts = {int(three.positions(times(12), np.random.default_rng(seed))[0]) for seed in range(60)}
    assert starts == {0, 1, 2, 3}


def test_all_takes_all() -> None:
    assert FrameSampling(strategy="all").positions(times(3)).tolist() == [0, 1, 2]


def test_bad_requests() -> None:
    with pytest.raises(UnknownNameError, match="uniform"):
        FrameSampling(strategy="uniformly")  # type: ignore[arg-type]
    for bad in ({"count": 0}, {"stride": 0}):
        with pytest.raises(InputError, match="at least"):
            FrameSampling(**bad)
    for strategy in ("uniform", "stride", "all"):
        with pytest.raises(InputError, match="none"):
            FrameSampling(strategy=strategy).positions(times(0))
