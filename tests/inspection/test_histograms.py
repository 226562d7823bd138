"""How activations are spread; weights and gradients are in test_structure.py."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmgraph.inspection import Capture
from mmgraph.inspection.histograms import BINS, MOST_LAYERS, MOST_VALUES, sampled
from mmgraph.recipes import launch
from mmgraph.runs import RunReader
from mmgraph.sequence import LanguageModel


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Dropout(), nn.Linear(4 * 36, 3)
    )


def test_activations_are_counted_as_numpy_counts_them():
    model, images = net(), torch.randn(5, 1, 8, 8)
    model.train()
    capture = Capture(model)
    capture.capture(images)
    (spread,) = capture.spread()
    assert (spread.layer, spread.array.shape) == ("histograms/activations", (3, BINS))
    assert spread.notes == {"rows": ["0", "1", "4"], "columns": "activation"}
    model.eval()
    with torch.no_grad():
        convolved = F.conv2d(images, model[0].weight, model[0].bias)  # what the ReLU overwrites
        given = [convolved, convolved.relu(), model(images)]
    for row, expected in enumerate(given):
        counts, edges = np.histogram(expected.numpy(), BINS)
        np.testing.assert_allclose(spread.extras["edges"][row], edges, rtol=1e-4, atol=1e-6)
        assert np.abs(spread.array[row] * expected.numel() - counts).sum() <= 4  # values on an edge
    assert capture.spread() == []  # told once, so that nothing old is recorded


def test_nothing_is_spread_where_nothing_is_run():
    capture = Capture(net(), kinds=("filters",))
    capture.capture(torch.randn(1, 1, 8, 8))
    assert capture.spread() == []


def test_what_a_task_runs_by_itself_is_sampled_too():
    model, images = net().eval(), torch.randn(5, 1, 8, 8)
    seen, own = Capture(model), Capture(model, kinds=())
    seen.capture(images)
    with own.sampling(), torch.no_grad():
        model(images)
        model(2 * images)  # of a layer that runs again the first time counts
    (expected,), (found,) = seen.spread(), own.spread()
    assert found.notes == expected.notes
    np.testing.assert_array_equal(found.array, expected.array)
    assert own.spread() == []
    assert not model[0]._forward_hooks


def test_a_layer_that_computes_with_the_weights_of_others_is_counted_itself():
    model = LanguageModel(7, 4, embedding=3, layers=2)
    capture = Capture(model)
    capture.capture(torch.arange(6)[None] % 7)
    (spread,) = capture.spread()
    assert spread.notes["rows"] == ["embedding", "recurrent", "head"]


def test_strange_layers_are_no_error():
    class Strange(nn.Module):
        def __init__(self, kind):
            super().__init__()
            self.kind = kind

        def forward(self, x):
            return {
                "none": lambda: None, "whole": lambda: (x * 9).long(), "complex": lambda: torch.complex(x, x),
                "nan": lambda: x * torch.nan, "empty": lambda: x[:0], "one": lambda: x.sum(), "sparse": x.to_sparse,
                "wide": lambda: x[:1].expand(3, *x.shape[1:]),
            }[self.kind]()  # fmt: skip

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.strange = nn.ModuleList(
                map(Strange, ("none", "whole", "complex", "nan", "empty", "one", "sparse", "wide"))
            )
            self.many = nn.ModuleList(nn.Linear(3, 3) for _ in range(2 * MOST_LAYERS))

        def forward(self, x):
            for layer in self.strange:
                layer(x)
            for layer in (*self.many, self.many[0]):
                x = layer(x)
            return x

    capture = Capture(Net())
    capture.capture(torch.randn(4, 3))
    (spread,) = capture.spread()
    assert spread.notes["rows"][:4] == ["strange.3", "strange.4", "strange.5", "strange.7"]
    assert len(spread.array) == MOST_LAYERS
    assert np.isfinite(spread.array).all()
    assert np.isfinite(spread.extras["edges"]).all()
    assert spread.array[:4].sum(1).tolist() == pytest.approx([0, 0, 1, 1])


@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (2708, 16), (128, 6, 28, 28), (1, MOST_VALUES)])
def test_a_sample_meets_all_columns(shape):
    tensor = (
        torch.arange(max(1, int(np.prod(shape)))).reshape(shape) if 0 not in shape else torch.zeros(shape)
    )
    found = sampled(tensor)
    assert len(found) <= MOST_VALUES
    assert len(found) == tensor.numel() or len(found) > MOST_VALUES / 3
    if len(shape) > 1 and tensor.numel():
        assert len({int(value) % shape[-1] for value in found}) == shape[-1]


def test_images_in_another_order_of_memory_are_not_copied():
    images = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    assert sampled(images).data_ptr() == images.data_ptr()
    assert sorted(sampled(images).tolist()) == sorted(images.flatten().tolist())


def test_training_records_them_and_computes_the_same(tmp_path):
    options = {"epochs": 2, "snapshots_per_second": 1000.0, "snapshot_share": 1.0, "device": "cpu"}
    often, result = launch.train("digits-graph", options, runs=tmp_path, run_name="often")
    _, expected = launch.train(
        "digits-graph", {**options, "snapshots_per_second": 0.0}, runs=tmp_path, run_name="once"
    )
    assert result.metrics == expected.metrics
    with RunReader(often) as run:
        infos = run.snapshots(layer="histograms/activations")
        assert [info.step for info in infos] == [0, 1, 2]
        rows = run.load(infos[0]).notes["rows"]
        assert {"gnn.convs.0", "gnn.convs.1"} <= set(rows)
        assert run.load(infos[0]).array.nbytes < 10_000
