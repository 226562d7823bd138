from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgraph.analysis import raster_points
from mmgraph.errors import InputError

SHAPE = (24, 31)


def scene(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    pixels = generator.uniform(-4, 36, size=(count, 2))
    return pixels, generator.integers(0, 256, size=(count, 3)).astype(np.uint8)


def naive(pixels: np.ndarray, colours: np.ndarray, radius: float, opacity: float) -> tuple[np.ndarray, list]:
    """One point and one pixel at a time."""
    height, width = SHAPE
    image, nearest = np.zeros((height, width, 4)), []
    for y in range(height):
        for x in range(width):
            weight, total, reach = 0.0, np.zeros(3), {}
            for row, (px, py) in enumerate(pixels):
                if not math.isfinite(px + py):
                    continue
                far = math.hypot(math.floor(px) - x, math.floor(py) - y)
                cover = float(far == 0) if radius < 1 else min(1.0, max(0.0, radius + 0.5 - far))
                if cover > 0:
                    weight += cover
                    total += cover * colours[row]
                    reach[row] = far
            if weight:
                image[y, x, :3] = total / weight
                image[y, x, 3] = 255 * (1 - (1 - opacity) ** weight)
            nearest.append({row for row, far in reach.items() if far == min(reach.values())} or {-1})
    return image, nearest


@settings(max_examples=12, deadline=None)
@given(
    count=st.integers(0, 60),
    seed=st.integers(0, 99),
    radius=st.sampled_from([0, 1, 1.6, 2.5]),
    opacity=st.sampled_from([0.3, 0.9]),
)
def test_agrees_with_a_loop_over_pixels_and_points(
    count: int, seed: int, radius: float, opacity: float
) -> None:
    pixels, colours = scene(count, seed)
    raster = raster_points(pixels, colours, SHAPE, radius=radius, opacity=opacity)
    image, nearest = naive(pixels, colours, radius, opacity)
    assert np.abs(raster.image[..., 3] - image[..., 3]).max(initial=0) <= 1
    shown = image[..., 3] > 0
    assert np.abs(raster.image[shown][:, :3] - image[shown][:, :3]).max(initial=0) <= 1
    assert all(row in allowed for row, allowed in zip(raster.rows.ravel().tolist(), nearest, strict=True))


def test_both_ways_of_summing_discs_agree() -> None:
    pixels, colours = scene(2000, 5)  # many: spread over the image; few: over the points
    inside = ((pixels >= 0) & (pixels < [31, 24])).all(axis=1)
    pixels, colours = pixels[inside], colours[inside]
    many = raster_points(pixels, colours, SHAPE, radius=2)
    wide = raster_points(pixels, colours, (200, 200), radius=2)
    assert len(pixels) * 2 > SHAPE[0] * SHAPE[1]
    np.testing.assert_array_equal(many.image, wide.image[: SHAPE[0], : SHAPE[1]])


def test_the_order_of_points_does_not_change_the_image() -> None:
    pixels, colours = scene(300, 1)
    one = raster_points(pixels, colours, SHAPE, radius=2)
    other = raster_points(pixels[::-1], colours[::-1], SHAPE, radius=2)
    assert np.abs(one.image.astype(int) - other.image).max() <= 1


def test_selected_points_lie_on_top_and_others_are_dimmed() -> None:
    pixels = np.array([[5.0, 5], [5, 5], [20, 5]])
    colours = np.array([[255, 0, 0], [0, 0, 255], [0, 255, 0]], dtype=np.uint8)
    raster = raster_points(
        pixels, colours, SHAPE, opacity=1, selected=np.array([True, False, False]), dimmed=0.25
    )
    assert raster.image[5, 5].tolist() == [255, 0, 0, 255]
    assert raster.image[5, 20].tolist() == [0, 255, 0, 64]
    assert raster.rows[5, 5] == 0
    plain = raster_points(pixels, colours, SHAPE, opacity=1)
    assert plain.image[5, 20, 3] == 255


def test_more_points_are_more_solid() -> None:
    pixels = np.array([[3.0, 3]] * 5 + [[9, 3]])
    image = raster_points(pixels, np.zeros((6, 3), np.uint8), SHAPE, opacity=0.3).image
    assert image[3, 3, 3] > image[3, 9, 3] > 0


def test_points_that_are_not_finite_or_outside_are_left_out() -> None:
    pixels = np.array([[np.nan, 2], [np.inf, 2], [-100, 2], [2, 1e300]])
    raster = raster_points(pixels, np.full((4, 3), 255, np.uint8), SHAPE, radius=3)
    assert not raster.image.any()
    assert (raster.rows == -1).all()


def test_picking_finds_the_nearest_covered_pixel() -> None:
    raster = raster_points(np.array([[5.5, 5.5], [12.5, 5.5]]), np.zeros((2, 3), np.uint8), SHAPE)
    assert raster.pick(5.9, 5.1) == 0
    assert raster.pick(7, 5) is None
    assert raster.pick(7, 5, reach=2) == 0
    assert raster.pick(10.5, 5, reach=9) == 1
    assert raster.pick(-1, 5, reach=20) is None
    assert raster.pick(30, 500) is None


def test_no_points() -> None:
    raster = raster_points(np.zeros((0, 2)), np.zeros((0, 3), np.uint8), SHAPE)
    assert raster.image.shape == (*SHAPE, 4)
    assert not raster.image.any()


def test_bad_input() -> None:
    pixels, colours = scene(3, 0)
    with pytest.raises(InputError, match="positions"):
        raster_points(pixels[:, :1], colours, SHAPE)
    with pytest.raises(InputError, match="selection"):
        raster_points(pixels, colours, SHAPE, selected=np.array([True]))
    with pytest.raises(InputError, match="opacity"):
        raster_points(pixels, colours, SHAPE, opacity=0)
