from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import GNN, Adjacency, NeighborLoader, SparseFeatures, infer

NODES = 40


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def graph(request) -> Adjacency:
    generator = torch.Generator().manual_seed(0)
    weight = torch.rand(300, generator=generator, dtype=torch.float64) + 0.1 if request.param else None
    return Adjacency.from_edge_index(torch.randint(NODES, (2, 300), generator=generator), NODES, weight)


@pytest.mark.parametrize(
    ("conv", "options"),
    [
        ("gcn", {}),
        ("gcn", {"norm": "batch", "residual": True, "num_layers": 3}),
        ("sage", {"jumping_knowledge": "cat"}),
        ("gat", {"norm": "layer"}),
        ("gin", {"jumping_knowledge": "layerwise"}),
        ("sgc", {"num_layers": 1, "K": 3}),
        ("cheb", {"K": 3}),
        ("appnp", {"K": 4}),
        ("appnp", {"K": 4, "jumping_knowledge": "max"}),
        ("linear", {}),
    ],
)
def test_inference_equals_the_whole_graph(graph, conv, options):
    torch.manual_seed(0)
    model = GNN(5, 6, 3, conv=conv, **options).double()
    x = torch.randn(NODES, 5, dtype=torch.float64)
    model(x, graph)
    ours = infer(model, x, graph, batch_size=7)
    assert model.training
    torch.testing.assert_close(ours, model.eval()(x, graph), rtol=1e-9, atol=1e-9)
    assert not ours.requires_grad


def test_edges_with_kinds_and_features_from_elsewhere(graph):
    relation = torch.randint(3, (300,))
    model = GNN(5, 6, 2, conv="rgcn", num_relations=3).double()
    x = torch.randn(NODES, 5, dtype=torch.float64) * (torch.rand(NODES, 5) < 0.5)
    whole = model.eval()(x, graph, edge_attr=relation)
    for features in (x, x.numpy(), SparseFeatures.from_dense(x)):
        ours = infer(model, features, graph, batch_size=16, edge_attr=relation)
        torch.testing.assert_close(ours, whole, rtol=1e-9, atol=1e-9)


def test_training_on_batches_learns_what_the_whole_graph_teaches():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 4
    source = torch.arange(200).repeat(8)
    target = (torch.randint(50, (1600,), generator=generator) * 4 + source % 4).clamp(max=199)
    graph = Adjacency.from_edge_index(torch.stack([source, target]), 200)
    x = torch.nn.functional.one_hot(labels, 4).float() + torch.randn(200, 4, generator=generator)
    torch.manual_seed(0)
    model = GNN(4, 16, 4, conv="gcn", dropout=0.0)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    loader = NeighborLoader(graph, x, torch.arange(100), [5, 5], 25)
    for epoch in range(20):
        for batch in loader.batches(epoch):
            logits = model(batch.x, batch.adjacency)[: batch.num_targets]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits, labels[batch.targets]).backward()
            optimizer.step()
    accuracy = (infer(model, x, graph).argmax(1) == labels)[100:].double().mean()
    assert accuracy > 0.9


def test_what_cannot_be_done_in_batches():
    graph = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 0]]))
    x = torch.randn(2, 3)
    with pytest.raises(InputError, match="CayleyConv needs the whole graph"):
        infer(GNN(3, 4, 2, conv="cayley"), x, graph)
    with pytest.raises(InputError, match="this one pools"):
        infer(GNN(3, 4, 2, pooling="sum"), x, graph)
    with pytest.raises(InputError, match="features have 3 rows"):
        infer(GNN(3, 4, 2), torch.randn(3, 3), graph)


def test_no_nodes():
    empty = Adjacency.from_edge_index(torch.zeros(2, 0, dtype=torch.int64), 0)
    assert infer(GNN(3, 4, 2), np.zeros((0, 3), np.float32), empty).shape == (0, 2)
