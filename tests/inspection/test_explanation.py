from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.explain import Explainer, GNNExplainer

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import (
    GNN,
    Adjacency,
    EdgeClassifier,
    GCNConv,
    GraphAutoencoder,
    SAGEConv,
    SparseFeatures,
)
from mmgraph.inspection import explain
from mmgraph.inspection.explanation import Explainable, IntegratedGradients, weigh_edges

NODES = 30


def line() -> Tensor:
    """0 → 1 → … → 29."""
    return torch.stack([torch.arange(NODES - 1), torch.arange(1, NODES)])


def ring() -> Tensor:
    """Each node joined with the next, both ways."""
    here, there = torch.arange(NODES), (torch.arange(NODES) + 1) % NODES
    return torch.stack([torch.cat([here, there]), torch.cat([there, here])])


def features(seed: int = 0) -> Tensor:
    return torch.rand(NODES, 6, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def model() -> GNN:
    torch.manual_seed(3)
    return GNN(6, 8, 3, num_layers=2, conv="gcn")


def test_only_edges_that_can_have_an_influence_have_a_weight(model: GNN) -> None:
    found = explain(model, features(), line(), 10, epochs=5)
    gradients = found.edge_weight[found.methods.index("integrated-gradients")]
    far = (found.edge_index[1] < 9) | (found.edge_index[1] > 10)
    assert far.any()
    assert (gradients[far] == 0).all()
    assert (gradients[~far] != 0).all()
    assert torch.equal(line()[:, found.edges], found.edge_index)


def test_a_part_of_the_graph_is_enough(model: GNN) -> None:
    """The whole graph, handed to torch_geometric's own Explainer, gives the same attributions."""
    x, edges = features(), ring()
    found = explain(model, x, edges, 10, target=1, methods=("integrated-gradients",))
    explainer = Explainer(
        Explainable(model.eval()),
        IntegratedGradients(32),
        explanation_type="phenomenon",
        node_mask_type="common_attributes",
        edge_mask_type="object",
        model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
    )
    whole = explainer(x, edges, target=torch.ones(NODES, dtype=torch.int64), index=10)
    torch.testing.assert_close(found.edge_weight[0], whole.edge_mask[found.edges])
    torch.testing.assert_close(found.feature_weight[0], whole.node_mask[0])


@pytest.mark.parametrize("conv", ["gcn", "gat", "sage", "gin", "cheb"])
def test_integrated_gradients_add_up_to_the_difference(conv: str) -> None:
    torch.manual_seed(1)
    model = GNN(6, 8, 3, num_layers=2, conv=conv).eval()  # type: ignore[arg-type]
    x, edges = features(), ring()
    found = explain(model, x, edges, 4, target=2, methods=("integrated-gradients",), steps=400)
    explained = Explainable(model)
    with torch.no_grad():
        everything = explained(x, edges)[4, 2]
        weigh_edges(explained, edges, torch.zeros(edges.size(1)))
        nothing = explained(torch.zeros_like(x), edges)[4, 2]
    total = found.edge_weight.sum() + found.feature_weight.sum()
    torch.testing.assert_close(total, everything - nothing, atol=2e-2, rtol=2e-2)


class Copying(nn.Module):
    """Class 1 where a neighbour carries feature 2."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = SAGEConv(6, 2, aggregation="sum", root=False)
        self.conv.weight_neighbour.data = torch.tensor([[0.0] * 6, [0, 0, 20.0, 0, 0, 0]])
        self.conv.bias.data = torch.tensor([5.0, 0.0])

    def forward(self, x: Tensor, graph: Adjacency) -> Tensor:
        result: Tensor = self.conv(x, graph)
        return result


def test_the_true_reason_is_found() -> None:
    x = torch.full((NODES, 6), 0.02)
    x[:, 2] = 0
    x[11, 2] = 1
    found = explain(Copying(), x, ring(), 10)
    assert found.target == 1
    assert found.probability > 0.99
    for method, edge_weight, feature_weight in zip(
        found.methods, found.edge_weight, found.feature_weight, strict=True
    ):
        assert found.edge_index[:, edge_weight.argmax()].tolist() == [11, 10], method
        assert int(feature_weight.argmax()) == 2, method


def test_explainers_of_torch_geometric_take_our_layers_like_theirs() -> None:
    ours, theirs = GCNConv(6, 3), pyg.GCNConv(6, 3)
    theirs.lin.weight.data, theirs.bias.data = ours.weight.data, ours.bias.data
    masks = []
    for model in (Explainable(ours), theirs):
        torch.manual_seed(0)
        explainer = Explainer(
            model,
            GNNExplainer(epochs=30),
            explanation_type="model",
            node_mask_type="attributes",
            edge_mask_type="object",
            model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
        )
        found = explainer(features(), ring(), index=3)
        masks.append((found.edge_mask, found.node_mask))
    torch.testing.assert_close(masks[0], masks[1])


class Theirs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = pyg.GCNConv(6, 8), pyg.GCNConv(8, 3)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        result: Tensor = self.second(self.first(x, edge_index).relu(), edge_index)
        return result


def test_a_model_of_torch_geometric_layers() -> None:
    found = explain(Theirs(), features(), ring(), 5, epochs=3)
    assert found.edge_weight.shape == (2, found.edge_index.size(1))
    assert (found.edge_weight[1] != 0).any()


def test_the_model_and_the_random_numbers_are_left_as_they_were(model: GNN) -> None:
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    first = explain(model, features(), ring(), 0, epochs=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    second = explain(model, features(), ring(), 0, epochs=3)
    assert torch.equal(first.edge_weight, second.edge_weight)


def test_sparse_features_and_a_weighted_graph(model: GNN) -> None:
    x = (features() > 0.7).float()
    graph = Adjacency.from_edge_index(ring(), NODES, torch.rand(2 * NODES) + 0.5)
    dense = explain(model, x, graph, 7, epochs=3)
    sparse = explain(model, SparseFeatures.from_dense(x), graph, 7, epochs=3)
    torch.testing.assert_close(dense.edge_weight, sparse.edge_weight)


def test_a_node_without_edges(model: GNN) -> None:
    found = explain(model, features(), torch.tensor([[0], [1]]), 20, epochs=2)
    assert found.edge_weight.shape == (2, 0)
    assert found.snapshot("items").array.shape == (2, 0)


def test_snapshot_is_scaled_to_one(model: GNN) -> None:
    snapshot = explain(model, features(), ring(), 9, epochs=2).snapshot("items")
    assert snapshot.axes == ("heads", "edges")
    assert snapshot.array.max(axis=1).tolist() == pytest.approx([1, 1])
    assert snapshot.notes["explains"] == 9
    assert snapshot.notes["heads"] == ["gnnexplainer", "integrated-gradients"]


@pytest.mark.parametrize(("node", "target"), [(-1, None), (NODES, None), (0, 3), (0, -1)])
def test_no_such_node_or_class(model: GNN, node: int, target: int | None) -> None:
    with pytest.raises(InputError, match=r"Expected a (node|class) from 0 to"):
        explain(model, features(), ring(), node, target=target)


def test_no_such_method(model: GNN) -> None:
    with pytest.raises(UnknownNameError, match="tea leaves"):
        explain(model, features(), ring(), 0, methods=("tea leaves",))


def test_a_model_that_reads_no_edges() -> None:
    with pytest.raises(InputError, match="send messages along edges"):
        explain(GNN(6, 8, 3, conv="linear"), features(), ring(), 0)


class WithImages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = GCNConv(6, 3)

    def forward(self, x: Tensor, graph: Adjacency) -> Tensor:
        assert x.shape[1:] == (1, 2, 3)
        result: Tensor = self.conv(x.flatten(1), graph)
        return result


def test_nodes_that_are_images() -> None:
    model, x = WithImages(), features()
    images = explain(model, x.view(NODES, 1, 2, 3), ring(), 2, epochs=2)
    vectors = explain(model.conv, x, ring(), 2, epochs=2)
    torch.testing.assert_close(images.edge_weight, vectors.edge_weight)
    torch.testing.assert_close(images.feature_weight, vectors.feature_weight)


@pytest.mark.parametrize("edge_channels", [0, 2])
def test_a_pair_is_explained_by_the_edges_around_its_ends(edge_channels: int) -> None:
    torch.manual_seed(0)
    classifier = EdgeClassifier(6, 8, 3, num_layers=1, join="ends", edge_channels=edge_channels)
    inputs = {"edge_attr": torch.rand(1, 2)} if edge_channels else {}
    x = features()
    found = explain(classifier, x, line(), (5, 20), inputs=inputs, epochs=3)
    assert found.node == (5, 20)
    with torch.no_grad():
        logits = classifier.eval()(x, line(), torch.tensor([[5], [20]]), **inputs)[0]
    assert found.target == int(logits.argmax())
    assert found.probability == pytest.approx(float(logits.softmax(0).max()))
    weighing = found.edge_index[:, found.edge_weight[1] != 0].T.tolist()
    assert weighing == [[4, 5], [19, 20]]
    snapshot = found.snapshot()
    assert snapshot.layer == "explanation of 5 – 20"
    assert snapshot.notes["explains"] == [5, 20]


def test_a_score_of_a_link_is_explained_as_its_probability() -> None:
    torch.manual_seed(0)
    model = GraphAutoencoder(6, 8, 4)
    x = features()
    found = explain(model, x, ring(), (3, 3), methods=("integrated-gradients",), steps=200)
    with torch.no_grad():
        score = model.eval()(x, ring(), torch.tensor([[3], [3]]))
    assert found.target == 1
    assert found.probability == pytest.approx(float(score.sigmoid()), abs=1e-6)
    # Without messages and features all vectors are 0, and so is the score.
    total = found.edge_weight.sum() + found.feature_weight.sum()
    torch.testing.assert_close(total, score[0], atol=2e-2, rtol=2e-2)


def test_edge_inputs_are_cut_with_the_graph() -> None:
    torch.manual_seed(0)
    model = GNN(6, 8, 3, conv="rgcn", num_relations=2)
    relation = torch.arange(2 * NODES) % 2
    whole = explain(model, features(), ring(), 4, edge_inputs={"edge_attr": relation}, epochs=2)
    with torch.no_grad():
        logits = model.eval()(features(), ring(), edge_attr=relation)[4]
    assert whole.probability == pytest.approx(float(logits.softmax(0).max()))
    assert whole.edge_index.size(1) < 2 * NODES
    assert (whole.edge_weight[1] != 0).any()


class TheirsWeighted(Theirs):
    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        hidden = self.first(x, edge_index, edge_weight).relu()
        result: Tensor = self.second(hidden, edge_index, edge_weight)
        return result


def test_weights_of_the_graph_reach_layers_of_torch_geometric() -> None:
    torch.manual_seed(0)
    model, x, weight = TheirsWeighted(), features(), torch.rand(2 * NODES) + 0.5
    graph = Adjacency.from_edge_index(ring(), NODES, weight)
    found = explain(model, x, graph, 5, methods=("integrated-gradients",))
    with torch.no_grad():
        expected = model(x, ring(), weight)[5].softmax(0).max()
    assert found.probability == pytest.approx(float(expected))
    plain = explain(model, x, ring(), 5, target=found.target, methods=("integrated-gradients",))
    assert not torch.allclose(found.edge_weight, plain.edge_weight)
    with pytest.raises(InputError, match="a model that takes edge_weight"):
        explain(Theirs(), x, graph, 5)
