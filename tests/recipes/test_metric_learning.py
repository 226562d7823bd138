from __future__ import annotations

import numpy as np
import pytest

from mmgraph.recipes import launch
from mmgraph.runs import RunReader

SMALL = {"epochs": 2, "device": "cpu", "threads": 1}


def curve(folder, tag="train/loss"):
    with RunReader(folder) as reader:
        return reader.series(tag).value.tolist()


def test_it_learns_to_find_digits_and_shows_how_far_pairs_are_apart(tmp_path):
    folder, result = launch.train("metric-learning", SMALL | {"epochs": 6}, runs=tmp_path)
    assert result.metrics["test/recall@1"] > 0.9
    assert result.metrics["test/auc"] > 0.95
    assert 0 < result.metrics["test/equal-error-rate"] < 0.15
    with RunReader(folder) as reader:
        vectors = reader.load(reader.snapshots(kind="embedding")[-1])
        last = [info for info in reader.snapshots(kind="matrix") if info.layer == "distances/validation"][-1]
        apart = reader.load(last)
    assert vectors.array.shape == (300, 64)
    np.testing.assert_allclose(apart.array.sum(axis=1), 1, atol=1e-5)
    assert apart.extras["edges"].shape == (41,)
    middle = (apart.extras["edges"][1:] + apart.extras["edges"][:-1]) / 2
    similar, dissimilar = apart.array @ middle
    assert similar < 0.6 * dissimilar


def test_a_resumed_run_is_the_uninterrupted_run(tmp_path):
    options = SMALL | {"miner": "distance-weighted"}
    whole, _ = launch.train("metric-learning", options | {"epochs": 3}, runs=tmp_path)
    part, _ = launch.train("metric-learning", options, runs=tmp_path)
    launch.resume(part, {"epochs": 3})
    assert curve(part) == curve(whole)
    assert curve(part, "validation/map@r") == curve(whole, "validation/map@r")


@pytest.mark.parametrize(
    "loss", ["ratio", "contrastive", "hinge", "nt-xent", "multi-similarity", "prototypical"]
)
def test_every_loss_trains(tmp_path, loss):
    _, result = launch.train("metric-learning", SMALL | {"epochs": 3, "loss": loss}, runs=tmp_path)
    assert result.metrics["test/recall@1"] > 0.85
