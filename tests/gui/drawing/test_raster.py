from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgraph_gui.drawing.raster import Viewport, colour_parts, to_image

viewports = st.builds(
    Viewport,
    st.integers(1, 2000),
    st.integers(1, 2000),
    st.floats(1e-3, 1e3),
    st.floats(-100, 100),
    st.floats(-100, 100),
)


@given(viewports, st.floats(-50, 50), st.floats(-50, 50))
def test_pixels_and_plane_are_inverse(viewport: Viewport, x: float, y: float) -> None:
    there = viewport.to_pixels(np.array([[x, y]]))
    np.testing.assert_allclose(viewport.to_plane(there), [[x, y]], atol=1e-6)


@given(viewports, st.floats(0.1, 10), st.floats(0, 500), st.floats(0, 500))
def test_zooming_keeps_what_is_under_the_mouse(viewport: Viewport, factor: float, x: float, y: float) -> None:
    before = viewport.to_plane(np.array([[x, y]]))
    after = viewport.zoomed(factor, x, y)
    assert after.scale == pytest.approx(viewport.scale * factor)
    np.testing.assert_allclose(after.to_plane(np.array([[x, y]])), before, atol=1e-6, rtol=1e-6)


def test_everything_fits_in_and_up_is_up() -> None:
    positions = np.array([[-3.0, 1], [5, 2], [0, 9], [np.nan, 1e9]])
    viewport = Viewport.around(positions, 400, 300)
    pixels = viewport.to_pixels(positions)[:3]
    assert (pixels >= 0).all()
    assert (pixels <= [400, 300]).all()
    assert pixels[2, 1] < pixels[0, 1]
    assert viewport.still_fits(positions)
    assert not viewport.still_fits(positions * 3)
    assert not viewport.still_fits(positions / 10)


def test_panning_follows_the_mouse() -> None:
    viewport = Viewport(100, 80, 2.0)
    point = np.array([[3.0, 4.0]])
    moved = viewport.panned(10, -5).to_pixels(point) - viewport.to_pixels(point)
    np.testing.assert_allclose(moved, [[10, -5]])


def test_a_picture_of_another_viewport_lands_where_its_points_are() -> None:
    old = Viewport(100, 80, 2.0, 1.0, 1.0)
    new = old.zoomed(1.7, 20, 30).panned(4, 9)
    box = new.rectangle_of(old)
    point = np.array([[2.0, -3.0]])
    share = old.to_pixels(point)[0] / (100, 80)
    expected = new.to_pixels(point)[0]
    np.testing.assert_allclose(
        [box.x() + share[0] * box.width(), box.y() + share[1] * box.height()], expected
    )


@pytest.mark.parametrize("positions", [np.zeros((0, 2)), np.zeros((1, 2)), np.full((2, 2), np.nan)])
def test_few_points_have_a_viewport(positions: np.ndarray) -> None:
    viewport = Viewport.around(positions, 50, 40)
    assert np.isfinite(viewport.to_pixels(np.zeros((1, 2)))).all()


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_images_have_the_colours_of_the_array(channels: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, size=(5, 7, *channels)).astype(np.uint8)
    if channels == (4,):
        array[..., 3] = 255
    image = to_image(array)
    assert (image.width(), image.height()) == (7, 5)
    colour = image.pixelColor(3, 2)
    expected = array[2, 3, :3].tolist() if channels else [array[2, 3]] * 3
    assert [colour.red(), colour.green(), colour.blue()] == expected


def test_colour_parts() -> None:
    assert colour_parts("#0a10ff") == (10, 16, 255)
