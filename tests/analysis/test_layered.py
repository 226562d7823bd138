from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from mmgraph.analysis.layered import layered_layout


def test_a_chain_is_a_straight_line():
    places = layered_layout(4, [(0, 1), (1, 2), (2, 3)])
    assert places.tolist() == [[0, 0], [0, 1], [0, 2], [0, 3]]


@pytest.mark.parametrize("seed", range(5))
def test_depths_are_the_longest_ways_and_nodes_keep_apart(seed):
    rng = np.random.default_rng(seed)
    edges = [(int(a), int(b)) for a, b in rng.integers(0, 40, (70, 2)) if a < b]
    places = layered_layout(40, edges)
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(range(40))
    depth = {}
    for node in nx.topological_sort(graph):
        depth[node] = max((depth[one] + 1 for one in graph.predecessors(node)), default=0)
    assert places[:, 1].tolist() == [depth[node] for node in range(40)]
    for row in set(depth.values()):
        x = np.sort(places[places[:, 1] == row, 0])
        assert (np.diff(x) >= 1 - 1e-9).all()


def test_a_diamond_is_even():
    places = layered_layout(4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    assert places[0, 0] == places[3, 0] == pytest.approx((places[1, 0] + places[2, 0]) / 2)


def test_circles_empty_and_alone():
    assert layered_layout(0, []).shape == (0, 2)
    assert layered_layout(1, [(0, 0)]).tolist() == [[0, 0]]
    assert layered_layout(3, [(0, 1), (1, 2), (2, 0)])[:, 1].tolist() == [0, 1, 2]
