from __future__ import annotations

import inspect
from typing import get_args

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import APPNP, GNN, Adjacency, SparseFeatures, pool
from mmgraph.graph.convolutions.catalogue import LAYERS, Convolution
from mmgraph.graph.networks.gnn import Readout
from mmgraph.graph.networks.jumping_knowledge import Joining

EDGES = torch.tensor([[0, 1, 1, 2, 3], [1, 0, 2, 1, 0]])
UNDIRECTED = torch.tensor([[0, 1, 1, 2, 3, 0, 4, 2], [1, 0, 2, 1, 0, 3, 2, 4]])
CONVOLUTIONS = get_args(Convolution)
JOINING, POOLING = get_args(Joining), get_args(Readout)


def features(num_nodes: int = 5) -> torch.Tensor:
    return torch.randn(num_nodes, 6, generator=torch.Generator().manual_seed(0))


def built(conv: str, num_layers: int = 2, **options) -> GNN:
    if conv == "rgcn":
        options["num_relations"] = 2
    torch.manual_seed(0)
    return GNN(6, 4, 3, num_layers, conv, **{"heads": 2, "dropout": 0.0, "activation": "tanh", **options})


def edge_attr(conv: str) -> torch.Tensor | None:
    return torch.tensor([0, 1, 1, 0, 1, 0, 1, 1]) if conv == "rgcn" else None


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize("num_layers", [1, 2, 4])
def test_logits_embedding_and_every_gradient(conv, num_layers):
    model = built(conv, num_layers)
    logits = model(features(), UNDIRECTED, edge_attr=edge_attr(conv))
    assert logits.shape == (5, 3)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    width = 6 if num_layers == 1 else 4 * (2 if conv in ("gat", "gatv2") else 1)
    assert model.embed(features(), UNDIRECTED, edge_attr=edge_attr(conv)).shape == (5, width)
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


@pytest.mark.parametrize("conv", CONVOLUTIONS)
@pytest.mark.parametrize(
    "options",
    [
        {"residual": True, "norm": "layer"},
        {"norm": "batch", "jumping_knowledge": "cat"},
        {"jumping_knowledge": "max", "residual": True},
        {"jumping_knowledge": "lstm", "pooling": "attention"},
        {"jumping_knowledge": "layerwise"},
        {"jumping_knowledge": "layerwise", "pooling": "top-k", "norm": "layer"},
        {"pooling": "sum"},
        {"pooling": "mean", "norm": "batch"},
        {"pooling": "max"},
        {"pooling": "top-k"},
    ],
    ids=str,
)
def test_every_option_with_every_convolution(conv, options):
    model = built(conv, 3, **options)
    batch = torch.tensor([0, 0, 0, 0, 0]) if "pooling" in options else None
    logits = model(features(), UNDIRECTED, batch, edge_attr(conv))
    assert logits.shape == (1 if "pooling" in options else 5, 3)
    logits.square().sum().backward()
    # Normalisation takes away what a bias before it adds, and so does a softmax.
    exempt = ("bias",) if "norm" in options else ("score.bias", "gate.bias")
    missing = [
        name
        for name, p in model.named_parameters()
        if p.grad is None or (p.grad.abs().sum() == 0 and not name.endswith(exempt))
    ]
    assert not missing
    model.eval()
    embedded = model.embed(features(), UNDIRECTED, batch, edge_attr(conv))
    if model.head is not None:
        expected = model(features(), UNDIRECTED, batch, edge_attr(conv))
        torch.testing.assert_close(model.head(embedded), expected)


@pytest.mark.parametrize("pooling", POOLING)
@pytest.mark.parametrize("conv", ["gin", "gcn", "gat"])
def test_graphs_in_a_batch_give_what_each_gives_alone(conv, pooling):
    model = built(conv, 2, pooling=pooling, jumping_knowledge="cat").double().eval()
    first, second = features().double(), features(3).double() + 1
    triangle = torch.tensor([[0, 1, 2], [1, 2, 0]])
    together = model(
        torch.cat([first, second]),
        torch.cat([UNDIRECTED, triangle + 5], dim=1),
        torch.tensor([0, 0, 0, 0, 0, 1, 1, 1]),
    )
    alone = torch.cat([model(first, UNDIRECTED), model(second, triangle)])
    torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("conv", sorted(set(CONVOLUTIONS) - {"edge"}))
