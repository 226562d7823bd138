from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from mmgraph.analysis import force_layout, layout, spectral_layout
from mmgraph.errors import InputError


def ring(nodes: int) -> np.ndarray:
    return np.stack([np.arange(nodes), (np.arange(nodes) + 1) % nodes])


def two_clusters(nodes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    half = nodes // 2
    inside = [generator.integers(0, half, size=(2, 4 * half)) + side * half for side in (0, 1)]
    bridge = np.array([[0], [half]])
    return np.concatenate([*inside, bridge], axis=1), np.arange(nodes) >= half


def last(steps: object) -> np.ndarray:
    *_, positions = steps
    return positions


def test_equal_seeds_give_equal_layouts() -> None:
    one, other = (last(force_layout(ring(30), 30, iterations=20, seed=3)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (one != last(force_layout(ring(30), 30, iterations=20, seed=4))).any()


@pytest.mark.parametrize("exact_nodes", [1000, 0], ids=["all pairs", "mesh"])
def test_clusters_come_apart_and_edges_are_short(exact_nodes: int) -> None:
    edges, side = two_clusters(200)
    positions = last(force_layout(edges, 200, iterations=100, exact_nodes=exact_nodes))
    centres = np.stack([positions[side == s].mean(axis=0) for s in (False, True)])
    spread = np.mean([positions[side == s].std() for s in (False, True)])
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * spread
    edge_lengths = np.linalg.norm(positions[edges[0]] - positions[edges[1]], axis=1)
    others = np.linalg.norm(positions[:, None] - positions, axis=2)
    assert edge_lengths.mean() < 0.6 * others.mean()


def test_a_ring_becomes_round() -> None:
    positions = last(force_layout(ring(24), 24))
    radii = np.linalg.norm(positions - positions.mean(axis=0), axis=1)
    assert radii.std() < 0.15 * radii.mean()


def test_the_mesh_approximates_all_pairs() -> None:
    positions = np.random.default_rng(0).normal(size=(400, 2)) * 10
    exact, mesh = layout._repulsion_exact(positions), layout._repulsion_mesh(positions)
    # Near pairs are softened by the mesh: compare where the sum is not ruled by the nearest one.
    nearest = np.sort(np.linalg.norm(positions[:, None] - positions, axis=2), axis=1)[:, 1]
    apart = nearest > 0.6
    assert apart.sum() > 100
    error = np.linalg.norm(exact - mesh, axis=1)[apart] / np.linalg.norm(exact, axis=1)[apart]
    assert np.median(error) < 0.05


def test_all_pairs_agree_with_a_loop() -> None:
    positions = np.random.default_rng(1).normal(size=(12, 2))
    expected = np.zeros((12, 2))
    for i in range(12):
        for j in range(12):
            if i != j:
                delta = positions[i] - positions[j]
                expected[i] += delta / (delta @ delta)
    np.testing.assert_allclose(layout._repulsion_exact(positions), expected, rtol=1e-9)


def test_it_moves_less_and_less_and_can_be_left_at_any_step() -> None:
    steps = list(force_layout(ring(40), 40, iterations=60))
    moves = [np.abs(b - a).max() for a, b in pairwise(steps)]
    assert np.mean(moves[-10:]) < 0.2 * np.mean(moves[:10])
    assert len(list(islice(force_layout(ring(40), 40), 3))) == 3


def test_first_positions_are_used() -> None:
    initial = np.random.default_rng(2).normal(size=(10, 2))
    one = next(force_layout(ring(10), 10, initial=initial, seed=1))
    other = next(force_layout(ring(10), 10, initial=initial, seed=2))
    np.testing.assert_array_equal(one, other)


def test_components_and_isolated_nodes_stay_in_sight() -> None:
    edges = np.array([[0, 1, 3, 5], [1, 2, 4, 5]])
    positions = last(force_layout(edges, 8))
    assert np.isfinite(positions).all()
    assert np.abs(positions).max() < 8
    apart = np.linalg.norm(positions[:, None] - positions, axis=2) + np.eye(8)
    assert apart.min() > 0.1


@pytest.mark.parametrize("nodes", [0, 1, 2])
def test_few_nodes(nodes: int) -> None:
    positions = last(force_layout(np.zeros((2, 0), int), nodes, iterations=5))
    assert positions.shape == (nodes, 2)
    assert np.isfinite(positions).all()


def test_spectral_coordinates_are_smooth_on_the_graph() -> None:
    edges, side = two_clusters(100)
    positions = spectral_layout(edges, 100, iterations=200)
    first = positions[:, np.argmax(np.abs(np.corrcoef(positions.T, side)[2, :2]))]
    assert abs(np.corrcoef(first, side)[0, 1]) > 0.9


def test_bad_input() -> None:
    with pytest.raises(InputError, match="shape"):
        force_layout(np.zeros((3, 2), int), 3)
    with pytest.raises(InputError, match="join nodes 0 to 2"):
        force_layout(np.array([[0], [3]]), 3)
    with pytest.raises(InputError, match="First positions"):
        force_layout(ring(3), 3, initial=np.full((3, 2), np.nan))
