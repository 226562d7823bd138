from __future__ import annotations

import pytest
import torch

from mmgraph.graph import SparseFeatures
from mmgraph.options import parse
from mmgraph.recipes import launch
from mmgraph.recipes.link_prediction import LinkPredictionConfig
from mmgraph.recipes.link_prediction.build import build
from mmgraph.recipes.node_classification import CONVOLUTIONS
from mmgraph.runs import RunReader

pytestmark = pytest.mark.data


def made(**values):
    return build(parse(LinkPredictionConfig, values))


def test_cora_is_split_as_in_the_paper(real_data):
    task = made(dataset="cora")
    assert [pairs.size(1) for pairs in task._links.values()] == [4488, 263, 527]
    assert task._graph.num_edges == 2 * 4488
    assert isinstance(task._features, SparseFeatures)
    assert torch.equal(task._features.value.unique(), torch.ones(1))
    (graph,) = task.constants()
    assert graph.array.shape == (2, 2 * 4488)


def test_options_reach_the_network(real_data):
    task = made(conv="gat", heads=3, hidden=5, embedding=7, decoder="mlp", layers=3, dropout=0.25)
    encoder = task.model.encoder
    assert (len(encoder.convs), encoder.convs[0].heads, encoder.dropout) == (3, 3, 0.25)
    assert task.model.encode(task._features, task._graph).mean.shape == (2708, 7)
    assert not made(variational=False).model.variational
    torch.testing.assert_close(made(normalize_features=True)._features.to_dense().sum(1), torch.ones(2708))
    assert made(test_links=0.2)._links["test"].size(1) == int(5278 * 0.2)


@pytest.mark.parametrize("conv", sorted(set(CONVOLUTIONS) - {"spectral"}))
def test_every_convolution_trains_on_cora(real_data, tmp_path, conv):
    options = {"conv": conv, "epochs": 1, "hidden": 4, "embedding": 4, "heads": 1, "device": "cpu"}
    _, result = launch.train("link-prediction", {**options, "threads": 1}, runs=tmp_path)
    assert result.state == "finished"
    assert 0.3 < result.metrics["test/auc"] <= 1


def test_a_resumed_run_is_the_uninterrupted_run(real_data, tmp_path):
    options = {"epochs": 3, "hidden": 8, "embedding": 4, "dropout": 0.3, "device": "cpu", "threads": 1}
    whole, _ = launch.train("link-prediction", options, runs=tmp_path, run_name="whole")
    part, _ = launch.train("link-prediction", {**options, "epochs": 1}, runs=tmp_path, run_name="part")
    launch.resume(part, {"epochs": 3})
    with RunReader(whole) as one, RunReader(part) as two:
        for tag in ("train/loss", "validation/auc", "validation/ap", "test/auc"):
            assert one.series(tag).value[-1:].tolist() == two.series(tag).value[-1:].tolist()
        assert one.series("train/loss").value.tolist() == two.series("train/loss").value.tolist()
