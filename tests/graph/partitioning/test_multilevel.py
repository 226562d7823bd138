from __future__ import annotations

import math

import networkx as nx
import pytest
import torch

from mmgraph import datasets
from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, edge_cut, partition_graph


def planted(seed: int = 0) -> Adjacency:
    return Adjacency.from_networkx(nx.planted_partition_graph(6, 40, 0.35, 0.01, seed=seed))


@pytest.mark.parametrize("seed", range(3))
def test_planted_parts_are_found(seed):
    graph = planted(seed)
    truth = torch.arange(240) // 40
    part = partition_graph(graph, 6, seed=seed)
    assert edge_cut(graph, part) <= edge_cut(graph, truth) + 1e-12
    agreement = torch.bincount(truth * 6 + part, minlength=36).reshape(6, 6)
    assert agreement.max(1).values.sum() >= 236


@pytest.mark.parametrize("num_parts", [1, 2, 7, 60])
@pytest.mark.parametrize("imbalance", [0.0, 0.05, 0.3])
def test_parts_are_balanced(num_parts, imbalance):
    graph = Adjacency.from_networkx(nx.barabasi_albert_graph(300, 3, seed=1))
    part = partition_graph(graph, num_parts, imbalance=imbalance)
    sizes = part.bincount(minlength=num_parts)
    assert len(part) == 300
    assert sizes.max() <= math.ceil((1 + imbalance) * 300 / num_parts)


def test_two_parts_are_as_good_as_kernighan_and_lin_find_them():
    graph = nx.connected_watts_strogatz_graph(200, 6, 0.1, seed=3)
    adjacency = Adjacency.from_networkx(graph)
    one, _ = nx.algorithms.community.kernighan_lin_bisection(graph, seed=0)
    theirs = torch.tensor([node in one for node in range(200)]).long()
    assert edge_cut(adjacency, partition_graph(adjacency, 2)) <= 1.1 * edge_cut(adjacency, theirs)


def test_heavy_edges_are_spared():
    ring = torch.arange(40)
    edges = torch.stack([ring, (ring + 1) % 40])
    weight = torch.where(ring % 10 == 9, 0.1, 10.0)
    graph = Adjacency.from_edge_index(edges, 40, weight)
    part = partition_graph(graph, 4)
    assert (part[edges[0]] != part[edges[1]]).nonzero().flatten().tolist() == [9, 19, 29, 39]


def test_same_seed_same_parts():
    graph = planted()
    assert torch.equal(partition_graph(graph, 6, seed=3), partition_graph(graph, 6, seed=3))


@pytest.mark.parametrize("num_nodes", [1, 5])
def test_graphs_without_edges(num_nodes):
    graph = Adjacency.from_edge_index(torch.zeros(2, 0, dtype=torch.int64), num_nodes)
    part = partition_graph(graph, num_nodes)
    assert part.bincount(minlength=num_nodes).tolist() == [1] * num_nodes
    assert edge_cut(graph, part) == 0


@pytest.mark.data
def test_cora_is_cut_far_better_than_by_chance(real_data):
    data = datasets.load("cora")
    graph = Adjacency.from_edge_index(data.edge_index, data.num_nodes)
    part = partition_graph(graph, 10)
    chance = part[torch.randperm(len(part), generator=torch.Generator().manual_seed(0))]
    assert edge_cut(graph, part) < 0.16
    assert edge_cut(graph, chance) > 0.85


def test_bad_arguments():
    graph = planted()
    for parts in (0, 241):
        with pytest.raises(InputError, match="from 1 to 240 parts"):
            partition_graph(graph, parts)
    with pytest.raises(InputError, match="imbalance ≥ 0"):
        partition_graph(graph, 2, imbalance=-0.1)
