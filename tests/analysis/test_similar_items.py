from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mmgraph.analysis import similar_items
from mmgraph.errors import InputError


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_they_are_the_nearest_of_all_others(vectors, metric):
    distances, rows = similar_items(vectors, 17, 5, metric=metric)
    expected = cdist(vectors[17:18], vectors, metric)[0]
    expected[17] = np.inf
    np.testing.assert_array_equal(rows, np.argsort(expected)[:5])
    np.testing.assert_allclose(distances, np.sort(expected)[:5], rtol=1e-5)


def test_of_some_items_those_rows_are_named(vectors):
    rows = np.random.default_rng(1).permutation(1000)[:50]
    distances, found = similar_items(vectors, int(rows[17]), 5, rows=rows)
    plain = similar_items(vectors, 17, 5)
    np.testing.assert_array_equal(found, rows[plain.indices])
    np.testing.assert_array_equal(distances, plain.distances)


def test_vectors_with_nan_are_nobodys_neighbours(vectors):
    first = similar_items(vectors, 17, 1).indices[0]
    vectors[first, 2] = np.nan
    found = similar_items(vectors, 17, 100)
    assert len(found.indices) == 48
    assert first not in found.indices
    assert 17 not in found.indices
    with pytest.raises(InputError, match="NaN"):
        similar_items(vectors, int(first), 3)


def test_alone_it_has_no_neighbours(vectors):
    assert similar_items(vectors[:1], 0, 3).indices.tolist() == []


@pytest.mark.parametrize("item", [-1, 50])
def test_items_without_a_vector_are_refused(vectors, item):
    with pytest.raises(InputError, match="has no vector"):
        similar_items(vectors, item, 3)


def test_bad_numbers_and_shapes_are_refused(vectors):
    with pytest.raises(InputError, match="at least 1"):
        similar_items(vectors, 3, 0)
    with pytest.raises(InputError, match="shape"):
        similar_items(vectors, 3, 2, rows=np.arange(3))
    with pytest.raises(InputError, match="shape"):
        similar_items(vectors[0], 3, 2)
