from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgraph.analysis import lines, raster_edges, tint
from mmgraph.errors import InputError

SHAPE = (20, 28)


def naive(pixels: np.ndarray, edges: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One sample at a time on a canvas with a wide margin."""
    margin = 60
    canvas = np.zeros((SHAPE[0] + 2 * margin, SHAPE[1] + 2 * margin))
    for (a, b), weight in zip(edges.T, weights, strict=True):
        start, end = pixels[a], pixels[b]
        if not np.isfinite([*start, *end]).all() or (start == end).all():
            continue
        along = 1 if abs(end[1] - start[1]) > abs(end[0] - start[0]) else 0
        if start[along] > end[along]:
            start, end = end, start
        slope = (end[1 - along] - start[1 - along]) / (end[along] - start[along])
        for at in range(math.ceil(start[along] - 0.5), math.ceil(end[along] - 0.5)):
            across = start[1 - along] + (at + 0.5 - start[along]) * slope - 0.5
            whole = math.floor(across)
            for line, share in ((whole, 1 - (across - whole)), (whole + 1, across - whole)):
                y, x = (at, line) if along else (line, at)
                canvas[y + margin, x + margin] += weight * share
    return canvas[margin:-margin, margin:-margin]


def scene(nodes: int, edges: int, seed: int, spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    pixels = generator.uniform(-spread, 28 + spread, size=(nodes, 2))
    return pixels, generator.integers(0, nodes, size=(2, edges)), generator.uniform(0.1, 2, size=edges)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), edges=st.integers(0, 30), chunk=st.sampled_from([3, 8192]))
def test_agrees_with_a_loop_over_samples(seed: int, edges: int, chunk: int) -> None:
    pixels, edge_index, weights = scene(12, edges, seed, spread=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_CHUNK_EDGES", chunk)
        patch.setattr(lines, "_FEW_EDGES", chunk)
        found = raster_edges(pixels, edge_index, SHAPE, weights=weights)
    np.testing.assert_allclose(found, naive(pixels, edge_index, weights), atol=1e-3)


def test_a_line_adds_its_weight_once_per_pixel_of_its_longer_side() -> None:
    coverage = raster_edges(np.array([[2.0, 3.3], [12, 7.9]]), np.array([[0], [1]]), SHAPE, weights=[3.0])
    assert coverage.sum() == pytest.approx(30, rel=1e-5)
    np.testing.assert_allclose(coverage.sum(axis=0)[2:12], 3, rtol=1e-5)


@pytest.mark.parametrize("ends", [[[0.5, 4.5], [20.5, 4.5]], [[4.5, 0.5], [4.5, 15.5]]])
def test_a_straight_line_through_pixel_middles_is_sharp(ends: list[list[float]]) -> None:
    coverage = raster_edges(np.array(ends), np.array([[0], [1]]), SHAPE)
    assert sorted(np.unique(coverage)) == [0, 1]


def test_loops_and_points_that_are_not_finite_are_left_out() -> None:
    pixels = np.array([[3.0, 3], [np.nan, 4], [np.inf, 1], [1e308, -1e308]])
    edges = np.array([[0, 0, 1, 2], [0, 1, 2, 0]])
    assert not raster_edges(pixels, edges, SHAPE).any()


def test_no_edges() -> None:
    assert not raster_edges(np.zeros((0, 2)), np.zeros((2, 0), int), SHAPE).any()


def test_it_can_be_cancelled() -> None:
    pixels, edges, _ = scene(12, 30, 0, 0)
    assert raster_edges(pixels, edges, SHAPE, cancelled=lambda: True) is None


def test_tint_turns_coverage_into_opacity() -> None:
    coverage = np.concatenate([[0.0, 1, 2, 1000], np.random.default_rng(0).exponential(3, 500)])[None]
    image = tint(coverage, (10, 200, 30), opacity=0.5)
    parts = np.stack([image >> 16 & 255, image >> 8 & 255, image & 255, image >> 24], axis=-1).astype(int)
    alpha = 1 - 0.5**coverage
    expected = np.stack([alpha * part for part in (10, 200, 30, 255)], axis=-1)
    assert np.abs(parts - expected).max() <= 1
    assert parts[0, :4, 3].tolist() == [0, 128, 191, 255]


def test_bad_input() -> None:
    with pytest.raises(InputError, match="positions"):
        raster_edges(np.zeros((3, 3)), np.zeros((2, 0), int), SHAPE)
    with pytest.raises(InputError, match="join nodes 0 to 2"):
        raster_edges(np.zeros((3, 2)), np.array([[0], [3]]), SHAPE)
    with pytest.raises(InputError, match="weights"):
        raster_edges(np.zeros((3, 2)), np.array([[0], [1]]), SHAPE, weights=np.ones(2))
