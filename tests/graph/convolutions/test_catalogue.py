"""What holds for every convolution."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError
from mmgraph.graph import (
    APPNP,
    Adjacency,
    ARMAConv,
    CayleyConv,
    ChebConv,
    EdgeConv,
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    LinearConv,
    MessagePassing,
    RelationalGCNConv,
    SAGEConv,
    SGConv,
    SparseFeatures,
    SpectralConv,
)

UNDIRECTED = torch.tensor([[0, 1, 1, 2, 3, 0, 4, 4, 1, 2, 3, 5], [1, 0, 2, 1, 0, 3, 4, 4, 2, 1, 5, 3]])
"""Seven nodes: one isolated, one with two self-loops, an edge that occurs twice."""


class Summed(MessagePassing):
    """Messages that depend on both ends."""

    in_channels, out_channels = 4, 4

    def __init__(self) -> None:
        super().__init__(self.send, lambda x, received: x + received)
        self.scale = nn.Parameter(torch.ones(4))

    def send(self, target, source, edges):
        return torch.tanh(target * self.scale) * source


class Propagated(nn.Module):
    """APPNP after a linear map, so that all layers change the number of channels."""

    in_channels, out_channels = 4, 3

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.propagation = LinearConv(4, 3), APPNP(K=4, alpha=0.2)

    def forward(self, x, graph):
        return self.propagation(self.linear(x, graph), graph)


LAYERS = {
    "APPNP": Propagated,
    "ARMAConv": lambda: ARMAConv(4, 3, num_stacks=2, num_steps=3, activation="tanh"),
    "ARMAConv shared": lambda: ARMAConv(4, 3, num_steps=3, share_weights=True, activation="tanh"),
    "CayleyConv": lambda: CayleyConv(4, 3, order=2, iterations=3),
    "ChebConv": lambda: ChebConv(4, 3, K=4),
    "ChebConv true": lambda: ChebConv(4, 3, K=3, lambda_max="true"),
    "ChebConv wide": lambda: ChebConv(4, 5, K=3),
    "EdgeConv": lambda: EdgeConv(4, 3, mlp=nn.Sequential(nn.Linear(8, 3), nn.Tanh())),
    "GATConv": lambda: GATConv(4, 3, heads=2),
    "GATv2Conv": lambda: GATv2Conv(4, 3, heads=2),
    "GCNConv": lambda: GCNConv(4, 3),
    "GINConv": lambda: GINConv(4, 3, mlp=nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3))),
    "LinearConv": lambda: LinearConv(4, 3),
    "MessagePassing": Summed,
    "SAGEConv max": lambda: SAGEConv(4, 3, aggregation="max"),
    "SAGEConv max project": lambda: SAGEConv(4, 3, aggregation="max", project=True),
    "SAGEConv mean": lambda: SAGEConv(4, 3, normalize=True),
    "SAGEConv sum": lambda: SAGEConv(4, 5, aggregation="sum"),
    "SGConv": lambda: SGConv(4, 3),
    "SGConv wide": lambda: SGConv(4, 5, K=3),
    "SpectralConv": lambda: SpectralConv(4, 3, knots=4),
    "SpectralConv narrow": lambda: SpectralConv(4, 1, knots=3),
}
NEED_DENSE = {"EdgeConv", "MessagePassing", "SAGEConv max"}


@pytest.fixture(params=LAYERS)
def layer(request) -> nn.Module:
    torch.manual_seed(0)
    layer = LAYERS[request.param]().double()
    for name, parameter in layer.named_parameters():
        if "bias" in name:
            nn.init.normal_(parameter)
    return layer


def features(num_nodes: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num_nodes, 4, dtype=torch.float64, generator=generator)


def test_edge_index_and_adjacency_give_the_same(layer):
    graph = Adjacency.from_edge_index(UNDIRECTED, 7)
    expected = layer(features(7), UNDIRECTED)
    for _ in range(2):
        assert torch.equal(layer(features(7), graph), expected)
    assert torch.equal(layer(features(7), UNDIRECTED.int()), expected)


@pytest.mark.parametrize("seed", range(3))
def test_renaming_nodes_and_shuffling_edges_renames_the_output(layer, seed):
    generator = torch.Generator().manual_seed(seed)
    renamed = torch.randperm(7, generator=generator)
    shuffled = UNDIRECTED[:, torch.randperm(UNDIRECTED.size(1), generator=generator)]
    x = features(7)
    moved = torch.empty_like(x)
    moved[renamed] = x
    torch.testing.assert_close(layer(moved, renamed[shuffled])[renamed], layer(x, UNDIRECTED))


def test_graphs_in_a_batch_give_what_each_gives_alone(layer):
    if getattr(layer, "lambda_max", None) == "true":
        pytest.skip("the largest eigenvalue is that of the whole batch")
    triangle = torch.tensor([[0, 1, 1, 2, 2, 0], [1, 0, 2, 1, 0, 2]])
    first, second = features(7, 1), features(3, 2)
    together = layer(torch.cat([first, second]), torch.cat([UNDIRECTED, triangle + 7], dim=1))
    alone = torch.cat([layer(first, UNDIRECTED), layer(second, triangle)])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-10)


def test_gradients_are_the_derivatives(layer):
    x = features(7).requires_grad_()
    graph = Adjacency.from_edge_index(UNDIRECTED, 7)

    def output(x, *parameters):
        names = [name for name, _ in layer.named_parameters()]
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (x, graph))

    assert torch.autograd.gradcheck(output, (x, *layer.parameters()))


def test_every_parameter_gets_a_gradient(layer):
    layer(features(7), UNDIRECTED).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in layer.parameters())


def test_no_edges_and_no_nodes(layer):
    nothing = torch.empty(2, 0, dtype=torch.int64)
    y = layer(features(3), nothing)
    assert y.shape[0] == 3
    assert y.isfinite().all()
    for row in range(3):
        torch.testing.assert_close(layer(features(3)[row : row + 1], nothing), y[row : row + 1])
    x = features(0).requires_grad_()
    empty = layer(x, nothing)
    assert empty.shape == (0, y.size(1))
    empty.sum().backward()


@pytest.mark.parametrize("name", sorted(set(LAYERS) - NEED_DENSE))
def test_sparse_features_give_the_same_as_dense(name):
    torch.manual_seed(0)
    layer = LAYERS[name]().double()
    x = features(7) * (features(7, 3) > 0)
    graph = Adjacency.from_edge_index(UNDIRECTED, 7)
    expected, y = layer(x, graph), layer(SparseFeatures.from_dense(x), graph)
    torch.testing.assert_close(y, expected, rtol=1e-10, atol=1e-10)
    grad = torch.randn(y.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(2))
    parameters = list(layer.parameters())
    for mine, other in zip(
        torch.autograd.grad(y, parameters, grad), torch.autograd.grad(expected, parameters, grad), strict=True
    ):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", sorted(NEED_DENSE))
def test_sparse_features_are_refused_where_no_product_comes_first(name):
    with pytest.raises(InputError, match=r"got SparseFeatures: .*x\.to_dense"):
        LAYERS[name]()(SparseFeatures.from_dense(torch.eye(4)), torch.empty(2, 0, dtype=torch.int64))


def test_float32_and_autocast_stay_close(layer):
    layer, x = layer.float(), features(7).float()
    expected = layer(x, UNDIRECTED)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(x, UNDIRECTED)
    torch.testing.assert_close(y.float(), expected, rtol=0.1, atol=0.1)
    y.float().sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_the_state_goes_into_another_layer(layer):
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    expected = layer(features(7), UNDIRECTED)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    layer.load_state_dict(state)
    assert torch.equal(layer(features(7), UNDIRECTED), expected)
    assert repr(layer)


@pytest.mark.parametrize(
    ("x", "graph", "message"),
    [
        (torch.ones(4, 5), torch.tensor([[0], [1]]), r"\(num_nodes, 4\), but got \(4, 5\)"),
        (torch.ones(4), torch.tensor([[0], [1]]), r"\(num_nodes, 4\), but got \(4,\)"),
        (torch.ones(4, 4).to_sparse(), torch.tensor([[0], [1]]), r"SparseFeatures\.from_torch"),
        (torch.ones(4, 4), Adjacency.from_edge_index(torch.tensor([[0], [1]]), 5), "5 nodes .* 4 rows"),
        (torch.ones(4, 4), torch.tensor([[0], [4]]), "num_nodes = 4"),
        (torch.ones(4, 4), torch.tensor([[0], [-1]]), "from -1 to 0"),
        (torch.ones(4, 4), torch.tensor([[0.0], [1.0]]), "integers, but got torch.float32"),
        (torch.ones(4, 4), torch.tensor([0, 1]), r"\(2, E\), but got \(2,\)"),
        (torch.ones(4, 4), [[0], [1]], "edge_index tensor or an Adjacency, but got list"),
    ],
)
def test_what_does_not_fit_is_refused(layer, x, graph, message):
    if isinstance(layer, MessagePassing) and "num_nodes, 4" in message:
        pytest.skip("messages take features of any number of channels")
    if isinstance(layer, MessagePassing) and x.layout != torch.strided:
        message = "as messages are made of them"
    with pytest.raises(InputError, match=message):
        layer.float()(x, graph)


@pytest.mark.parametrize(
    "layer",
    [
        ARMAConv,
        CayleyConv,
        ChebConv,
        EdgeConv,
        GATConv,
        GATv2Conv,
        GCNConv,
        GINConv,
        LinearConv,
        lambda i, o: RelationalGCNConv(i, o, 2),
        SAGEConv,
        SGConv,
        SpectralConv,
    ],
)
@pytest.mark.parametrize(("in_channels", "out_channels"), [(0, 3), (3, 0), (3, -1)])
def test_no_channels_are_refused(layer, in_channels, out_channels):
    with pytest.raises(InputError, match="at least one channel"):
        layer(in_channels, out_channels)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: ARMAConv(4, 3),
        lambda: CayleyConv(4, 3),
        lambda: ChebConv(4, 3),
        lambda: GCNConv(4, 3),
        lambda: SAGEConv(4, 3),
        lambda: SGConv(4, 3),
        lambda: SpectralConv(4, 3),
        Propagated,
    ],
)
def test_negative_weights_are_refused_where_they_are_divided_by(layer):
    graph = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 0]]), 2, torch.tensor([-1.0, -1.0]))
    with pytest.raises(InputError, match="weights ≥ 0"):
        layer()(torch.ones(2, 4), graph)
