from __future__ import annotations

import pytest
import torch

from mmgraph.options import parse
from mmgraph.recipes import launch
from mmgraph.recipes.inductive import InductiveConfig
from mmgraph.recipes.inductive.build import build
from mmgraph.recipes.node_classification import CONVOLUTIONS
from mmgraph.recipes.node_classification import build as transductive
from mmgraph.runs import RunReader

pytestmark = pytest.mark.data


def test_the_network_learns_on_fewer_papers_and_is_asked_about_the_same(real_data):
    config = parse(InductiveConfig, {"conv": "sage", "dropout": 0.0})
    torch.manual_seed(0)
    ours = build(config)
    torch.manual_seed(0)
    whole = transductive.build(config)
    assert ours._views["train"].graph.num_nodes == 2708 - 1500
    assert ours._views["validation"].graph.num_nodes == 2708 - 1000
    assert not torch.equal(ours.outputs("train")[0], whole.outputs("train")[0])
    assert torch.equal(ours.outputs("test")[0], whole.outputs("test")[0])


@pytest.mark.parametrize("conv", sorted(set(CONVOLUTIONS) - {"spectral"}))
def test_every_convolution_trains_on_cora(real_data, tmp_path, conv):
    options = {"conv": conv, "epochs": 1, "hidden": 4, "heads": 1, "device": "cpu", "threads": 1}
    _, result = launch.train("inductive", options, runs=tmp_path)
    assert result.state == "finished"
    assert result.metrics["test/accuracy"] > 0.05


def test_a_resumed_run_is_the_uninterrupted_run(real_data, tmp_path):
    options = {"epochs": 3, "conv": "sage", "hidden": 8, "device": "cpu", "threads": 1}
    whole, _ = launch.train("inductive", options, runs=tmp_path, run_name="whole")
    part, _ = launch.train("inductive", {**options, "epochs": 1}, runs=tmp_path, run_name="part")
    launch.resume(part, {"epochs": 3})
    with RunReader(whole) as one, RunReader(part) as two:
        assert one.series("train/loss").value.tolist() == two.series("train/loss").value.tolist()
        assert one.series("test/accuracy").value[-1] == two.series("test/accuracy").value[-1]
