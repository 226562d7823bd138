from __future__ import annotations

import itertools
import operator

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from mmgraph.inspection.histograms import histograms
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.structure import structure
from mmgraph.runs.structure import INPUT, OUTPUT, read_structure, write_structure
from mmgraph.sequence import RecurrentModel


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.shortcut = nn.Sequential(nn.Conv2d(3, 8, 1))
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        y = self.second(torch.relu(self.norm(self.first(x))))
        return self.fc((y + self.shortcut(x)).mean((2, 3)))


def wiring(found):
    return {(one.source, one.target) for one in found.connections}


def test_the_wiring_is_that_of_torch_fx():
    model = Residual()
    found = structure(model, Inputs((torch.randn(4, 3, 8, 8),)))
    traced = torch.fx.symbolic_trace(model)
    boxes, sources = {}, {}
    for node in traced.graph.nodes:
        inputs = list(dict.fromkeys(box for one in node.all_input_nodes for box in sources[one]))
        if node.op == "placeholder":
            sources[node] = [INPUT]
        elif node.op == "call_module" or node.target is operator.add:
            name = node.target if node.op == "call_module" else "add"
            boxes[name] = inputs
            sources[node] = [name]
        elif node.op == "output":
            boxes[OUTPUT] = inputs
        else:
            sources[node] = inputs
    assert wiring(found) == {(source, target) for target, some in boxes.items() for source in some}
    ways = {(one.source, one.target): one.through for one in found.connections}
    assert ways["norm", "second"] == "relu"
    assert ways["add", "fc"] == "mean"


def test_layers_have_shapes_parameters_and_operations():
    model = Residual()
    found = structure(model, Inputs((torch.randn(4, 3, 8, 8),)))
    layers = {layer.name: layer for layer in found.layers}
    assert list(layers) == ["model", "first", "norm", "second", "shortcut", "shortcut.0", "fc"]
    assert layers["first"].output == (4, 8, 8, 8)
    assert layers["first"].parameters == 3 * 8 * 9 + 8
    assert layers["first"].flops == 2 * 4 * 8 * 64 * 27
    assert layers["fc"].flops == 2 * 4 * 8 * 2
    assert layers["model"].flops == sum(
        layers[name].flops for name in ("first", "second", "shortcut.0", "fc")
    )
    assert layers["model"].parameters == sum(weight.numel() for weight in model.parameters())
    assert all(layer.seconds > 0 for layer in found.layers)
    assert [name for name, layer in layers.items() if layer.inside] == ["model", "shortcut"]
    assert found.items == 4
    assert found.remark == ""


def test_operations_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0), 2)
    words = torch.randn(3, 5, 8)
    found = structure(model, Inputs((words,)))
    counter = FlopCounterMode(display=False)
    model.eval()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with counter, torch.no_grad():
            model(words)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    assert found.layers[0].flops == counter.get_total_flops()


def test_what_depends_on_the_data_is_seen_as_it_ran():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.never = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            x = self.a(x)
            if float(x.sum()) != float("inf"):
                x = self.a(self.b(x))
            else:
                x = self.never(x)
            return {"logits": x}

    found = structure(Twice(), Inputs((torch.ones(2, 4),)))
    assert wiring(found) == {(INPUT, "a"), ("a", "b"), ("b", "a"), ("a", OUTPUT)}
    layers = {layer.name: layer for layer in found.layers}
    assert layers["a"].runs == 2
    assert layers["never"].runs == 0
    assert layers["never"].output is None


def test_what_learns_nothing_is_a_box_each_time_it_runs():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.act, self.b = nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 4)

        def forward(self, x):
            return self.act(self.b(self.act(self.a(x))))

    found = structure(Net(), Inputs((torch.ones(2, 4),)))
    chain = [INPUT, "a", "act", "b", "act#2", OUTPUT]
    assert [(one.source, one.target) for one in found.connections] == list(itertools.pairwise(chain))


