from __future__ import annotations

import numpy as np
import pytest

from mmgraph_gui.drawing.thinning import Places, Pyramid, log_ticks, padded, smoothed, ticks


def thin(x, y, low, high, columns):
    return Pyramid(Places(x), y).thin(low, high, columns)


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
        (1, 19, 2, True, ["5", "10", "15"]),  # not 10 alone
        (1, 4, 1, True, ["2", "4"]),
        (0.3, 0.9, 1, False, ["0.4", "0.6", "0.8"]),
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


def test_a_pyramid_keeps_every_peak_at_any_zoom():
    rng = np.random.default_rng(0)
    x, y = np.arange(100_000.0), rng.normal(size=100_000)
    y[31_234] = 1000.0
    y[77_777] = -1000.0
    pyramid = Pyramid(Places(x), y)
    for low, high in ((0, 100_000), (20_000, 90_000), (31_000, 78_000), (31_200, 31_300), (77_700, 77_800)):
        steps, values = pyramid.thin(low, high, 500)
        assert len(values) <= 2 * 500 + 4 + 2
        inside = y[int(low) : int(high)]
        assert values.max() >= inside.max()
        assert values.min() <= inside.min()
        assert (np.diff(steps) >= 0).all()
    steps, values = pyramid.thin(0, 100_000, 500)
    assert abs(steps[values.argmax()] - 31_234) <= 200
    assert abs(steps[values.argmin()] - 77_777) <= 200


@pytest.mark.parametrize("count", [0, 1, 2, 4096, 4097, 70_001])
def test_a_pyramid_of_any_size_agrees_with_thinning_alone(count):
    y = np.random.default_rng(count).normal(size=count)
    x = np.arange(float(count))
    steps, values = Pyramid(Places(x), y).thin(0, count, 100)
    if count <= 200:
        np.testing.assert_array_equal(values, y)
        return
    assert (values.min(), values.max()) == (y.min(), y.max())
    assert len(steps) == len(values) <= 204
    if count <= 4096:
        column = np.floor(x * 100 / count)
        naive = [(part.min(), part.max()) for part in (y[column == number] for number in range(100))]
        np.testing.assert_array_equal(values.reshape(-1, 2), naive)


def test_smoothing_is_the_weighted_mean_of_what_came_before():
    values = np.random.default_rng(0).normal(size=50)
    for weight in (0.1, 0.9, 0.99):
        powers = weight ** np.arange(50)
        naive = [(powers[: t + 1][::-1] * values[: t + 1]).sum() / powers[: t + 1].sum() for t in range(50)]
        np.testing.assert_allclose(smoothed(values, weight), naive, rtol=1e-9)
    np.testing.assert_array_equal(smoothed(values, 0.0), values)
    np.testing.assert_allclose(smoothed(np.full(10_000, 3.0), 0.99), 3.0)
    assert len(smoothed(values[:0], 0.5)) == 0


@pytest.mark.parametrize(
    ("low", "high", "most", "texts"),
    [
        (0.0, 3.0, 20, ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1,000"]),
        (0.0, 3.0, 5, ["1", "10", "100", "1,000"]),
        (-2.0, 0.0, 4, ["0.01", "0.1", "1"]),
        (2.0, 2.1, 4, ["100", "110", "120"]),
    ],
)
def test_logarithmic_ticks(low, high, most, texts):
    found = log_ticks(low, high, most)
    assert [text for _, text in found] == texts
    for place, text in found:
        assert 10**place == pytest.approx(float(text.replace(",", "")))


def test_logarithmic_ticks_of_nothing():
    assert log_ticks(1.0, 1.0, 5) == []
    assert log_ticks(0.0, float("nan"), 5) == []
    assert len(log_ticks(-300, 300, 8)) <= 8


def test_rounding_is_no_change_of_a_constant():
    smooth = smoothed(np.full(500, 0.005), 0.8)
    low, high = padded(float(smooth.min()), float(smooth.max()))
    assert low < 0.004
    assert high > 0.006
    assert padded(0.0, 0.0) == (-0.5, 0.5)
