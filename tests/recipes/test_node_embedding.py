from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmgraph.options import parse
from mmgraph.recipes import launch, recipe
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


def test_what_is_solved_for_takes_one_step():
    config = recipe("node-embedding").config
    assert parse(config, {"method": "netmf"}).epochs == parse(config, {"method": "spectral"}).epochs == 1
