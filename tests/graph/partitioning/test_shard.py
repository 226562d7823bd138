from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import GNN, Adjacency
from mmgraph.graph.partitioning.shard import GraphShard

NODES = 50


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def graph(request) -> Adjacency:
    generator = torch.Generator().manual_seed(0)
    weight = torch.rand(300, generator=generator, dtype=torch.float64) + 0.1 if request.param else None
    return Adjacency.from_edge_index(torch.randint(NODES, (2, 300), generator=generator), NODES, weight)


@pytest.fixture(params=[1, 2, 4], ids="{} parts".format)
def part(request) -> torch.Tensor:
    return torch.randint(request.param, (NODES,), generator=torch.Generator().manual_seed(1))


def test_parts_together_are_the_graph_and_agree_on_what_is_sent(graph, part):
    count = int(part.max()) + 1
    shards = [GraphShard.cut(graph, part, number) for number in range(count)]
    assert torch.cat([shard.own for shard in shards]).sort().values.tolist() == list(range(NODES))
    assert sum(shard.adjacency.num_edges for shard in shards) == graph.num_edges
    for number, shard in enumerate(shards):
        assert bool((part[shard.own] == number).all())
        assert shard.received[number] == len(shard.sent[number]) == 0
        halos = shard.nodes[shard.num_own :].split(list(shard.received))
        for other, halo in enumerate(halos):
            theirs = shards[other]
            assert torch.equal(theirs.nodes[theirs.sent[number]], halo)
            assert bool((part[halo] == other).all())
        needed = graph.col[part[graph.row] == number].unique()
        assert set(needed.tolist()) <= set(shard.nodes.tolist())


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat", "gatv2", "gin"])
def test_rows_of_a_part_are_those_of_the_graph(graph, part, conv):
    options = {"batch_norm": False} if conv == "gin" else {}
    layer = GNN(4, 4, 3, num_layers=1, conv=conv, **options).double().eval()
    x = torch.randn(NODES, 4, dtype=torch.float64)
    whole = layer(x, graph)
    for number in range(int(part.max()) + 1):
        shard = GraphShard.cut(graph, part, number)
        ours = layer(x[shard.nodes], shard.adjacency)[: shard.num_own]
        torch.testing.assert_close(ours, whole[shard.own], rtol=1e-10, atol=1e-10)


def test_a_part_may_be_empty(graph):
    shard = GraphShard.cut(graph, torch.zeros(NODES, dtype=torch.int64), 1)
    assert shard.num_own == shard.adjacency.num_edges == 0
    assert [len(nodes) for nodes in shard.sent] == [0, 0]


def test_bad_parts(graph):
    for part in (torch.zeros(3, dtype=torch.int64), torch.zeros(NODES), torch.full((NODES,), -1)):
        with pytest.raises(InputError, match="part of each of 50 nodes"):
            GraphShard.cut(graph, part, 0)
