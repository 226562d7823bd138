from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import GNN, Adjacency

EDGES = torch.tensor([[0, 1, 1, 2, 3], [1, 0, 2, 1, 0]])


def features(num_nodes: int = 5) -> torch.Tensor:
    return torch.randn(num_nodes, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("conv", ["gcn", "gat"])
@pytest.mark.parametrize("num_layers", [1, 2, 4])
def test_logits_embedding_and_every_gradient(conv, num_layers):
    torch.manual_seed(0)
    model = GNN(6, 4, 3, num_layers, conv, heads=2, dropout=0.0)
    logits = model(features(), EDGES)
    assert logits.shape == (5, 3)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    width = 6 if num_layers == 1 else 4 * (2 if conv == "gat" else 1)
    assert model.embed(features(), EDGES).shape == (5, width)
    assert next(name for name, _ in model.named_children()) == "convs"
    assert f"convs.{num_layers - 1}" in dict(model.named_modules())


def test_two_layers_are_the_published_formula():
    torch.manual_seed(0)
    model = GNN(6, 4, 3, activation="elu", dropout=0.5).eval()
    first, last = model.convs
    x, graph = features(), Adjacency.from_edge_index(EDGES, 5)
    expected = last(torch.nn.functional.elu(first(x, graph)), graph)
    assert torch.equal(model(x, graph), expected)
    assert torch.equal(model(x, EDGES), expected)


def test_dropout_acts_before_the_first_layer():
    model = GNN(6, 4, 3, num_layers=1, dropout=1.0)
    assert torch.equal(model(features(), EDGES), torch.zeros(5, 3))
    assert not torch.equal(model.eval()(features(), EDGES), torch.zeros(5, 3))


def test_attention_is_that_of_each_layer_in_the_forward_pass():
    torch.manual_seed(0)
    model = GNN(6, 4, 3, num_layers=3, conv="gat", heads=2, output_heads=5, attention_dropout=0.5).eval()
    seen = {}
    for name, module in model.named_modules():
        if name.startswith("convs."):
            module.register_forward_hook(
                lambda m, args, _, name=name: seen.update({name: m.attention(*args)})
            )
    model(features(), EDGES)
    maps = model.attention(features(), EDGES)
    assert list(maps) == ["convs.0", "convs.1", "convs.2"]
    assert [alpha.size(1) for _, alpha in maps.values()] == [2, 2, 5]
    for name in list(maps):
        assert torch.equal(maps[name][0], seen[name][0])
        torch.testing.assert_close(maps[name][1], seen[name][1])
    assert torch.equal(maps["convs.0"][0][:, :5], EDGES)


def test_it_learns_to_copy_a_label_from_a_neighbour():
    torch.manual_seed(0)
    labels = torch.randint(3, (40,))
    source = torch.arange(40)
    x = torch.cat([torch.nn.functional.one_hot(labels, 3).float(), torch.zeros(40, 3)])
    edge_index = torch.stack([source, source + 40])
    model = GNN(3, 8, 3, conv="gat", heads=2, dropout=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x, edge_index)[40:], labels).backward()
        optimizer.step()
    assert torch.equal(model(x, edge_index)[40:].argmax(1), labels)


@pytest.mark.parametrize("conv", ["gcn", "gat"])
def test_graph_without_edges_and_without_nodes(conv):
    model = GNN(6, 4, 3, conv=conv)
    nothing = torch.empty(2, 0, dtype=torch.int64)
    assert model(features(2), nothing).shape == (2, 3)
    assert model(torch.empty(0, 6), nothing).shape == (0, 3)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least one layer, but got 0"):
        GNN(6, 4, 3, 0)
    with pytest.raises(InputError, match="dropout from 0 to 1"):
        GNN(6, 4, 3, dropout=-0.1)
    with pytest.raises(UnknownNameError, match=r"graph convolution 'gca'\. Did you mean"):
        GNN(6, 4, 3, conv="gca")
    with pytest.raises(UnknownNameError, match=r"activation 'rely'\. Did you mean 'relu'"):
        GNN(6, 4, 3, activation="rely")
    with pytest.raises(InputError, match="no convolution of this one attends"):
        GNN(6, 4, 3).attention(features(), EDGES)
    with pytest.raises(InputError, match="num_nodes = 3"):
        GNN(6, 4, 3)(features(3), EDGES)
