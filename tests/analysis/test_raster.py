from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgraph.analysis import PointGrid, raster, raster_points
from mmgraph.errors import InputError

SHAPE = (24, 31)


def scene(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    pixels = generator.uniform(-4, 36, size=(count, 2))
    return pixels, generator.integers(0, 256, size=(count, 3)).astype(np.uint8)


def naive(pixels: np.ndarray, colours: np.ndarray, radius: float, opacity: float) -> np.ndarray:
    """One point and one pixel at a time: red, green, blue, alpha, 0 … 255, multiplied with alpha."""
    height, width = SHAPE
    image = np.zeros((height, width, 4))
    for y in range(height):
        for x in range(width):
            weight, total = 0.0, np.zeros(3)
            for row, (px, py) in enumerate(pixels):
                if not math.isfinite(px + py):
                    continue
                far = math.hypot(math.floor(px) - x, math.floor(py) - y)
                cover = float(far == 0) if radius < 1 else min(1.0, max(0.0, radius + 0.5 - far))
                weight += cover
                total += cover * colours[row]
            if weight:
                alpha = 1 - (1 - opacity) ** weight
                image[y, x] = [*(alpha * total / weight), 255 * alpha]
    return image


def parts(image: np.ndarray) -> np.ndarray:
    """(height, width, 4) red, green, blue, alpha."""
    return np.stack([image >> 16 & 255, image >> 8 & 255, image & 255, image >> 24], axis=-1).astype(int)


@settings(max_examples=12, deadline=None)
@given(
    count=st.integers(0, 60),
    seed=st.integers(0, 99),
    radius=st.sampled_from([0, 1, 1.6, 2.5]),
    opacity=st.sampled_from([0.3, 0.9]),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_agrees_with_a_loop_over_pixels_and_points(
    count: int, seed: int, radius: float, opacity: float, kind: type
) -> None:
    pixels, colours = scene(count, seed)
    pixels = pixels.astype(kind)
    image = raster_points(pixels, colours, SHAPE, radius=radius, opacity=opacity)
    assert np.abs(parts(image) - naive(pixels, colours, radius, opacity)).max(initial=0) <= 1


def test_two_threads_draw_what_one_draws() -> None:
    pixels, colours = scene(300, 5)
    one = raster_points(pixels, colours, SHAPE, radius=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raster, "_FEW_POINTS", 10)
        two = raster_points(pixels, colours, SHAPE, radius=2)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("radius", [0, 1.6, 3])
@pytest.mark.parametrize("select", [False, True])
def test_bands_have_no_seams(radius: float, select: bool) -> None:
    pixels, colours = scene(300, 6)
    selected = np.arange(300) % 7 == 0 if select else None
    whole = raster_points(pixels, colours, SHAPE, radius=radius, selected=selected)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raster, "_BAND", 5)
        bands = raster_points(pixels, colours, SHAPE, radius=radius, selected=selected)
    assert np.abs(parts(whole) - parts(bands)).max() <= 1  # sums of floats in another order


def test_selected_and_other_points_blend_as_one_layer_over_another() -> None:
    pixels, colours = scene(200, 8)
    selected = np.arange(200) % 4 == 0
    image = parts(
        raster_points(pixels, colours, SHAPE, radius=1.6, opacity=0.7, selected=selected, dimmed=0.3)
    )
    under = naive(pixels[~selected], colours[~selected], 1.6, 0.7 * 0.3)
    over = naive(pixels[selected], colours[selected], 1.6, 0.7)
    blended = over + (1 - over[..., 3:] / 255) * under
    assert (image[..., 3] == 0).any()
    assert np.abs(image - blended).max() <= 1


def test_a_grid_is_drawn_under_any_map_to_pixels() -> None:
    places, colours = scene(300, 5)
    grid = PointGrid(places)
    for scale in (0.3, 1.0, 7.5):
        image = raster_points(grid, colours, SHAPE, affine=(scale, -scale, 3.5, 20.25), radius=1.6)
        pixels = places * [scale, -scale] + [3.5, 20.25]
        np.testing.assert_array_equal(image, raster_points(pixels, colours, SHAPE, radius=1.6))


def test_colours_and_selection_of_a_grid_may_change() -> None:
    places, colours = scene(50, 3)
    grid = PointGrid(places)
    raster_points(grid, colours, SHAPE, selected=np.zeros(50, bool))
    selected = np.arange(50) % 3 == 0
    again = raster_points(grid, 255 - colours, SHAPE, selected=selected)
    np.testing.assert_array_equal(again, raster_points(places, 255 - colours, SHAPE, selected=selected))


def test_the_order_of_points_does_not_change_the_image() -> None:
    pixels, colours = scene(300, 1)
    one = raster_points(pixels, colours, SHAPE, radius=2)
    other = raster_points(pixels[::-1], colours[::-1], SHAPE, radius=2)
    assert np.abs(parts(one) - parts(other)).max() <= 1


def test_selected_points_lie_on_top_and_others_are_dimmed() -> None:
    pixels = np.array([[5.0, 5], [5, 5], [20, 5]])
    colours = np.array([[255, 0, 0], [0, 0, 255], [0, 255, 0]], dtype=np.uint8)
    image = parts(
        raster_points(pixels, colours, SHAPE, opacity=1, selected=np.array([True, False, False]), dimmed=0.25)
    )
    assert image[5, 5].tolist() == [255, 0, 0, 255]
    assert image[5, 20].tolist() == [0, 64, 0, 64]
    assert parts(raster_points(pixels, colours, SHAPE, opacity=1))[5, 20, 3] == 255


def test_more_points_are_more_solid() -> None:
    pixels = np.array([[3.0, 3]] * 5 + [[9, 3]])
    image = parts(raster_points(pixels, np.zeros((6, 3), np.uint8), SHAPE, opacity=0.3))
    assert image[3, 3, 3] > image[3, 9, 3] > 0


def test_points_that_are_not_finite_or_outside_are_left_out() -> None:
    pixels = np.array([[np.nan, 2], [np.inf, 2], [-100, 2], [2, 1e300]])
    assert not raster_points(pixels, np.full((4, 3), 255, np.uint8), SHAPE, radius=3).any()


def test_no_points() -> None:
    image = raster_points(np.zeros((0, 2)), np.zeros((0, 3), np.uint8), SHAPE)
    assert image.shape == SHAPE
    assert not image.any()


def test_bad_input() -> None:
    pixels, colours = scene(3, 0)
    with pytest.raises(InputError, match="positions"):
        raster_points(pixels[:, :1], colours, SHAPE)
    with pytest.raises(InputError, match="colours"):
        raster_points(pixels, colours[:2], SHAPE)
    with pytest.raises(InputError, match="selection"):
        raster_points(pixels, colours, SHAPE, selected=np.array([True]))
    with pytest.raises(InputError, match="opacity"):
        raster_points(pixels, colours, SHAPE, opacity=0)
