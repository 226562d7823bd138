from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgraph.analysis import TileGrid, scale_tiles, tile
from mmgraph.analysis.tiling import LEVELS, tile_levels
from mmgraph.errors import InputError

grids = st.builds(
    TileGrid,
    count=st.integers(0, 20),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    columns=st.integers(0, 6),
    padding=st.integers(0, 2),
)


@given(grids)
def test_every_pixel_belongs_to_the_tile_that_is_drawn_there(grid: TileGrid) -> None:
    stack = np.broadcast_to(np.arange(grid.count)[:, None, None], (grid.count, grid.height, grid.width))
    picture = tile(stack, grid, fill=-1)
    assert picture.shape == grid.shape
    found = [[grid.at(y, x) for x in range(grid.shape[1])] for y in range(grid.shape[0])]
    expected = [[None if value < 0 else value for value in row] for row in picture.tolist()]
    assert found == expected
    for index in range(grid.count):
        assert grid.at(*grid.corner(index)) == index


@pytest.mark.parametrize("channels", [(), (3,)])
def test_tiles_are_copied_unchanged(channels: tuple[int, ...]) -> None:
    stack = np.random.default_rng(0).normal(size=(7, 3, 4, *channels))
    grid = TileGrid(7, 3, 4, columns=3, padding=2)
    picture = tile(stack, grid, fill=np.nan)
    for index in range(7):
        y, x = grid.corner(index)
        np.testing.assert_array_equal(picture[y : y + 3, x : x + 4], stack[index])
    assert np.isfinite(picture).sum() == stack.size


def test_outside_is_no_tile() -> None:
    grid = TileGrid(4, 2, 2)
    assert [grid.at(*at) for at in ((-5, 1), (1, -5), (99, 1), (1, 99), (0, 0))] == [None] * 5
    assert grid.at(1.9, 1.9) == 0


@pytest.mark.parametrize("count", [1, 12, 100])
def test_the_picture_is_about_square(count: int) -> None:
    height, width = TileGrid(count, 5, 5).shape
    assert 0.6 < height / width < 1.7


def test_scaling_of_each_tile() -> None:
    scaled, limits = scale_tiles(np.array([[[0.0, 2]], [[10, 10]]]), "each")
    np.testing.assert_allclose(scaled, [[[0, 1]], [[0.5, 0.5]]])
    assert limits.tolist() == [[0, 2], [10, 10]]


def test_joint_and_symmetric_scaling() -> None:
    stack = np.array([[[-1.0, 0]], [[3, 1]]])
    joint, limits = scale_tiles(stack, "joint")
    np.testing.assert_allclose(joint, (stack + 1) / 4)
    assert limits.tolist() == [[-1, 3], [-1, 3]]
    symmetric, limits = scale_tiles(stack, "symmetric")
    np.testing.assert_allclose(symmetric, (stack + 3) / 6, atol=1e-7)
    assert limits.tolist() == [[-3, 3], [-3, 3]]


@pytest.mark.parametrize("scaling", ["each", "joint", "symmetric"])
def test_nan_and_infinity_are_marked_and_do_not_stretch(scaling: str) -> None:
    stack = np.array([[[0.0, 4, np.nan, np.inf]], [[0, -4, 2, -np.inf]]], dtype=np.float32)
    scaled, limits = scale_tiles(stack, scaling)
    np.testing.assert_array_equal(np.isnan(scaled), ~np.isfinite(stack))
    assert np.isfinite(limits).all()
    assert np.abs(limits).max() == 4


def test_a_tile_without_finite_values_has_no_limits() -> None:
    scaled, limits = scale_tiles(np.full((1, 2, 2), np.nan))
    assert np.isnan(scaled).all()
    assert np.isnan(limits).all()


def test_extreme_values_do_not_overflow() -> None:
    scaled, _ = scale_tiles(np.array([[[-1.7e308, 0, 1.7e308]]]))
    np.testing.assert_allclose(scaled, [[[0, 0.5, 1]]])


@pytest.mark.parametrize("scaling", ["each", "joint", "symmetric"])
def test_no_tiles(scaling: str) -> None:
    scaled, limits = scale_tiles(np.zeros((0, 3, 3)), scaling)
    assert scaled.shape == (0, 3, 3)
    assert limits.shape == (0, 2)
    assert tile(scaled, TileGrid(0, 3, 3)).shape == TileGrid(0, 3, 3).shape


def test_bad_input() -> None:
    with pytest.raises(InputError, match="at least one pixel"):
        TileGrid(3, 0, 2)
    with pytest.raises(InputError, match="the stack has shape"):
        tile(np.zeros((3, 2, 2)), TileGrid(4, 2, 2))
    with pytest.raises(InputError, match="no tile 4"):
        TileGrid(4, 2, 2).corner(4)
    with pytest.raises(InputError, match="'loud'"):
        scale_tiles(np.zeros((1, 1, 1)), "loud")


@pytest.mark.parametrize("scaling", ["each", "joint", "symmetric"])
def test_levels_are_scaled_tiles_in_steps(scaling):
    stack = np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32)
    scaled, limits = scale_tiles(stack, scaling)
    levels, ends = tile_levels(stack, scaling)
    np.testing.assert_allclose(levels, scaled * (LEVELS - 1), atol=0.51)
    np.testing.assert_allclose(ends, limits, rtol=1e-6)


def test_levels_can_be_saturated_and_limited():
    stack = np.arange(101, dtype=np.float32).reshape(1, 1, 101)
    levels, ends = tile_levels(stack, "joint", saturation=0.1)
    assert ends.tolist() == [[10, 90]]
    assert (levels[0, 0, :11] == 0).all()
    assert (levels[0, 0, 90:] == LEVELS - 1).all()
    levels, ends = tile_levels(stack, "each", limits=(None, 50))
    assert ends.tolist() == [[0, 50]]
    assert (levels[0, 0, 50:] == LEVELS - 1).all()


def test_levels_mark_what_is_not_finite_and_keep_constants_in_the_middle():
    stack = np.array([[[0, 1, np.nan, np.inf]], [[7, 7, 7, 7]], [[np.nan] * 4]])
    levels, ends = tile_levels(stack, "each")
    assert levels[0, 0].tolist() == [0, LEVELS - 1, LEVELS, LEVELS]
    assert set(levels[1].ravel()) <= {(LEVELS - 1) // 2, LEVELS // 2}
    assert (levels[2] == LEVELS).all()
    assert np.isnan(ends[2]).all()
    assert tile_levels(np.zeros((0, 2, 2)))[0].shape == (0, 2, 2)


@pytest.mark.parametrize(
    "given", [{"saturation": 0.5}, {"saturation": -0.1}, {"limits": (1.0, 1.0)}, {"scaling": "loud"}]
)
def test_levels_refuse_what_makes_no_sense(given):
    with pytest.raises(InputError):
        tile_levels(np.zeros((1, 1, 1)), **given)
