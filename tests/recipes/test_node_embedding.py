from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmgraph.errors import ConfigError
from mmgraph.options import parse
from mmgraph.recipes import launch, recipe
from mmgraph.recipes.node_embedding.build import build
from mmgraph.runs import RunReader

QUICK = {"epochs": 1, "walk_length": 8, "dimensions": 8, "window": 2}


@pytest.mark.data
@pytest.mark.parametrize("method", ["deepwalk", "node2vec", "spectral"])
def test_one_label_per_node_gives_an_accuracy(real_data, tmp_path: Path, method: str):
    folder, result = launch.train(
        "node-embedding", {**QUICK, "method": method, "dataset": "citeseer"}, runs=tmp_path
    )
    assert 0 < result.metrics["test/accuracy"] < 1
    with RunReader(folder) as run:
        assert run.items().splits.tolist().count(2) == 1000
        assert run.load(run.snapshots(kind="embedding")[-1]).array.shape == (3327, 8)


@pytest.mark.data
@pytest.mark.parametrize("method", ["deepwalk", "netmf"])
def test_several_labels_per_node_give_f1_scores(real_data, tmp_path: Path, method: str):
    options = {**QUICK, "method": method, "dataset": "ppi", "fraction": 0.5, "repeats": 1}
    folder, result = launch.train("node-embedding", options, runs=tmp_path)
    assert 0 < result.metrics["test/macro_f1_50"] < result.metrics["test/micro_f1_50"] < 1
    with RunReader(folder) as run:
        items = run.items()
        assert np.array_equal(items.labels >= 0, items.columns["labels"] == 1)


@pytest.mark.data
def test_pubmed_needs_no_features(real_data, tmp_path: Path):
    folder, _ = launch.train("node-embedding", {**QUICK, "dataset": "pubmed"}, runs=tmp_path)
    with RunReader(folder) as run:
        assert len(run.items()) == 19717


@pytest.mark.parametrize("method", ["spectral", "planetoid-t"])
def test_what_cannot_train_on_a_gpu_says_so(method: str):
    config = parse(recipe("node-embedding").config, {"method": method, "device": "cuda"})
    with pytest.raises(ConfigError, match=f"Only deepwalk and node2vec train on cuda, not {method}"):
        build(config)


def test_what_is_solved_for_takes_one_step():
    config = recipe("node-embedding").config
    assert parse(config, {"method": "netmf"}).epochs == parse(config, {"method": "spectral"}).epochs == 1


@pytest.mark.data
@pytest.mark.parametrize("method", ["planetoid-t", "planetoid-i"])
def test_planetoid_learns_classes_and_resumes_bit_for_bit(real_data, tmp_path: Path, method: str):
    options = {"method": method, "dataset": "cora", "epochs": 24, "threads": 1}
    whole, result = launch.train("node-embedding", options, runs=tmp_path)
    assert result.metrics["test/accuracy"] > 0.3
    with RunReader(whole) as run:
        kinds = {info.kind for info in run.snapshots()}
        assert kinds == {"embedding", "prediction", "matrix", "graph"}
        vectors = run.load(run.snapshots(kind="embedding")[-1]).array
        assert vectors.shape == (2708, 50)
        matrices = [info for info in run.snapshots(kind="matrix") if "histograms" not in info.layer]
        counts = run.load(matrices[-1]).array
        assert counts.sum() == 500
    parts, _ = launch.train("node-embedding", {**options, "epochs": 22}, runs=tmp_path)
    parts, resumed = launch.resume(parts, {"epochs": 24})
    assert resumed.metrics["train/loss"] == result.metrics["train/loss"]
    with RunReader(parts) as run:
        assert np.array_equal(run.load(run.snapshots(kind="embedding")[-1]).array, vectors)


@pytest.mark.data
def test_the_inductive_planetoid_does_not_see_the_edges_of_test_papers(real_data):
    config = parse(recipe("node-embedding").config, {"method": "planetoid-i", "dataset": "cora"})
    task = build(config)
    contexts = task._training._sampler.sample(0, 5000, 0.0)
    drawn = np.unique(np.concatenate([contexts.node, contexts.context.ravel()]))
    test = np.flatnonzero(task.items().splits == 2)
    assert len(test) == 1000
    assert not np.isin(drawn, test).any()


@pytest.mark.data
def test_planetoid_needs_features(real_data):
    config = parse(recipe("node-embedding").config, {"method": "planetoid-t", "dataset": "ppi"})
    with pytest.raises(
        ConfigError, match="Planetoid needs features and one label per node, which ppi has not"
    ):
        build(config)