def test_a_module_that_uses_the_weights_of_those_inside_is_a_box():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x, more):
            return functional.linear(x, self.first.weight) * more + functional.linear(x, self.second.weight)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.read, self.gated, self.head = nn.Linear(4, 4), Gated(), nn.Linear(4, 2)

        def forward(self, x):
            x = self.read(x)
            for _ in range(2):
                x = self.gated(x, x.relu())
            return self.head(x) * 2 + self.head(x)

    seen = structure(Model(), Inputs((torch.randn(5, 4),)))
    links = {(found.source, found.target) for found in seen.connections}
    assert links == {
        (INPUT, "read"), ("read", "gated"), ("gated", "head"), ("head", OUTPUT),
    }  # fmt: skip
    inside = {layer.name: layer.inside for layer in seen.layers}
    assert not inside["gated"]
    assert inside["model"]


def test_recurrent_networks_are_boxes():
    model = RecurrentModel(3, 6, 4, kind="lstm", layers=2)
    seen = structure(model, Inputs((torch.randn(2, 7, 3),)))
    assert {(found.source, found.target) for found in seen.connections} == {
        (INPUT, "recurrent"), ("recurrent", "dropout"), ("dropout", "head"), ("head", OUTPUT),
    }  # fmt: skip


def test_graph_layers_are_wired():
    from mmgraph.graph import GATConv

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = GATConv(4, 8), GATConv(8, 2)

        def forward(self, x, edge_index):
            return self.second(torch.relu(self.first(x, edge_index)), edge_index)

    edges = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]])
    found = structure(Net(), Inputs((torch.randn(4, 4), edges)))
    assert found.remark == ""
    targets = {target for _, target in wiring(found)}
    assert OUTPUT in targets
    reached, ends = {INPUT}, wiring(found)
    for _ in ends:
        reached |= {target for source, target in ends if source in reached}
    assert OUTPUT in reached


def test_the_model_stays_as_it_was():
    model = Residual().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    structure(model, Inputs((torch.randn(4, 3, 8, 8),)))
    torch.set_rng_state(state)
    structure(model, Inputs((torch.ones(4, 3, 8, 8),)))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())
    assert model.training


def test_a_model_that_cannot_be_run_is_listed_all_the_same():
    found = structure(Residual(), Inputs((torch.randn(4, 5),)))
    assert len(found.layers) == 7
    assert found.connections == () or found.remark
    assert "could not be run" in found.remark
    assert structure(Residual(), None).layers[1].output is None
    lazy = structure(nn.Sequential(nn.LazyLinear(3)), Inputs((torch.randn(2, 2),)))
    assert lazy.layers[1].parameters == 0


def test_it_survives_the_disk(tmp_path):
    found = structure(Residual(), Inputs((torch.randn(4, 3, 8, 8),)))
    assert read_structure(tmp_path) is None
    write_structure(tmp_path, found)
    assert read_structure(tmp_path) == found


def test_histograms_are_those_of_numpy():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 10))
    weights, *rest = histograms(model)
    assert rest == []
    assert weights.notes["rows"] == ["0", "2"]
    for row, layer in enumerate((model[0], model[2])):
        values = layer.weight.detach().numpy()
        counts, edges = np.histogram(values, 32)
        np.testing.assert_allclose(weights.extras["edges"][row], edges, rtol=1e-5)
        assert np.abs(weights.array[row] * values.size - counts).sum() <= 4  # values on an edge
        assert weights.array[row].sum() == pytest.approx(1)
    model(torch.randn(2, 30)).sum().backward()
    assert [some.layer for some in histograms(model)] == ["histograms/weights", "histograms/gradients"]


def test_histograms_of_strange_weights():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(1, 4), nn.LayerNorm(3))
    model[2].weight = nn.Parameter(torch.zeros(4, 0))
    with torch.no_grad():
        model[0].weight.fill_(3.0)
        model[1].weight.fill_(torch.nan)
        model[1].weight[0] = 1.0
    (weights,) = histograms(model)
    assert weights.array[0].sum() == pytest.approx(1)
    assert weights.array[1].sum() == pytest.approx(0.25)
    assert weights.array[2].sum() == 0
    assert np.isfinite(weights.extras["edges"]).all()
    assert histograms(nn.LayerNorm(3)) == []
