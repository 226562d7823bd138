from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, AttentionPooling, TopKPooling, pool

BATCHES = {
    "sorted": [0, 0, 1, 1, 1, 2],
    "any order": [2, 0, 1, 0, 1, 1],
    "an empty graph": [0, 0, 3, 3, 1, 3],
    "one graph": [0, 0, 0, 0, 0, 0],
}


@pytest.fixture(params=BATCHES)
def batch(request) -> torch.Tensor:
    return torch.tensor(BATCHES[request.param])


def features(dtype=torch.float64, num_nodes=6, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num_nodes, 4, dtype=dtype, generator=generator, requires_grad=True)


@pytest.mark.parametrize("kind", ["sum", "mean", "max"])
def test_pooling_and_gradients_equal_torch_geometric(pyg, batch, dtype, compare, kind):
    theirs = {
        "sum": pyg.nn.global_add_pool,
        "mean": pyg.nn.global_mean_pool,
        "max": pyg.nn.global_max_pool,
    }[kind]
    x = features(dtype)
    compare(pool(x, batch, kind), theirs(x, batch), [x], [x])
    compare(pool(x, None, kind), theirs(x, None), [x], [x])
    wider = pool(x, batch, kind, num_graphs=6)
    assert wider.shape == (6, 4)
    assert torch.equal(wider[4:], torch.zeros(2, 4, dtype=dtype))


def test_attention_pooling_equals_torch_geometric(pyg, batch, dtype, compare):
    torch.manual_seed(0)
    gate, transform = nn.Linear(4, 1).to(dtype), nn.Linear(4, 3).to(dtype)
    theirs = pyg.nn.AttentionalAggregation(gate, transform)  # draws new weights
    ours = AttentionPooling(4, gate=gate, transform=transform)
    x = features(dtype)
    at = [x, *gate.parameters(), *transform.parameters()]
    order = torch.argsort(batch, stable=True)
    compare(ours(x, batch), theirs(x[order], batch[order]), at, at)


def test_attention_sums_to_one_in_each_graph(batch):
    torch.manual_seed(0)
    layer, x = AttentionPooling(4).double(), features()
    alpha = layer.attention(x, batch)
    assert alpha.shape == (6, 1)
    torch.testing.assert_close(pool(alpha, batch, "sum")[batch], torch.ones(6, 1).double())
    assert torch.autograd.gradcheck(lambda x: layer(x, batch), (x,))


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.75, 0.99])
def test_top_k_equals_torch_geometric(pyg, dtype, tolerance, ratio):
    torch.manual_seed(0)
    ours = TopKPooling(4, ratio=ratio).to(dtype)
    theirs = pyg.nn.TopKPooling(4, ratio=ratio).to(dtype)
    with torch.no_grad():
        theirs.select.weight.copy_(ours.weight[None])
    batch = torch.tensor(BATCHES["sorted"])
    edge_index = torch.tensor([[0, 1, 2, 3, 4, 2, 4, 5], [1, 0, 3, 4, 2, 2, 2, 5]])
    x = features(dtype)
    got = ours(x, edge_index, batch)
    expected, edges, _, their_batch, kept, _ = theirs(x, edge_index, batch=batch)
    assert torch.equal(got.kept, kept.sort().values)
    order = kept.argsort()
    torch.testing.assert_close(got.x, expected[order], **tolerance)
    assert torch.equal(got.batch, their_batch[order])
    ours_edges, _ = got.graph.to_edge_index()
    assert torch.equal(got.kept[ours_edges], kept[edges])
    wanted = torch.autograd.grad(expected[order].square().sum(), [x, theirs.select.weight])
    mine = torch.autograd.grad(got.x.square().sum(), [x, ours.weight])
    for a, b in zip(mine, wanted, strict=True):
        torch.testing.assert_close(a, b.view_as(a), **tolerance)


def test_top_k_keeps_the_share_of_each_graph_in_any_order(batch):
    torch.manual_seed(0)
    layer, x = TopKPooling(4, ratio=0.5).double(), features()
    pooled = layer(x, torch.tensor([[0], [0]]), batch)
    counts = torch.bincount(batch)
    assert torch.equal(torch.bincount(pooled.batch, minlength=len(counts)), torch.ceil(counts / 2).long())
    score = torch.tanh(x @ layer.weight / layer.weight.norm())
    for graph in pooled.batch.unique():
        kept = torch.isin(torch.arange(6), pooled.kept) & (batch == graph)
        dropped = ~torch.isin(torch.arange(6), pooled.kept) & (batch == graph)
        if dropped.any():
            assert score[kept].min() >= score[dropped].max()


def test_a_share_that_is_a_whole_number_is_not_rounded_up():
    x = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    assert len(TopKPooling(4, ratio=0.1)(x, torch.empty(2, 0, dtype=torch.int64)).kept) == 3


def test_no_nodes():
    x, nothing = features(num_nodes=0), torch.empty(0, dtype=torch.int64)
    for kind in ("sum", "mean", "max"):
        assert pool(x, nothing, kind).shape == (0, 4)
        assert torch.equal(pool(x, nothing, kind, num_graphs=2), torch.zeros(2, 4).double())
        assert torch.equal(pool(x, None, kind), torch.zeros(1, 4).double())
    assert AttentionPooling(4).double()(x, nothing, 2).shape == (2, 4)
    pooled = TopKPooling(4).double()(x, Adjacency.from_edge_index(torch.empty(2, 0, dtype=torch.int64), 0))
    assert pooled.x.shape == (0, 4)


def test_bad_input_is_refused():
    x = torch.ones(3, 4)
    with pytest.raises(UnknownNameError, match="pooling 'median'"):
        pool(x, None, "median")
    with pytest.raises(InputError, match=r"graph of every node, \(3,\), but got \(2,\)"):
        pool(x, torch.tensor([0, 1]))
    with pytest.raises(InputError, match=r"integer, but got torch\.float32"):
        pool(x, torch.zeros(3))
    with pytest.raises(InputError, match="≥ 0, but batch goes from -1 to 1"):
        pool(x, torch.tensor([-1, 0, 1]))
    with pytest.raises(InputError, match="≥ 0 and < 2, but batch goes from 0 to 2"):
        pool(x, torch.tensor([0, 1, 2]), num_graphs=2)
    with pytest.raises(InputError, match=r"\(num_nodes, channels\), but got \(3,\)"):
        pool(torch.ones(3), None)
    for ratio in (0.0, 1.5):
        with pytest.raises(InputError, match="ratio above 0 and up to 1"):
            TopKPooling(4, ratio=ratio)
    with pytest.raises(InputError, match=r"features \(num_nodes, 5\)"):
        TopKPooling(5)(x, torch.tensor([[0], [1]]))
