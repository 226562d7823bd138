from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

from mmgraph.analysis import NeighbourIndex, nearest_neighbours, neighbours
from mmgraph.errors import InputError, MissingDependencyError, UnknownNameError


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


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_an_index_is_searched_again_and_again(metric: str) -> None:
    generator = np.random.default_rng(2)
    points, queries = generator.normal(size=(70, 4)).astype(np.float32), generator.normal(size=(9, 4))
    index = NeighbourIndex(points, metric=metric)
    oracle = NearestNeighbors(n_neighbors=6, metric=metric).fit(points.astype(np.float64))
    for some in (queries, queries[:1], queries[3:5]):
        found = index.search(some, 6)
        expected, rows = oracle.kneighbors(some)
        np.testing.assert_array_equal(found.indices, rows)
        np.testing.assert_allclose(found.distances, expected, atol=1e-12)
    rows = [5, 69, 5]
    found = index.search_rows(rows, 5)
    everything = index.search_rows(None, 5)
    np.testing.assert_array_equal(found.indices, everything.indices[rows])
    np.testing.assert_array_equal(found.distances, everything.distances[rows])
    assert not (everything.indices == np.arange(70)[:, None]).any()
    assert (len(index), index.features) == (70, 4)


def test_an_index_keeps_its_own_copy() -> None:
    points = np.eye(3)
    index = NeighbourIndex(points)
    points[:] = 0
    assert index.search(np.eye(3), 1).indices.ravel().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "message"),
    [([3], "0 to 2"), ([-1], "0 to 2"), ([0.5], "whole numbers"), ([[0]], "whole numbers")],
)
def test_rows_that_are_not_there(rows: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        NeighbourIndex(np.eye(3)).search_rows(rows, 1)


def test_an_unknown_backend() -> None:
    with pytest.raises(UnknownNameError, match="exact"):
        NeighbourIndex(np.eye(3), backend="annoy")  # type: ignore[arg-type]


def test_without_faiss_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingDependencyError, match=r"mmgraph\[search\]"):
        NeighbourIndex(np.eye(3), backend="faiss")


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_faiss_finds_nearly_all_with_exact_distances(metric: str) -> None:
    pytest.importorskip("faiss")
    points = np.random.default_rng(3).normal(size=(3000, 16))
    exact, near = (NeighbourIndex(points, metric=metric, backend=name) for name in ("exact", "faiss"))
    expected, found = exact.search_rows(None, 10), near.search_rows(None, 10)
    assert not (found.indices == np.arange(3000)[:, None]).any()
    same = (expected.indices[:, :, None] == found.indices[:, None, :]).any(axis=2)
    assert same.mean() > 0.98
    whole = same.all(axis=1)
    np.testing.assert_allclose(found.distances[whole], expected.distances[whole], atol=1e-12)
    queries = points[:50] + 0.01
    assert (near.search(queries, 3).indices == exact.search(queries, 3).indices).mean() > 0.95


def test_faiss_gives_all_there_are() -> None:
    pytest.importorskip("faiss")
    points = np.zeros((40, 3))
    found = NeighbourIndex(points, backend="faiss").search_rows(None, 39)
    assert all(sorted([*row, own]) == list(range(40)) for own, row in enumerate(found.indices.tolist()))
