from __future__ import annotations

import warnings

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import HeteroGraph, RelationalGNN, SparseFeatures

SIZES = {"paper": 5, "author": 4, "word": 3}
CHANNELS = {"paper": 6, "author": 2}
EDGES = {
    ("author", "writes", "paper"): torch.tensor([[0, 1, 1, 3, 3], [0, 0, 2, 4, 4]]),
    ("paper", "written by", "author"): torch.tensor([[0, 0, 2, 4, 4], [0, 1, 1, 3, 3]]),
    ("paper", "cites", "paper"): torch.tensor([[0, 1, 2, 2], [1, 1, 0, 4]]),
    ("word", "in", "paper"): torch.tensor([[0, 0, 1], [0, 3, 3]]),
}


def features(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        kind: torch.randn(SIZES[kind], channels, generator=generator, dtype=dtype)
        for kind, channels in CHANNELS.items()
    }


def built(dtype: torch.dtype = torch.float32, **options) -> RelationalGNN:
    torch.manual_seed(0)
    given = {"num_nodes": {"word": 3}, "dropout": 0.0, **options}
    return RelationalGNN(CHANNELS, 8, 3, given.pop("relations", tuple(EDGES)), **given).to(dtype)


@pytest.fixture
def data(pyg):
    data = pyg.data.HeteroData()
    for kind, x in features().items():
        data[kind].x = x
    data["word"].num_nodes = 3
    for relation, edge_index in EDGES.items():
        data[relation].edge_index = edge_index
    return data


def test_it_is_a_sum_of_means_over_relations_as_in_torch_geometric(pyg, dtype, compare):
    """HeteroConv of one mean convolution per relation, and one root weight, with copied weights."""
    ours = built(dtype)
    x = {kind: value.requires_grad_() for kind, value in features(dtype).items()}
    h = {
        kind: torch.nn.functional.linear(x[kind], layer.weight, layer.bias)
        for kind, layer in zip(CHANNELS, ours.projections, strict=True)
    }
    h["word"] = ours.vectors[0]
    for number, conv in enumerate(ours.gnn.convs):
        layers = {}
        for relation, weight in zip(ours.relations, conv.weight, strict=True):
            layers[relation] = pyg.nn.SAGEConv(
                8, weight.size(0), aggr="mean", root_weight=False, bias=False
            ).to(dtype)
            del layers[relation].lin_l.weight
            layers[relation].lin_l.weight = weight
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="There exist node types")  # words send only
            summed = pyg.nn.HeteroConv(layers, aggr="sum")(h, EDGES)
        h = {kind: value @ conv.weight_root.T + conv.bias + summed.get(kind, 0) for kind, value in h.items()}
        if number == 0:
            h = {kind: value.relu() for kind, value in h.items()}
    logits = ours(x, EDGES)
    assert set(logits) == set(SIZES)
    places = [*x.values(), *ours.parameters()]
    compare(
        torch.cat([logits[kind] for kind in SIZES]), torch.cat([h[kind] for kind in SIZES]), places, places
    )


@pytest.mark.parametrize("num_bases", [None, 2])
def test_it_is_the_relational_convolution_of_torch_geometric_on_the_joined_graph(pyg, data, num_bases):
    ours = built(num_bases=num_bases, num_layers=1)
    (conv,) = ours.gnn.convs
    theirs = pyg.nn.FastRGCNConv(8, 3, len(EDGES), num_bases=num_bases)
    graph = HeteroGraph.from_data(data)
    joined = graph.join(ours.inputs(data.x_dict))
    with torch.no_grad():
        theirs.weight.copy_(conv.weight.transpose(1, 2))
        theirs.root.copy_(conv.weight_root.T)
        theirs.bias.copy_(conv.bias)
        if num_bases is not None:
            theirs.comp.copy_(conv.coefficients)
    edge_index, _ = graph.adjacency.to_edge_index()
    expected = theirs(joined, edge_index, graph.relation)
    torch.testing.assert_close(graph.join(ours(data.x_dict, graph)), expected)
    torch.testing.assert_close(graph.join(ours(data.x_dict, data.edge_index_dict)), expected)


def test_there_and_back(data):
    graph = HeteroGraph.from_data(data)
    assert graph.node_types == ("author", "paper", "word")
    assert graph.relations == tuple(sorted(EDGES))
    assert graph.num_nodes == 12
    for relation, edge_index in graph.to_edge_index_dict().items():
        assert torch.equal(edge_index, EDGES[relation])
    rows = {kind: torch.randn(count, 2) for kind, count in SIZES.items()}
    joined = graph.join(rows)
    assert torch.equal(joined[:4], rows["author"])
    assert all(torch.equal(part, rows[kind]) for kind, part in graph.split(joined).items())
    assert "4 author, 5 paper, 3 word; 17 edges of 4 relations" in repr(graph)
    assert graph.to("cpu").relations == graph.relations


