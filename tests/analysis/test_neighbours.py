from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

from mmgraph.analysis import nearest_neighbours, neighbours
from mmgraph.errors import InputError


@pytest.fixture(params=[4_000_000, 500], ids=["one block", "many blocks"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_CHUNK_VALUES", request.param)


@pytest.mark.usefixtures("_blocks")
def test_agrees_with_a_kd_tree_far_from_zero() -> None:
    points = np.random.default_rng(0).normal(size=(120, 5)) + 1e6
    expected, rows = cKDTree(points).query(points, k=8)
    indices, distances = nearest_neighbours(points, 7)
    np.testing.assert_array_equal(indices, rows[:, 1:])
    np.testing.assert_allclose(distances, expected[:, 1:], rtol=1e-6)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_agrees_with_scikit_learn_on_queries(metric: str) -> None:
    generator = np.random.default_rng(1)
    points, queries = generator.normal(size=(90, 6)), generator.normal(size=(33, 6))
    expected, rows = NearestNeighbors(n_neighbors=5, metric=metric).fit(points).kneighbors(queries)
    indices, distances = nearest_neighbours(points, 5, queries=queries, metric=metric)
    np.testing.assert_array_equal(indices, rows)
    np.testing.assert_allclose(distances, expected, atol=1e-12)


def test_a_point_is_not_its_own_neighbour_even_among_duplicates() -> None:
    indices, distances = nearest_neighbours(np.zeros((4, 2)), 3)
    assert indices.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    np.testing.assert_array_equal(distances, 0)


def test_zero_vectors_are_at_cosine_distance_one() -> None:
    _, distances = nearest_neighbours(np.array([[0.0, 0], [1, 0]]), 1, metric="cosine")
    np.testing.assert_array_equal(distances, 1)


def test_no_queries() -> None:
    indices, distances = nearest_neighbours(np.ones((3, 2)), 2, queries=np.ones((0, 2)))
    assert indices.shape == distances.shape == (0, 2)


@pytest.mark.parametrize(
    ("points", "k", "options", "message"),
    [
        (np.zeros((3, 2)), 3, {}, "from 1 to 2 here, not 3"),
        (np.zeros((3, 2)), 0, {}, "from 1 to 2"),
        (np.zeros(3), 1, {}, "shape"),
        (np.array([[np.nan], [0]]), 1, {}, "NaN"),
        (np.zeros((3, 2)), 1, {"queries": np.zeros((1, 3))}, "as many features"),
        (np.zeros((3, 2)), 1, {"metric": "taxi"}, "taxi"),
    ],
)
def test_bad_input(points: np.ndarray, k: int, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        nearest_neighbours(points, k, **options)
