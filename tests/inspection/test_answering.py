from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.inspection import Capture
from mmgraph.inspection.answering import answer
from mmgraph.inspection.examined import Examined
from mmgraph.inspection.inputs import Inputs
from mmgraph.questions import (
    Activations,
    Attention,
    Caption,
    GradCAM,
    Locate,
    Maximise,
    Occlusion,
    TopItems,
)
from mmgraph.runs import ItemSet


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 6, 3, padding=1)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.act(self.conv1(x))
        x = self.act(self.conv2(x))
        return self.fc(x.mean((2, 3)))


N = 9


def normalise(pixels):
    return (pixels.float().unsqueeze(1) / 255 - 0.5) / 0.25


def nothing(share, text, partial):
    pass


@pytest.fixture
def examined():
    torch.manual_seed(0)
    model = Net()
    pixels = torch.randint(0, 256, (N, 12, 10), dtype=torch.uint8)
    items = ItemSet(labels=np.zeros(N, dtype=np.int64), class_names=("a", "b", "c"))
    capture = Capture(model)
    return Examined(capture, lambda inputs: capture.capture(*inputs.args), None, items, pixels, normalise)


def test_a_recorded_item_lies_where_it_was_recorded(examined):
    found = answer(Locate(row=4, k=3), examined, nothing)
    assert found.facts["layer"] == "fc.input"
    with torch.no_grad():
        x = normalise(examined.pixels)
        model = examined.model
        vectors = model.act(model.conv2(model.act(model.conv1(x)))).mean((2, 3))
        likely = model(x)[4].softmax(0)
    vector = next(some for some in found.snapshots if some.kind == "embedding")
    np.testing.assert_allclose(vector.array, vectors[4:5].numpy(), atol=1e-5)
    apart = torch.cdist(vectors[4:5], vectors)[0]
    nearest = torch.argsort(apart)[1:4]
    assert [one["row"] for one in found.facts["neighbours"]] == nearest.tolist()
    np.testing.assert_allclose(
        [one["distance"] for one in found.facts["neighbours"]], apart[nearest].numpy(), rtol=1e-3
    )
    assert found.facts["classes"][0]["class"] == "abc"[int(likely.argmax())]
    assert found.facts["classes"][0]["probability"] == pytest.approx(float(likely.max()), abs=1e-5)


def test_a_file_lands_on_the_item_it_is_a_copy_of(examined, tmp_path):
    Image.fromarray(examined.pixels[7].numpy()).save(tmp_path / "seven.png")
    found = answer(Locate(file=str(tmp_path / "seven.png"), k=1), examined, nothing)
    assert found.facts["neighbours"][0]["row"] == 7
    assert found.facts["neighbours"][0]["distance"] == pytest.approx(0, abs=1e-4)
    seen = next(some for some in found.snapshots if some.kind == "image")
    assert (seen.array[0, ..., 0] == examined.pixels[7].numpy()).all()


def test_activations_are_the_output_of_the_layer(examined):
    found = answer(Activations(row=2, layer="conv1"), examined, nothing)
    expected = examined.model.conv1(normalise(examined.pixels[2:3]))
    np.testing.assert_allclose(found.snapshots[0].array, expected.detach().numpy(), atol=1e-6)
    one = answer(Activations(row=2, layer="conv1", unit=3), examined, nothing)
    np.testing.assert_allclose(one.snapshots[0].array, expected[:, 3:4].detach().numpy(), atol=1e-6)
    features = answer(Activations(row=2, layer="fc"), examined, nothing)
    assert features.snapshots[0].array.shape == (1, 3, 1, 1)


def test_top_items_are_those_with_the_largest_value(examined, monkeypatch):
    monkeypatch.setattr("mmgraph.inspection.units.BATCH", 4)
    found = answer(TopItems(layer="conv2", unit=1, k=5), examined, nothing)
    model = examined.model
    with torch.no_grad():
        maps = model.conv2(model.act(model.conv1(normalise(examined.pixels))))[:, 1]
    strongest = maps.flatten(1).amax(1)
    order = torch.argsort(strongest, descending=True)[:5]
    assert found.facts["rows"] == order.tolist()
    np.testing.assert_allclose(found.facts["values"], strongest[order].numpy(), rtol=1e-5)
    np.testing.assert_allclose(found.snapshots[0].array[:, 0], maps[order].numpy(), atol=1e-5)


def test_a_unit_that_never_fires_is_dead(examined):
    with torch.no_grad():
        examined.model.conv1.bias[2] = -1000.0
    assert answer(TopItems(layer="act", unit=2), examined, nothing).facts["dead"]
    assert not answer(TopItems(layer="act", unit=1), examined, nothing).facts["dead"]


