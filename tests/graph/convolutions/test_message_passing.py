from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, EdgeConv, GCNConv, MessagePassing


def random(*shape, dtype=torch.float64, seed=1):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed), requires_grad=True)


@pytest.mark.parametrize("aggregation", ["sum", "mean", "max"])
def test_outputs_and_gradients_equal_torch_geometric(pyg, edges, dtype, compare, aggregation):
    edge_index, num_nodes = edges

    class Theirs(pyg.nn.MessagePassing):
        def forward(self, x, edge_index, edge_attr):
            received = self.propagate(edge_index, x=x, edge_attr=edge_attr)
            return x + 2 * received

        def message(self, x_i, x_j, edge_attr):
            return torch.sin(x_i) * x_j + edge_attr

    ours = MessagePassing(
        lambda target, source, edge: torch.sin(target) * source + edge,
        lambda x, received: x + 2 * received,
        aggregation=aggregation,
    )
    x = random(num_nodes, 3, dtype=dtype)
    edge_attr = random(edge_index.size(1), 3, dtype=dtype, seed=2)
    theirs = Theirs(aggr=aggregation)(x, edge_index, edge_attr)
    compare(ours(x, edge_index, edge_attr), theirs, [x, edge_attr], [x, edge_attr])
    graph = Adjacency.from_edge_index(edge_index, num_nodes)
    compare(
        ours(x, graph, edge_attr),
        Theirs(aggr=aggregation)(x, edge_index, edge_attr),
        [x, edge_attr],
        [x, edge_attr],
    )


@pytest.mark.parametrize("aggregation", ["max", "mean", "sum"])
def test_edge_conv_equals_torch_geometric(pyg, edges, dtype, compare, aggregation):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    mlp = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)
    x = random(num_nodes, 4, dtype=dtype)
    theirs = pyg.nn.EdgeConv(mlp, aggr=aggregation)  # draws new weights
    compare(
        EdgeConv(4, 3, mlp=mlp, aggregation=aggregation)(x, edge_index),
        theirs(x, edge_index),
        [x, *mlp.parameters()],
        [x, *mlp.parameters()],
    )


def test_edge_conv_reads_the_features_of_edges_in_the_order_given():
    conv = EdgeConv(1, 1, edge_channels=1, mlp=nn.Linear(3, 1, bias=False), aggregation="sum")
    with torch.no_grad():
        conv.mlp.weight.copy_(torch.tensor([[0.0, 0.0, 1.0]]))
    edge_index = torch.tensor([[0, 2, 1], [1, 0, 0]])
    y = conv(torch.ones(3, 1), edge_index, torch.tensor([[1.0], [10.0], [100.0]]))
    assert y.flatten().tolist() == [110.0, 1.0, 0.0]


def test_a_convolution_as_messages():
    torch.manual_seed(0)
    edge_index = torch.tensor([[0, 1, 2, 3], [1, 0, 1, 2]])
    graph = Adjacency.from_edge_index(edge_index, 4).normalized("sym")
    conv = GCNConv(3, 2, bias=False)
    ours = MessagePassing(lambda _, source, weight: weight * source)
    x = torch.randn(4, 3)
    edge_index, weight = graph.to_edge_index()
    y = ours(x @ conv.weight.T, edge_index, weight.unsqueeze(1))
    torch.testing.assert_close(y, conv(x, torch.tensor([[0, 1, 2, 3], [1, 0, 1, 2]])))


def test_modules_bring_their_parameters_and_edge_features_their_gradients():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2))

        def forward(self, target, source, edges):
            return source * self.scale * edges

    layer = MessagePassing(Gate(), aggregation="mean").double()
    assert [name for name, _ in layer.named_parameters()] == ["message.scale"]
    edge_index, x, edge_attr = torch.tensor([[0, 1, 2], [1, 2, 1]]), random(3, 2), random(3, 1, seed=2)
    assert torch.autograd.gradcheck(lambda x, e: layer(x, edge_index, e), (x, edge_attr))


@pytest.mark.parametrize("edge_channels", [0, 2])
def test_the_perceptron_that_is_built(edge_channels):
    conv = EdgeConv(3, 5, edge_channels=edge_channels)
    assert conv.mlp[0].weight.shape == (5, 6 + edge_channels)
    edge_attr = torch.ones(1, edge_channels) if edge_channels else None
    assert conv(torch.ones(2, 3), torch.tensor([[0], [1]]), edge_attr).shape == (2, 5)
    assert len(list(conv.parameters())) == 4


def test_bad_input_is_refused():
    edge_index = torch.tensor([[0, 1], [1, 0]])
    layer = MessagePassing(lambda target, source, edges: source)
    with pytest.raises(UnknownNameError, match="aggregation 'median'"):
        MessagePassing(lambda target, source, edges: source, aggregation="median")
    with pytest.raises(InputError, match=r"edge features \(2, edge_channels\), but got \(3, 1\)"):
        layer(torch.ones(2, 1), edge_index, torch.ones(3, 1))
    with pytest.raises(InputError, match=r"edge features \(2, edge_channels\), but got \(2,\)"):
        layer(torch.ones(2, 1), edge_index, torch.ones(2))
    with pytest.raises(InputError, match=r"one message per edge, \(2, channels\), but got \(1, 1\)"):
        MessagePassing(lambda target, source, edges: source[:1])(torch.ones(2, 1), edge_index)
    with pytest.raises(InputError, match="Expected 2 features per edge, but got 0"):
        EdgeConv(3, 2, edge_channels=2)(torch.ones(2, 3), edge_index)
    with pytest.raises(InputError, match="Expected 0 features per edge, but got 1"):
        EdgeConv(3, 2)(torch.ones(2, 3), edge_index, torch.ones(2, 1))
    with pytest.raises(InputError, match="at least 0 edge channels"):
        EdgeConv(3, 2, edge_channels=-1)