def test_the_joined_graph_is_that_of_torch_geometric(data):
    homogeneous = data.to_homogeneous(add_edge_type=True, add_node_type=True)
    starts = dict(zip(data.node_types, (0, 5, 9), strict=True))
    graph = HeteroGraph.from_data(data)
    ours = {
        (graph.relations[kind], source, target)
        for kind, source, target in zip(
            graph.relation.tolist(), *graph.adjacency.to_edge_index()[0].tolist(), strict=True
        )
    }
    places = {"author": 0, "paper": 4, "word": 9}
    theirs = {
        (
            relation := data.edge_types[kind],
            source - starts[relation[0]] + places[relation[0]],
            target - starts[relation[2]] + places[relation[2]],
        )
        for kind, source, target in zip(
            homogeneous.edge_type.tolist(), *homogeneous.edge_index.tolist(), strict=True
        )
    }
    assert ours == theirs


def test_the_order_of_types_and_relations_does_not_matter():
    model = built()
    reordered = dict(reversed(EDGES.items()))
    first, second = model(features(), EDGES), model(dict(reversed(features().items())), reordered)
    assert all(torch.equal(first[kind], second[kind]) for kind in SIZES)
    graph = HeteroGraph(dict(reversed(SIZES.items())), reordered)
    assert all(torch.equal(first[kind], rows) for kind, rows in model(features(), graph).items())


def test_sparse_features_and_every_gradient():
    model = built()
    x = {kind: value.relu() for kind, value in features().items()}
    logits = model(x, EDGES)
    sparse = model({**x, "paper": SparseFeatures.from_dense(x["paper"])}, EDGES)
    for kind in SIZES:
        torch.testing.assert_close(sparse[kind], logits[kind])
    sum(rows.square().sum() for rows in logits.values()).backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.parameters())


def test_a_type_without_nodes_and_a_relation_without_edges():
    model = built()
    x = {**features(), "author": torch.empty(0, 2)}
    kept = {relation: EDGES[relation] for relation in EDGES if "author" not in relation}
    logits = model(x, kept)
    assert logits["author"].shape == (0, 3)
    alone = built(relations=tuple(EDGES))
    empty = {relation: torch.empty(2, 0, dtype=torch.int64) for relation in EDGES if "author" in relation}
    torch.testing.assert_close(alone(x, {**kept, **empty})["paper"], logits["paper"])
    assert model(features(), {})["word"].shape == (3, 3)


def test_what_is_missing_or_unknown_is_named(data):
    model = built()
    with pytest.raises(InputError, match="type 'author', \\(2 each\\)"):
        model({"paper": features()["paper"]}, EDGES)
    with pytest.raises(UnknownNameError, match="'venue'"):
        model({**features(), "venue": torch.zeros(2, 2)}, EDGES)
    with pytest.raises(UnknownNameError, match="'word'"):
        model({**features(), "word": torch.zeros(3, 2)}, EDGES)
    with pytest.raises(InputError, match="type 'paper': Expected features"):
        model({**features(), "paper": torch.zeros(5, 7)}, EDGES)
    with pytest.raises(UnknownNameError, match="relation 'paper likes paper'"):
        model(features(), {("paper", "likes", "paper"): EDGES["paper", "cites", "paper"]})
    with pytest.raises(InputError, match=r"relation 'author writes paper'.*num_nodes = 4"):
        model(features(), {("author", "writes", "paper"): torch.tensor([[4], [0]])})
    with pytest.raises(InputError, match="'word in paper': Expected edge_index of integers"):
        model(features(), {("word", "in", "paper"): torch.rand(2, 3)})
    with pytest.raises(InputError, match=r"with relations .*word in paper, but this one has"):
        model(features(), HeteroGraph(SIZES, {("paper", "cites", "paper"): EDGES["paper", "cites", "paper"]}))
    with pytest.raises(InputError, match="rows for nodes of type 'paper', but got 4"):
        model({**features(), "paper": torch.zeros(4, 6)}, HeteroGraph(SIZES, EDGES))
    del data["word"].num_nodes
    with (
        pytest.warns(UserWarning, match="num_nodes"),
        pytest.raises(InputError, match=r"set data\['word'\].num_nodes"),
    ):
        HeteroGraph.from_data(data)
    with pytest.raises(InputError, match="one row per node, 12"):
        HeteroGraph(SIZES, EDGES).split(torch.zeros(11, 2))


@pytest.mark.parametrize(
    ("relations", "error"),
    [
        ((), InputError),
        ((("paper", "cites", "paper"),) * 2, InputError),
        ((("paper", "paper"),), InputError),
        ((("paper", "at", "venue"),), UnknownNameError),
    ],
)
def test_relations_that_cannot_be(relations, error):
    with pytest.raises(error):
        built(relations=relations)


def test_types_have_features_or_a_number_of_nodes():
    with pytest.raises(InputError, match="'paper' has both"):
        RelationalGNN({"paper": 3}, 8, 3, [("paper", "cites", "paper")], num_nodes={"paper": 4})
    with pytest.raises(InputError, match="node of type 'word'"):
        built(num_nodes={"word": 0})
