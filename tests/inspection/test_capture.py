from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import GATConv, GCNConv, global_mean_pool

from mmgraph.errors import UnknownNameError
from mmgraph.graph import GNN, Adjacency, SparseFeatures
from mmgraph.inspection import Capture, Limits
from mmgraph.runs import Snapshot


def keyed(snapshots: list[Snapshot]) -> dict[str, Snapshot]:
    return {snapshot.key: snapshot for snapshot in snapshots}


def state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def hooks(model: nn.Module) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._forward_hooks_with_kwargs)
        for module in model.modules()
    )


def test_everything_of_a_convolutional_network(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    model = lenet()
    found = keyed(Capture(model).capture(images))
    assert list(found) == [
        "filters/conv1", "filters/conv2", "feature_maps/conv1", "feature_maps/conv2",
        "embedding/fc2.input", "prediction/output",
    ]  # fmt: skip
    assert all(snapshot.array.dtype == np.float32 for snapshot in found.values())
    model.eval()
    with torch.no_grad():
        first = model.conv1(images)
        second = model.conv2(F.max_pool2d(F.relu(model.norm(first)), 2))
        hidden = F.relu(model.fc1(F.relu(second[:, :, :3, :3]).flatten(1)))
        output = model.fc2(hidden).softmax(1)
    np.testing.assert_array_equal(found["filters/conv1"].array, model.conv1.weight.detach())
    np.testing.assert_allclose(found["feature_maps/conv1"].array, first[:16], atol=1e-6)
    np.testing.assert_allclose(found["feature_maps/conv2"].array, second[:16], atol=1e-6)
    np.testing.assert_allclose(found["embedding/fc2.input"].array, hidden, atol=1e-6)
    np.testing.assert_allclose(found["prediction/output"].array, output, atol=1e-6)
    assert found["feature_maps/conv1"].extras["rows"].tolist() == list(range(16))
    assert dict(found["feature_maps/conv1"].notes) == {"shown": 16, "of": 20}
    items = {key: snapshot.items for key, snapshot in found.items()}
    assert items == {key: None if key.startswith("filters") else "items" for key in found}


def test_the_model_is_left_as_it_was(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    model = lenet()
    before, generator, attached = state(model), torch.get_rng_state(), hooks(model)
    Capture(model).capture(images)
    assert model.training
    assert hooks(model) == attached == 0
    assert torch.equal(torch.get_rng_state(), generator)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_model_is_left_as_it_was_when_it_fails(lenet: Callable[[], nn.Module]) -> None:
    model = lenet()
    with pytest.raises(RuntimeError):
        Capture(model).capture(torch.zeros(2, 3, 10, 10))
    assert model.training
    assert hooks(model) == 0
    assert torch.backends.mha.get_fastpath_enabled()


def test_arrays_do_not_change_when_the_model_learns(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    model = lenet()
    found = Capture(model).capture(images)
    before = [snapshot.array.copy() for snapshot in found]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
        images.zero_()
    for snapshot, array in zip(found, before, strict=True):
        np.testing.assert_array_equal(snapshot.array, array)


def test_maps_are_those_before_an_operation_in_place() -> None:
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x).relu_()

    model, x = InPlace(), torch.randn(2, 1, 6, 6)
    found = keyed(Capture(model, embedding="conv").capture(x))
    expected = model.conv(x).detach()
    assert (expected < 0).any()
    np.testing.assert_allclose(found["feature_maps/conv"].array, expected)
    np.testing.assert_allclose(found["embedding/conv"].array, expected.flatten(1))


def test_an_embedding_that_was_changed_in_place_is_not_shown_wrong() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = x.clone()
            x += self.fc(x)
            return x

    capture = Capture(Residual(), kinds=("embedding",))
    assert capture.capture(torch.randn(2, 3)) == []
    assert "changed in place" in capture.remarks[0]


def test_only_the_kinds_asked_for(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    class Silent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x: Tensor) -> Tensor:
            raise AssertionError("filters need no forward")

    assert [s.key for s in Capture(Silent(), kinds=("filters",)).capture()] == ["filters/conv"]
    assert [s.kind for s in Capture(lenet(), kinds=("prediction",)).capture(images)] == ["prediction"]
    with pytest.raises(UnknownNameError, match="Did you mean 'filters'"):
        Capture(lenet(), kinds=("filter",))


def test_layers_by_name_and_by_pattern(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    capture = Capture(lenet(), layers=("conv2", "nor*"), kinds=("filters", "feature_maps"))
    found = [snapshot.key for snapshot in capture.capture(images)]
    assert found == ["filters/conv2", "feature_maps/norm", "feature_maps/conv2"]
    with pytest.raises(UnknownNameError, match=r"no layer 'conv3'.*Did you mean 'conv"):
        Capture(lenet(), layers=("conv3",))
    with pytest.raises(UnknownNameError, match="no layer 'encoder'"):
        Capture(lenet(), embedding="encoder")


def test_embeddings_by_name(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    capture = Capture(lenet(), embedding=("fc1", "conv2"), kinds=("embedding",))
    shapes = {snapshot.layer: snapshot.array.shape for snapshot in capture.capture(images)}
    assert shapes == {"conv2": (20, 8 * 3 * 3), "fc1": (20, 12)}


def test_pointwise_convolutions_have_no_picture_unless_there_are_no_others(images: Tensor) -> None:
    wide = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Conv2d(2, 3, 3))
    assert [s.layer for s in Capture(wide, kinds=("filters",)).capture(images)] == ["1"]
    narrow = nn.Sequential(nn.Conv2d(1, 2, 1))
    assert [s.layer for s in Capture(narrow, kinds=("filters",)).capture(images)] == ["0"]


@pytest.mark.parametrize(
    ("layer", "shape", "filters", "maps"),
    [
        (nn.Conv1d(2, 3, 5), (4, 2, 9), (3, 2, 1, 5), (4, 3, 1, 5)),
        (nn.Conv3d(1, 3, 2), (4, 1, 5, 6, 7), (3, 1, 2, 2, 2), (4, 3, 5, 6)),
        (nn.Conv2d(4, 6, 3, groups=2), (4, 4, 5, 5), (6, 2, 3, 3), (4, 6, 3, 3)),
        (nn.ConvTranspose2d(4, 6, 3, groups=2), (4, 4, 5, 5), (6, 2, 3, 3), (4, 6, 7, 7)),
        (nn.ConvTranspose1d(2, 5, 4), (4, 2, 3), (5, 2, 1, 4), (4, 5, 1, 6)),
    ],
)
def test_convolutions_of_every_kind(
    layer: nn.Module, shape: tuple[int, ...], filters: tuple[int, ...], maps: tuple[int, ...]
) -> None:
    found = keyed(Capture(nn.Sequential(layer)).capture(torch.randn(shape)))
    assert found["filters/0"].array.shape == filters
    assert found["feature_maps/0"].array.shape == maps


def test_transposed_filters_are_those_of_each_group() -> None:
    layer = nn.ConvTranspose2d(4, 6, 3, groups=2)
    found = Capture(layer, kinds=("filters",)).capture()[0]
    weight = layer.weight.detach()  # (in, out per group, 3, 3)
    for out in range(6):
        for channel in range(2):
            group, inside = divmod(out, 3)
            np.testing.assert_array_equal(found.array[out, channel], weight[group * 2 + channel, inside])


def test_wide_and_large_layers_are_thinned_and_say_so() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1))
    limits = Limits(channels=4, map_items=2, values=2 * 4 * 25)
    x = torch.randn(5, 3, 16, 16)
    found = keyed(Capture(model, limits=limits).capture(x))
    filters, maps = found["filters/0"], found["feature_maps/0"]
    assert dict(filters.notes) == {"shown": 4, "of": 8}
    assert filters.extras["out"].tolist() == [0, 2, 4, 6]
    np.testing.assert_array_equal(filters.array, model[0].weight.detach()[::2])
    assert dict(maps.notes) == {"shown": 2, "of": 5, "channels_shown": 4, "channels_of": 8, "stride": 4}
    np.testing.assert_allclose(maps.array, model(x).detach()[:2, ::2, ::4, ::4], atol=1e-6)


def test_large_embeddings_are_thinned_and_say_which_rows_are_left() -> None:
    model = nn.Linear(8, 3)
    x = torch.randn(10, 8)
    found = keyed(Capture(model, limits=Limits(features=4, values=20)).capture(x))["embedding/model.input"]
    assert dict(found.notes) == {"shown": 5, "of": 10, "features_shown": 4, "features_of": 8}
    assert found.extras["rows"].tolist() == [0, 2, 4, 6, 8]
    assert found.items == "items"
    np.testing.assert_allclose(found.array, x[::2, ::2])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_other_number_formats_come_out_as_float32(
    lenet: Callable[[], nn.Module], images: Tensor, dtype: torch.dtype
) -> None:
    found = Capture(lenet().to(dtype)).capture(images.to(dtype))
    assert len(found) == 6
    assert {snapshot.array.dtype for snapshot in found} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("output", "expected", "softmax"),
    [
        (torch.tensor([[0.0, np.log(3.0)]]), [[0.25, 0.75]], True),
        (torch.tensor([[0.25, 0.75]]), [[0.25, 0.75]], False),
        (torch.tensor([[0.25, 0.75]]).log(), [[0.25, 0.75]], True),
        (torch.tensor([[3.0]]), [[3.0]], False),
        (torch.tensor([[float("nan"), 1.0]]), [[float("nan")] * 2], True),
    ],
)
def test_predictions_are_probabilities(output: Tensor, expected: list[list[float]], softmax: bool) -> None:
    class Fixed(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return {"hidden": x, "logits": output}

    found = Capture(Fixed(), kinds=("prediction",)).capture(torch.zeros(1, 4))[0]
    np.testing.assert_allclose(found.array, expected, atol=1e-6)
    assert found.notes["softmax"] is softmax


@pytest.mark.parametrize(
    "output", [torch.zeros(2, 3, 4), torch.tensor(1.0), torch.zeros(2, 3).long(), None, ()]
)
def test_other_outputs_are_no_prediction(output: Any) -> None:
    class Fixed(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return output

    assert Capture(Fixed()).capture(torch.zeros(2, 4)) == []


def test_recurrent_network_with_a_tuple_output() -> None:
    model = nn.LSTM(4, 6, batch_first=True)
    found = Capture(model, embedding="model").capture(torch.randn(3, 5, 4))
    assert [(s.key, s.array.shape) for s in found] == [("embedding/model", (3, 30))]
    time_first = nn.LSTM(4, 6)

    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = time_first, nn.Linear(6, 2)

        def forward(self, lengths: Tensor, x: Tensor) -> Tensor:
            return self.head(self.lstm(x)[0])

    found = Capture(Tagger()).capture(torch.ones(3), torch.randn(5, 3, 4))
    assert [(s.key, s.array.shape) for s in found] == [("embedding/head.input", (3, 30))]


class PoolingNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = GCNConv(5, 6), GATConv(6, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, data: Data) -> Tensor:
        x = self.conv2(self.conv1(data.x, data.edge_index), data.edge_index)
        return self.head(global_mean_pool(x, data.batch))


def test_the_embedding_of_a_graph_network_is_the_input_of_its_last_convolution(
    graph: tuple[Tensor, Tensor],
) -> None:
    x, edges = graph
    model = GNN(5, 4, 3, conv="gcn", dropout=0.0)
    found = keyed(Capture(model).capture(x, edges))
    np.testing.assert_allclose(
        found["embedding/convs.1.input"].array, model.embed(x, edges).detach(), atol=1e-6
    )
    assert found["embedding/convs.1.input"].items == "items"
    assert found["prediction/output"].array.shape == (30, 3)

    class Torch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList([GCNConv(5, 6), GCNConv(6, 3)])

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            return self.convs[1](self.convs[0](x, edge_index).relu(), edge_index)

    net = Torch()
    embedding = keyed(Capture(net).capture(x, edge_index=edges))["embedding/convs.1.input"]
    np.testing.assert_allclose(embedding.array, net.convs[0](x, edges).relu().detach(), atol=1e-6)


@pytest.mark.parametrize("conv", ["gcn", "gat"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_sparse_features_show_what_dense_ones_show(conv: str, num_layers: int) -> None:
    x = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)).relu()
    edge_index = torch.tensor([[0, 1, 1, 2, 3], [1, 0, 2, 1, 0]])
    model = GNN(7, 4, 3, num_layers, conv)
    capture = Capture(model)
    for graph in (edge_index, Adjacency.from_edge_index(edge_index, 5)):
        expected = capture.capture(x, graph)
        random = torch.get_rng_state()
        snapshots = capture.capture(SparseFeatures.from_dense(x), graph)
        assert torch.equal(torch.get_rng_state(), random)
        assert model.training
        assert [(s.kind, s.layer, s.items) for s in snapshots] == [
            (s.kind, s.layer, s.items) for s in expected
        ]
        assert ("embedding", f"convs.{num_layers - 1}.input") in [(s.kind, s.layer) for s in snapshots]
        for snapshot, dense in zip(snapshots, expected, strict=True):
            np.testing.assert_allclose(snapshot.array, dense.array, atol=1e-6)
        assert capture.remarks == ()


def test_a_head_behind_the_convolutions_is_the_last_layer(graph: tuple[Tensor, Tensor]) -> None:
    x, edges = graph
    data = Data(x=x, edge_index=edges, batch=torch.arange(30) // 10)
    found = keyed(Capture(PoolingNet()).capture(data))
    assert found["embedding/head.input"].array.shape == (3, 4)
    assert found["embedding/head.input"].items is None  # a row per graph, not per node
    assert found["prediction/output"].items is None
    assert found["attention/conv2"].items == "items"


def test_a_compiled_model_is_looked_at_itself(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    model = lenet()
    expected = Capture(model).capture(images)
    for compiled in (torch.compile(model, backend="eager"), model):
        model.compile(backend="eager")
        found = Capture(compiled).capture(images)
        assert [snapshot.key for snapshot in found] == [snapshot.key for snapshot in expected]
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours.array, theirs.array)


def test_compiled_parts_have_plain_names(images: Tensor) -> None:
    model = nn.Sequential(torch.compile(nn.Sequential(nn.Conv2d(1, 2, 3)), backend="eager"))
    assert [s.key for s in Capture(model, layers=("0.0",)).capture(images)][:2] == [
        "filters/0.0", "feature_maps/0.0",
    ]  # fmt: skip


def test_an_empty_batch(lenet: Callable[[], nn.Module]) -> None:
    found = keyed(Capture(lenet()).capture(torch.zeros(0, 1, 10, 10)))
    assert found["embedding/fc2.input"].array.shape == (0, 12)
    assert found["feature_maps/conv1"].array.shape == (0, 4, 10, 10)


def test_one_item(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    found = keyed(Capture(lenet(), items="digits").capture(images[:1]))
    assert found["prediction/output"].array.shape == (1, 3)
    assert found["prediction/output"].items == "digits"


def test_more_maps_than_are_taken_is_said() -> None:
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 8, batch_first=True), 3)
    capture = Capture(model, kinds=("attention",), limits=Limits(attention_layers=2))
    assert len(capture.capture(torch.randn(2, 3, 8))) == 2
    assert "first 2 maps" in capture.remarks[0]


def test_layers_of_a_part_can_be_named_as_in_the_whole() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU())
    part = Capture(network, kinds=("filters", "feature_maps"), layers=["see.net.0"], prefix="see.net.")
    assert list(part.names().values()) == ["see.net", "see.net.0", "see.net.1"]
    assert {snapshot.layer for snapshot in part.capture(torch.zeros(2, 1, 5, 5))} == {"see.net.0"}