def test_sparse_features_give_the_same_as_dense(conv):
    model = built(conv, 2, residual=True).double().eval()
    x = features().double().relu()
    sparse = SparseFeatures.from_dense(x)
    expected = model(x, UNDIRECTED, edge_attr=edge_attr(conv))
    torch.testing.assert_close(model(sparse, UNDIRECTED, edge_attr=edge_attr(conv)), expected)


def test_residual_and_norm_are_the_published_formula():
    model = built("gcn", 3, residual=True, norm="layer", activation="relu").eval()
    x, graph = features(), Adjacency.from_edge_index(UNDIRECTED, 5)
    assert [type(shortcut).__name__ for shortcut in model.shortcuts] == ["Linear", "Identity"]
    first = torch.relu(model.norms[0](model.convs[0](x, graph))) + x @ model.shortcuts[0].weight.T
    second = torch.relu(model.norms[1](model.convs[1](first, graph))) + first
    torch.testing.assert_close(model(x, graph), model.convs[2](second, graph))
    torch.testing.assert_close(model.embed(x, graph), second)


def test_jumping_knowledge_joins_all_layers():
    model = built("sage", 3, jumping_knowledge="cat", activation="relu").eval()
    x, graph, layers = features(), Adjacency.from_edge_index(UNDIRECTED, 5), []
    h = x
    for conv in model.convs:
        h = torch.relu(conv(h, graph))
        layers.append(h)
    torch.testing.assert_close(model.embed(x, graph), torch.cat(layers, dim=1))
    torch.testing.assert_close(model(x, graph), model.head(torch.cat(layers, dim=1)))


def test_layerwise_scores_are_the_readout_of_gin():
    model = built("gin", 3, jumping_knowledge="layerwise", pooling="sum", norm="batch", head_dropout=0.5)
    x, graph, batch = features(), Adjacency.from_edge_index(UNDIRECTED, 5), torch.tensor([0, 0, 1, 1, 0])
    model.eval()
    layers = [x]
    for conv, norm in zip(model.convs, model.norms, strict=True):
        layers.append(torch.tanh(norm(conv(layers[-1], graph))))
    pooled = [pool(h, batch, "sum") for h in layers]
    weights = model.head.weight.split([6, 4, 4, 4], dim=1)
    scores = sum(h @ w.T for h, w in zip(pooled, weights, strict=True)) + model.head.bias
    torch.testing.assert_close(model(x, graph, batch), scores)
    torch.testing.assert_close(model.embed(x, graph, batch), torch.cat(pooled, dim=1))


def test_dropout_of_the_head_alone():
    model = built("gcn", 2, pooling="mean", head_dropout=1.0)
    assert torch.equal(model(features(), UNDIRECTED), model.head.bias.expand(1, 3))
    assert not torch.equal(model.eval()(features(), UNDIRECTED), model.head.bias.expand(1, 3))


def test_sparse_features_with_layerwise_scores():
    model = built("gin", 2, jumping_knowledge="layerwise", pooling="sum").eval()
    x = features().relu()
    torch.testing.assert_close(model(SparseFeatures.from_dense(x), UNDIRECTED), model(x, UNDIRECTED))


def test_appnp_predicts_then_propagates():
    model = built("appnp", 2, K=3, alpha=0.3, edge_dropout=0.5, activation="relu").eval()
    x = features()
    first, last = model.convs
    predicted = torch.relu(x @ first.weight.T + first.bias) @ last.weight.T + last.bias
    torch.testing.assert_close(model(x, UNDIRECTED), APPNP(K=3, alpha=0.3)(predicted, UNDIRECTED))
    pooled = built("appnp", 2, pooling="mean", activation="relu").eval()
    hidden = torch.relu(pooled.convs[1](torch.relu(pooled.convs[0](x, UNDIRECTED)), UNDIRECTED))
    propagated = APPNP()(hidden, UNDIRECTED).mean(0, keepdim=True)
    torch.testing.assert_close(pooled(x, UNDIRECTED), pooled.head(propagated))