def test_grad_cam_is_the_formula_of_the_paper(examined):
    found = answer(GradCAM(row=0, layer="conv2", target=1), examined, nothing)
    model, x = examined.model, normalise(examined.pixels[:1])
    maps = model.conv2(model.act(model.conv1(x)))
    maps.retain_grad()
    model.fc(torch.relu(maps).mean((2, 3)))[0, 1].backward()
    alpha = maps.grad[0].mean((1, 2))
    expected = torch.relu((alpha[:, None, None] * maps[0]).sum(0))
    np.testing.assert_allclose(found.snapshots[0].array[0, 0], expected.detach().numpy(), atol=1e-6)
    assert found.facts["class"] == "b"
    assert all(parameter.grad is None or parameter is not None for parameter in model.parameters())


def test_grad_cam_takes_the_last_convolution_and_the_predicted_class(examined):
    found = answer(GradCAM(row=0), examined, nothing)
    assert found.facts["layer"] == "conv2"
    assert found.facts["target"] == int(examined.model(normalise(examined.pixels[:1])).argmax())


def test_occlusion_finds_what_the_class_hangs_on():
    class Corner(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x):
            bright = x[..., :4, :4].mean((1, 2, 3)) * self.scale
            return torch.stack([bright, -bright], dim=1)

    model = Corner()
    pixels = torch.zeros(1, 16, 16, dtype=torch.uint8)
    pixels[0, :4, :4] = 255
    items = ItemSet(labels=np.zeros(1, dtype=np.int64), class_names=("bright", "dark"))
    capture = Capture(model)
    told = []
    found = answer(
        Occlusion(row=0, target=0),
        Examined(capture, lambda inputs: capture.capture(*inputs.args), None, items, pixels, normalise),
        lambda share, text, partial: told.append(share),
    )
    heat = found.snapshots[0].array[0, 0]
    assert heat.shape == (16, 16)
    assert heat[:4, :4].min() > 0.01
    assert np.abs(heat[8:, 8:]).max() < 1e-6
    assert told[-1] == 1.0


def test_maximising_a_unit_activates_it_more_than_any_item_does(examined):
    partial = []
    found = answer(
        Maximise(layer="conv1", unit=0, steps=60), examined, lambda share, text, one: partial.append(share)
    )
    mean = examined.output_of("conv1", examined.recorded_inputs())[:, 0].mean((1, 2))
    assert found.facts["after"] > max(found.facts["before"], float(mean.max()))
    assert found.snapshots[0].array.shape == (1, 12, 10, 1)
    assert found.snapshots[0].array.dtype == np.uint8
    assert partial[-1] == 1.0
    again = answer(Maximise(layer="conv1", unit=0, steps=60), examined, nothing)
    assert (again.snapshots[0].array == found.snapshots[0].array).all()


def test_whoever_waits_no_more_stops_it(examined):
    class Enough(Exception):
        pass

    def report(share, text, partial):
        raise Enough

    for question in (Maximise(layer="conv1"), Occlusion(row=0), TopItems(layer="conv1")):
        with pytest.raises(Enough):
            answer(question, examined, report)
    assert all(parameter.requires_grad for parameter in examined.model.parameters())


def test_questions_leave_no_trace(examined):
    model = examined.model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    for question in (Locate(row=0), GradCAM(row=0), Occlusion(row=0), Maximise(layer="fc", steps=3)):
        answer(question, examined, nothing)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_neighbours_follow_the_weights(examined):
    before = answer(Locate(row=0), examined, nothing)
    with torch.no_grad():
        examined.model.conv2.weight.mul_(3)
    after = answer(Locate(row=0), examined, nothing)
    assert before.facts["neighbours"][0]["distance"] != after.facts["neighbours"][0]["distance"]


def test_units_of_each_layer(examined):
    assert examined.units == {"conv1": 4, "act": 4, "conv2": 6, "fc": 3}


@pytest.mark.parametrize(
    ("question", "error", "said"),
    [
        (Locate(row=N), InputError, f"items 0 to {N - 1}"),
        (Locate(text="a cat"), InputError, "texts"),
        (Locate(row=0, layer="nowhere"), UnknownNameError, "nowhere"),
        (Activations(row=0, layer="nowhere"), UnknownNameError, "nowhere"),
        (TopItems(layer="conv1", unit=4), InputError, "units 0 to 3"),
        (Activations(row=0, layer="conv1", unit=4), InputError, "units 0 to 3"),
        (GradCAM(row=0, target=3), InputError, "classes 0 to 2"),
        (GradCAM(row=0, layer="fc"), InputError, "height and width"),
        (Attention(row=0), InputError, "attends"),
        (Caption(row=0), InputError, "caption"),
    ],
)
def test_what_cannot_be_answered_is_said(examined, question, error, said):
    with pytest.raises(error, match=said):
        answer(question, examined, nothing)


