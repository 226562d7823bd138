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


@pytest.mark.parametrize(("loss", "branches"), [("triplet", 3), ("contrastive", 2)])
def test_the_branches_of_the_network_are_recorded_from_the_first_step(tmp_path, loss, branches):
    folder, _ = launch.train("metric-learning", SMALL | {"epochs": 4, "loss": loss}, runs=tmp_path)
    with RunReader(folder) as reader:
        infos = [info for info in reader.snapshots(kind="matrix") if info.layer == "pairs/drawn"]
        vectors = reader.load(reader.snapshots(kind="embedding")[-1]).array
        labels = reader.items().labels
        first, last = reader.load(infos[0]), reader.load(infos[-1])
    assert infos[0].step == 0
    assert infos[-1].items == "items"
    rows = last.extras["branches"]
    assert rows.shape[1] == branches
    np.testing.assert_array_equal(rows, first.extras["branches"])
    np.testing.assert_array_equal(last.extras["similar"], labels[rows[:, :1]] == labels[rows[:, 1:]])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = np.linalg.norm(unit[rows[:, :1]] - unit[rows[:, 1:]], axis=2)
    np.testing.assert_allclose(last.array, expected, atol=1e-3)
    right = [
        ((snapshot.array <= snapshot.notes["threshold"]) == snapshot.extras["similar"]).mean()
        for snapshot in (first, last)
    ]
    assert right[1] > max(right[0], 0.85)


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