@pytest.mark.parametrize(
    ("conv", "options"),
    [
        ("arma", {"num_stacks": 2, "num_steps": 2, "share_weights": True, "skip_dropout": 0.25}),
        ("cayley", {"order": 2, "iterations": 4}),
        ("cheb", {"K": 2, "lambda_max": "true"}),
        ("edge", {"edge_channels": 2, "aggregation": "mean"}),
        ("gat", {"negative_slope": 0.1}),
        ("gatv2", {"share_weights": True}),
        ("gcn", {"normalization": "row"}),
        ("gin", {"mlp_channels": 9, "train_eps": False}),
        ("linear", {"bias": False}),
        ("rgcn", {"num_relations": 2, "num_bases": 1}),
        ("sage", {"aggregation": "max", "project": True}),
        ("sgc", {"K": 3}),
        ("spectral", {"knots": 4}),
    ],
)
def test_options_reach_every_convolution(conv, options):
    model = GNN(6, 4, 3, conv=conv, **options)
    for layer in model.convs:
        for name, value in options.items():
            if hasattr(layer, name) and name not in ("bias",):
                assert getattr(layer, name) == value
    given = torch.ones(8, 2) if conv == "edge" else edge_attr(conv)
    assert model(features(), UNDIRECTED, edge_attr=given).shape == (5, 3)


def test_no_option_of_a_convolution_hides_one_of_the_network():
    network = set(inspect.signature(GNN.__init__).parameters)
    shared = {"self", "in_channels", "out_channels", "heads", "attention_dropout", "activation"}
    for layer in (APPNP, *LAYERS.values()):
        assert set(inspect.signature(layer.__init__).parameters) & network <= shared


def test_attention_of_gatv2():
    model = built("gatv2", 3, residual=True, norm="layer", jumping_knowledge="max").eval()
    maps = model.attention(features(), UNDIRECTED)
    assert [alpha.size(1) for _, alpha in maps.values()] == [2, 2, 2]
    h = model.convs[0](features(), UNDIRECTED)
    h = torch.tanh(model.norms[0](h)) + features() @ model.shortcuts[0].weight.T
    torch.testing.assert_close(maps["convs.1"][1], model.convs[1].attention(h, UNDIRECTED)[1])


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
    with pytest.raises(InputError, match="at least 1 layer, but got 0"):
        GNN(6, 4, 3, 0)
    with pytest.raises(InputError, match="dropout from 0 to 1"):
        GNN(6, 4, 3, dropout=-0.1)
    with pytest.raises(UnknownNameError, match=r"graph convolution 'gca'\. Did you mean"):
        GNN(6, 4, 3, conv="gca")
    with pytest.raises(UnknownNameError, match=r"option of the convolution 'gcn' 'K'"):
        GNN(6, 4, 3, K=3)
    with pytest.raises(
        UnknownNameError, match=r"option of the convolution 'cheb' 'k'\. Did you mean|Known: K"
    ):
        GNN(6, 4, 3, conv="cheb", k=3)
    with pytest.raises(InputError, match="the option num_relations for the convolution 'rgcn'"):
        GNN(6, 4, 3, conv="rgcn")
    with pytest.raises(UnknownNameError, match="normalisation of features 'group'"):
        GNN(6, 4, 3, norm="group")
    with pytest.raises(UnknownNameError, match="pooling 'median'"):
        GNN(6, 4, 3, pooling="median")
    with pytest.raises(UnknownNameError, match="way to join layers 'mean'"):
        GNN(6, 4, 3, jumping_knowledge="mean")
    with pytest.raises(InputError, match="at least one channel"):
        GNN(6, 0, 3)
    with pytest.raises(InputError, match="one relation per edge"):
        GNN(6, 4, 3, conv="rgcn", num_relations=2)(features(), EDGES)
    with pytest.raises(UnknownNameError, match=r"activation 'rely'\. Did you mean 'relu'"):
        GNN(6, 4, 3, activation="rely")
    with pytest.raises(InputError, match="no convolution of this one attends"):
        GNN(6, 4, 3).attention(features(), EDGES)
    with pytest.raises(InputError, match="num_nodes = 3"):
        GNN(6, 4, 3)(features(3), EDGES)
