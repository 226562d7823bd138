from __future__ import annotations

import numpy as np
import pytest

from mmgraph_gui.thinning import padded, thin, ticks


def test_few_points_are_kept_as_they_are():
    x, y = np.arange(10.0), np.arange(10.0) ** 2
    np.testing.assert_array_equal(thin(x, y, 0, 9, 100), (x, y))
    assert [len(part) for part in thin(x[:0], y[:0], 0, 9, 100)] == [0, 0]


def test_each_column_keeps_its_lowest_and_highest():
    y = np.random.default_rng(0).normal(size=10_000)
    x = np.arange(10_000.0)
    steps, values = thin(x, y, 0, 10_000, 50)
    assert len(values) == 100
    np.testing.assert_array_equal(values[0::2], y.reshape(50, 200).min(axis=1))
    np.testing.assert_array_equal(values[1::2], y.reshape(50, 200).max(axis=1))
    np.testing.assert_array_equal(steps[0::2], x[::200])


def test_steps_that_repeat_or_jump_stay_in_their_columns():
    x = np.concatenate([np.zeros(500), np.full(500, 90.0)])
    steps, values = thin(x, np.arange(1000.0), 0, 100, 10)
    assert steps.tolist() == [0, 0, 90, 90]
    assert values.tolist() == [0, 499, 500, 999]


def test_only_what_is_between_the_ends_counts_with_one_point_beyond_each():
    x = np.arange(100.0)
    steps, _ = thin(x, x, 40, 50, 100)
    assert steps.tolist() == list(range(39, 52))


@pytest.mark.parametrize(
    ("low", "high", "most", "whole", "names"),
    [
        (0, 1, 5, False, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-0.6, 0.6, 3, False, ["−0.5", "0.0", "0.5"]),
        (0, 100_000, 4, True, ["0", "50,000", "100,000"]),
        (1, 3, 9, True, ["1", "2", "3"]),
        (0.005, 0.015, 2, False, ["0.005", "0.010", "0.015"]),
        (0, 2e-6, 2, False, ["0e+00", "1e-06", "2e-06"]),
        (1, 1, 5, False, []),
        (0, float("inf"), 5, False, []),
    ],
)
def test_ticks_are_round_numbers(low, high, most, whole, names):
    assert [name for _, name in ticks(low, high, most, whole=whole)] == names


def test_a_range_has_room_and_constants_have_half_their_size():
    assert padded(0, 10) == (-0.5, 10.5)
    assert padded(0.01, 0.01) == pytest.approx((0.005, 0.015))
    assert padded(-4, -4) == (-6, -2)
    assert padded(0, 0) == (-0.5, 0.5)
