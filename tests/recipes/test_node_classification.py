from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mmgraph.errors import ConfigError
from mmgraph.graph import APPNP, SparseFeatures
from mmgraph.graph.networks.gnn import Convolution
from mmgraph.options import defaults_for, options_of, parse
from mmgraph.recipes import launch
from mmgraph.recipes.citation import CitationNetwork
from mmgraph.recipes.node_classification import CONVOLUTIONS, NodeClassificationConfig
from mmgraph.recipes.node_classification.build import build
from mmgraph.runs import RunReader


def test_convolutions_are_those_of_the_network_that_need_no_more_than_edges():
    assert set(CONVOLUTIONS) == set(get_args(Convolution)) - {"edge", "rgcn"}


def test_presets_are_valid_options():
    known = {entry.name: entry for entry in options_of(NodeClassificationConfig)}
    for (name, choice), implied in NodeClassificationConfig.presets.items():
        assert choice in known[name].choices
        for option, value in implied.items():
            assert known[option].check(value) == value
    assert defaults_for(NodeClassificationConfig, {"conv": "appnp"})["reach"] == 10
    assert defaults_for(NodeClassificationConfig, {"conv": "gcn"})["reach"] == 2


@pytest.mark.data
@pytest.mark.parametrize("conv", sorted(set(CONVOLUTIONS) - {"spectral"}))
def test_every_convolution_trains_on_cora(real_data, tmp_path, conv):
    options = {"conv": conv, "epochs": 1, "hidden": 4, "heads": 1, "device": "cpu", "threads": 1}
    _, result = launch.train("node-classification", options, runs=tmp_path)
    assert result.state == "finished"
    assert result.metrics["test/accuracy"] > 0.05


@pytest.mark.data
def test_the_numbers_that_decide_are_recorded(real_data, tmp_path):
    """Of accuracy and loss together as well: with a name that no evaluation gives nothing would ever be chosen."""
    for monitor, names in (
        ("validation/loss", {"validation/loss"}),
        ("both", {"validation/accuracy", "validation/loss"}),
    ):
        options = {"epochs": 3, "monitor": monitor, "device": "cpu", "threads": 1}
        _, result = launch.train("node-classification", options, runs=tmp_path)
        assert {name.removeprefix("best/") for name in result.metrics if name.startswith("best/")} == names


@pytest.mark.data
def test_options_reach_the_network(real_data):
    def made(**values):
        return build(parse(NodeClassificationConfig, values))

    model = made(conv="appnp", restart=0.25, reach=3, edge_dropout=0.1).model
    assert isinstance(model.propagation, APPNP)
    assert (model.propagation.alpha, model.propagation.K, model.propagation.edge_dropout) == (0.25, 3, 0.1)
    assert made(conv="cheb", reach=4).model.convs[0].K == 4
    assert made(conv="sgc").model.convs[0].K == 2
    assert len(made(conv="sgc").model.convs) == 1
    assert made(conv="cayley", reach=4).model.convs[0].order == 4
    arma = made(conv="arma", stacks=3).model.convs[0]
    assert (arma.num_stacks, arma.skip_dropout) == (3, 0.75)
    assert isinstance(made(conv="gin").model.convs[0].mlp[1], torch.nn.Identity)
    model = made(conv="gcn", layers=3, residual=True, norm="layer", jumping_knowledge="cat").model
    assert len(model.shortcuts) == len(model.norms) == len(model.convs) == 3
    assert model.jump.mode == "cat"


@pytest.mark.data
def test_features_are_dense_only_where_they_have_to_be(real_data):
    sparse, _ = build(parse(NodeClassificationConfig, {"conv": "sage"})).probe_inputs()
    dense, _ = build(parse(NodeClassificationConfig, {"conv": "sage", "aggregation": "max"})).probe_inputs()
    assert isinstance(sparse, SparseFeatures)
    assert isinstance(dense, torch.Tensor)


