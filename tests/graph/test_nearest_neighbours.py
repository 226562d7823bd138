from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, knn_graph, nearest_neighbours


def neighbours(edge_index: torch.Tensor, num_nodes: int) -> list[list[int]]:
    return [edge_index[0, edge_index[1] == node].tolist() for node in range(num_nodes)]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("k", [1, 7, 39])
@pytest.mark.parametrize("block", [10, 1 << 22])
def test_neighbours_equal_scikit_learn(monkeypatch, metric, k, block):
    monkeypatch.setattr(nearest_neighbours, "_BLOCK", block)
    x = 100 + torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    expected = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(x.double().numpy())
    expected = np.sort(expected.kneighbors(return_distance=False), axis=1)
    assert neighbours(knn_graph(x, k, metric, symmetric=False), 40) == expected.tolist()


def test_symmetric_adds_exactly_the_missing_edges():
    x = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    one_way = set(zip(*knn_graph(x, 4, symmetric=False).tolist(), strict=True))
    both = knn_graph(x, 4)
    pairs = list(zip(*both.tolist(), strict=True))
    assert set(pairs) == one_way | {(t, s) for s, t in one_way}
    assert len(pairs) == len(set(pairs))
    assert Adjacency.from_edge_index(both, 30).is_symmetric
    assert torch.equal(both, Adjacency.from_edge_index(both, 30).edge_index)


def test_of_equal_distances_the_smaller_index_wins():
    assert neighbours(knn_graph(torch.zeros(5, 2), 2, symmetric=False), 5) == [
        [1, 2],
        [0, 2],
        [0, 1],
        [0, 1],
        [0, 1],
    ]
    line = torch.arange(5.0)[:, None]
    assert neighbours(knn_graph(line, 1, symmetric=False), 5) == [[1], [0], [1], [2], [3]]


def test_close_points_far_from_the_origin_are_told_apart():
    x = torch.tensor([0.0, 1.0, 3.0, 6.0], dtype=torch.float64)[:, None] * 1e-3 + 1e6
    assert neighbours(knn_graph(x, 1, symmetric=False), 4) == [[1], [0], [1], [2]]
    clusters = torch.cat([x, -x])
    assert neighbours(knn_graph(clusters, 1, symmetric=False), 8)[:4] == [[1], [0], [1], [2]]


def test_real_digits_mostly_neighbour_their_own_class():
    digits = load_digits()
    edge_index = knn_graph(torch.from_numpy(digits.data), 5)
    labels = torch.from_numpy(digits.target)
    assert (labels[edge_index[0]] == labels[edge_index[1]]).double().mean() > 0.95


@pytest.mark.parametrize(
    ("x", "k", "metric", "message"),
    [
        (torch.ones(5), 1, "euclidean", r"points \(n, features\), but got \(5,\)"),
        (torch.ones(5, 2), 5, "euclidean", "k from 1 to 4 for 5 points, but got 5"),
        (torch.ones(5, 2), 0, "euclidean", "k from 1 to 4"),
        (torch.ones(1, 2), 1, "euclidean", "but got 1"),
        (torch.tensor([[1.0], [torch.nan]]), 1, "euclidean", "row 1 has NaN"),
        (torch.tensor([[1.0], [1e300]], dtype=torch.float64), 1, "euclidean", "row 1 has .* too large"),
        (torch.tensor([[0.0], [1.0]]), 1, "cosine", "row 0 is 0"),
    ],
)
def test_bad_points_are_refused(x, k, metric, message):
    with pytest.raises(InputError, match=message):
        knn_graph(x, k, metric)


def test_unknown_metric_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'euclidean'"):
        knn_graph(torch.ones(3, 2), 1, "euclid")
