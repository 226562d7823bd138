from __future__ import annotations

from collections import Counter

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, random_walks
from mmgraph.graph.walks.importance import importance_graph

EDGES = torch.tensor([[0, 1, 1, 2, 2, 0, 2, 3, 3, 4], [1, 0, 2, 1, 0, 2, 3, 2, 4, 3]])


def test_weights_are_the_shares_of_visits() -> None:
    graph = Adjacency.from_edge_index(EDGES, 6)
    found = importance_graph(graph, 2, walks_per_node=40, length=3, seed=5)
    walks = random_walks(graph, 4, 40, seed=5)
    dense = torch.from_numpy(found.to_scipy().toarray().T.copy())
    for node in range(5):
        visits = Counter(int(v) for walk in walks if walk[0] == node for v in walk[1:] if v not in (-1, node))
        most = sorted(visits.items(), key=lambda entry: (-entry[1], entry[0]))[:2]
        total = sum(count for _, count in most)
        expected = torch.zeros(6)
        for neighbour, count in most:
            expected[neighbour] = count / total
        torch.testing.assert_close(dense[node], expected)
    assert dense[5].sum() == 0


def test_a_seed_gives_the_same_graph_on_any_number_of_threads() -> None:
    graph = Adjacency.from_edge_index(EDGES, 6)
    one, two = (importance_graph(graph, 3, seed=2, threads=threads) for threads in (1, 2))
    assert (one.to_scipy() != two.to_scipy()).nnz == 0


def test_no_neighbours_or_steps_are_refused() -> None:
    graph = Adjacency.from_edge_index(EDGES, 6)
    with pytest.raises(InputError, match="at least one neighbour"):
        importance_graph(graph, 0)
    with pytest.raises(InputError, match="at least one neighbour"):
        importance_graph(graph, length=0)