@pytest.mark.data
@pytest.mark.parametrize("conv", ["gcn", "cheb", "appnp", "sage", "gat"])
def test_weight_decay_falls_where_the_paper_puts_it(real_data, conv):
    task = build(parse(NodeClassificationConfig, {"conv": conv}))
    groups = {group["weight_decay"]: group["params"] for group in task.parameter_groups(0.5)}
    first_alone = conv in ("gcn", "cheb", "appnp")
    decayed = list(task.model.convs[0].parameters()) if first_alone else list(task.model.parameters())
    assert {id(p) for p in groups[0.5]} == {id(p) for p in decayed}


@pytest.mark.data
@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({"batching": "neighbours", "batch_size": 64}, 0.75),
        ({"batching": "neighbours", "conv": "sgc", "batch_size": 64, "epochs": 15}, 0.7),
        ({"batching": "neighbours", "conv": "gat", "hidden": 4, "heads": 2, "batch_size": 32}, 0.7),
        ({"batching": "clusters", "batch_size": 700}, 0.72),
        ({"batching": "clusters", "conv": "cheb", "batch_size": 1000}, 0.65),
    ],
)
def test_batches_learn_too(real_data, tmp_path, options, least):
    given = {"epochs": 40, "evaluate_every": 20, "device": "cpu", "snapshots_per_second": 0.0} | options
    _, result = launch.train("node-classification", given, runs=tmp_path)
    assert result.metrics["test/accuracy"] > least


@pytest.mark.data
@pytest.mark.parametrize("batching", ["neighbours", "clusters"])
def test_batched_runs_resume_exactly(real_data, tmp_path, batching):
    options = {
        "batching": batching,
        "batch_size": 50,
        "device": "cpu",
        "snapshots_per_second": 0.0,
        "seed": 3,
    }
    if batching == "clusters":
        options["batch_size"] = 900
    whole, _ = launch.train("node-classification", options | {"epochs": 4}, runs=tmp_path, run_name="whole")
    part, _ = launch.train("node-classification", options | {"epochs": 2}, runs=tmp_path, run_name="part")
    launch.resume(part, {"epochs": 4})
    one, two = (load_file(run / "checkpoints" / "last.safetensors") for run in (whole, part))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.equal(value, two[name]), name


@pytest.mark.data
@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("node-classification", {"conv": "cayley"}, "looks at the whole graph"),
        ("node-classification", {"fan_out": "5"}, "for each of 2 hops"),
        ("node-classification", {"fan_out": "5,0"}, "for each of 2 hops"),
        ("node-classification", {"fan_out": "5,many"}, "whole numbers with commas"),
        ("inductive", {}, "batching is full"),
    ],
)
def test_batches_that_cannot_be(real_data, tmp_path, recipe, options, message):
    with pytest.raises(ConfigError, match=message):
        launch.train(recipe, {"batching": "neighbours", "epochs": 1} | options, runs=tmp_path)


@pytest.mark.data
def test_friendships_are_split_by_the_seed(real_data, tmp_path):
    options = {"dataset": "reed98", "epochs": 2, "device": "cpu"}
    folder, result = launch.train("node-classification", options, runs=tmp_path)
    assert 0 < result.metrics["test/accuracy"] < 1
    with RunReader(folder) as run:
        items = run.items()
    assert np.bincount(items.splits + 1).tolist() == [97, 432, 217, 216]
    assert ((items.labels < 0) == (items.splits < 0)).all()
    assert items.noun == "student"
    first, again, other = (CitationNetwork.load("reed98", seed=seed).splits for seed in (0, 0, 1))
    assert torch.equal(first["test"], again["test"])
    assert not torch.equal(first["test"], other["test"])


@pytest.mark.data
def test_dblp_has_as_many_papers_of_each_field_for_training(real_data, tmp_path):
    folder, result = launch.train("node-classification", {"dataset": "dblp", "epochs": 1}, runs=tmp_path)
    assert 0 < result.metrics["test/accuracy"] < 1
    with RunReader(folder) as run:
        items = run.items()
    for split, count in enumerate((20, 30)):
        assert np.bincount(items.labels[items.splits == split]).tolist() == [count] * 4
    assert (items.splits == 2).sum() == 17716 - 200
    first, other = (CitationNetwork.load("dblp", seed=seed).splits for seed in (0, 1))
    assert not torch.equal(first["train"], other["train"])