def test_without_pictures_recorded_rows_can_still_be_asked_about():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    capture, vectors = Capture(model), torch.randn(6, 4)
    examined = Examined(capture, lambda inputs: capture.capture(*inputs.args), Inputs((vectors,)), None)
    found = answer(Locate(row=5, k=2), examined, nothing)
    assert len(found.facts["neighbours"]) == 2
    top = answer(TopItems(layer="0", unit=1, k=2), examined, nothing)
    assert top.facts["rows"] == model[0](vectors)[:, 1].argsort(descending=True)[:2].tolist()
    with pytest.raises(InputError, match=r"no pictures|something new"):
        answer(Locate(file="a.png"), examined, nothing)


def test_attention_of_an_item():
    class Attends(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
            self.fc = nn.Linear(8, 2)

        def forward(self, x):
            words = x.flatten(2).transpose(1, 2)
            return self.fc(self.attend(words, words, words, need_weights=False)[0].mean(1))

    model = Attends()
    capture = Capture(model)
    items = ItemSet(labels=np.zeros(3, dtype=np.int64), class_names=("a", "b"))
    pixels = torch.randint(0, 256, (3, 8, 2, 2), dtype=torch.uint8)
    examined = Examined(
        capture, lambda inputs: capture.capture(*inputs.args), None, items, pixels, lambda x: x.float() / 255
    )
    found = answer(Attention(row=1), examined, nothing)
    words = (pixels[1:2].float() / 255).flatten(2).transpose(1, 2)
    expected = model.attend(words, words, words, average_attn_weights=False)[1]
    np.testing.assert_allclose(found.snapshots[0].array, expected.detach().numpy(), atol=1e-6)


class GraphNet(Net):
    """Each node's score is the mean of its own and those of its neighbours."""

    def forward(self, x, edge_index):
        own = super().forward(x)
        source, target = edge_index
        heard = torch.zeros_like(own).index_add(0, target, own[source])
        return (own + heard) / (1 + torch.bincount(target, minlength=len(own)))[:, None]


@pytest.fixture
def graph():
    torch.manual_seed(0)
    pictures, ring = torch.rand(N, 1, 12, 10), torch.arange(N)
    inputs = Inputs((pictures, torch.stack([ring, ring.roll(-1)])))
    items = ItemSet(labels=np.zeros(N, dtype=np.int64), class_names=("a", "b", "c"))
    capture = Capture(GraphNet())
    return Examined(capture, lambda inputs: capture.capture(*inputs.args), inputs, items)


def test_what_a_layer_makes_of_a_node_is_not_what_it_makes_of_another(graph):
    expected = graph.model.conv1(graph.inputs.args[0]).detach().numpy()
    for row in (0, 5):
        found = answer(Activations(row=row, layer="conv1"), graph, nothing)
        np.testing.assert_allclose(found.snapshots[0].array, expected[row : row + 1], atol=1e-6)


def test_grad_cam_looks_at_the_picture_of_a_node(graph):
    pictures = graph.inputs.args[0]
    found = answer(GradCAM(row=5, layer="conv1"), graph, nothing)
    maps = graph.model.conv1(pictures).detach().requires_grad_()
    feature = graph.model.act(graph.model.conv2(graph.model.act(maps.clone()))).mean((2, 3))
    own = graph.model.fc(feature)
    scores = (own + own.roll(1, 0)) / 2
    target = int(scores[5].argmax())
    assert found.facts["target"] == target
    assert found.facts["probability"] == pytest.approx(scores[5].softmax(0)[target].item(), abs=1e-5)
    (slope,) = torch.autograd.grad(scores[5, target], maps)
    expected = (slope[5].mean((1, 2), keepdim=True) * maps[5]).sum(0).relu()
    np.testing.assert_allclose(found.snapshots[0].array, expected.detach()[None, None].numpy(), atol=1e-6)
    assert answer(GradCAM(row=5), graph, nothing).facts["layer"] == "conv2"


def test_occlusion_covers_the_picture_of_one_node_among_the_others(graph):
    pictures, edges = graph.inputs.args
    found = answer(Occlusion(row=5, window=1.0, stride=1.0, target=1), graph, nothing)
    assert found.facts["places"] == 1
    covered = pictures.clone()
    covered[5] = pictures[5].mean()
    with torch.no_grad():
        before, after = (graph.model(x, edges).softmax(1)[5, 1] for x in (pictures, covered))
    np.testing.assert_allclose(found.snapshots[0].array, float(before - after), atol=1e-6)
    assert torch.equal(graph.inputs.args[0], pictures)


def test_a_graph_says_why_no_picture_can_be_made_for_its_model_and_which_nodes_there_are(graph):
    with pytest.raises(InputError, match="whole graph at once"):
        answer(Maximise(layer="conv1", unit=0), graph, nothing)
    for question in (GradCAM(row=N), Occlusion(row=N), Activations(row=N, layer="conv1")):
        with pytest.raises(InputError, match=f"items 0 to {N - 1}, no item {N}"):
            answer(question, graph, nothing)
