from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import GNN, Adjacency, ClusterBatches
from mmgraph.graph.sampling.clusters import induced

NODES = 60


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def graph(request) -> Adjacency:
    generator = torch.Generator().manual_seed(0)
    weight = torch.rand(400, generator=generator) + 0.1 if request.param else None
    return Adjacency.from_edge_index(torch.randint(NODES, (2, 400), generator=generator), NODES, weight)


@pytest.mark.parametrize("count", [0, 1, 17, NODES])
def test_induced_edges_are_those_of_the_subgraph(graph, count):
    nodes = torch.randperm(NODES, generator=torch.Generator().manual_seed(1))[:count].sort().values
    ours, edges = induced(graph, nodes)
    wanted = graph.subgraph(nodes)
    assert torch.equal(ours.rowptr, wanted.rowptr)
    assert torch.equal(ours.col, wanted.col)
    assert torch.equal(graph.edge_index[:, edges], nodes[ours.edge_index])
    if graph.value is not None:
        assert torch.equal(ours.value, wanted.value)


def test_an_epoch_has_every_node_once_and_all_edges_inside(graph):
    x, edge_attr = torch.randn(NODES, 3), torch.arange(400.0)[:, None]
    loader = ClusterBatches(graph, x, 8, 3, edge_attr=edge_attr)
    batches = list(loader.batches(1))
    assert len(batches) == len(loader) == 3
    assert torch.cat([batch.targets for batch in batches]).sort().values.tolist() == list(range(NODES))
    given, _ = graph.to_edge_index()
    for batch in batches:
        assert len(loader.clusters[batch.nodes].unique()) in (2, 3)
        assert torch.equal(batch.x, x[batch.nodes])
        ends, _ = batch.adjacency.to_edge_index()
        assert torch.equal(batch.nodes[ends], given[:, batch.edge_attr[:, 0].long()])
        inside = torch.isin(graph.edge_index, batch.nodes).all(0).sum()
        assert batch.adjacency.num_edges == inside


def test_clusters_are_combined_anew_every_epoch_but_the_same_way_again(graph):
    def made(epoch: int, start: int = 0) -> list[list[int]]:
        loader = ClusterBatches(graph, torch.randn(NODES, 2), 10, 2, seed=3)
        return [batch.nodes.tolist() for batch in loader.batches(epoch, start)]

    assert made(0) == made(0)
    assert made(0, 2) == made(0)[2:]
    assert made(0) != made(1)


def test_all_clusters_together_are_the_graph(graph):
    x = torch.randn(NODES, 3)
    (batch,) = ClusterBatches(graph, x, clusters=torch.arange(NODES) % 4, clusters_per_batch=9).batches()
    for conv in ("gcn", "cheb", "gat", "arma"):
        model = GNN(3, 4, 2, conv=conv).eval()
        torch.testing.assert_close(model(batch.x, batch.adjacency), model(x, graph))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clusters_per_batch": 0}, "at least one cluster"),
        ({"num_clusters": 61}, "from 1 to 60 parts"),
        ({"clusters": torch.zeros(3, dtype=torch.int64)}, "cluster of each of 60 nodes"),
        ({"clusters": torch.full((NODES,), -1)}, "cluster of each of 60 nodes"),
        ({"features": torch.randn(3, 2)}, "features have 3 rows"),
        ({"edge_attr": torch.randn(3, 2)}, "one row per edge"),
    ],
)
def test_bad_arguments(graph, change, message):
    with pytest.raises(InputError, match=message):
        ClusterBatches(**({"graph": graph, "features": torch.randn(NODES, 2)} | change))
