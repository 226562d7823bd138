from __future__ import annotations

import numpy as np
import pytest

from mmgraph.recipes import launch
from mmgraph.runs import RunReader

SMALL = {"device": "cpu", "threads": 1, "filters": 4, "dim": 32}


def test_both_together_know_more_than_either(tmp_path):
    folder, result = launch.train("multimodal-classification", SMALL | {"epochs": 8}, runs=tmp_path)
    alone = [result.metrics[f"test/accuracy_{name}_alone"] for name in ("image", "sound")]
    assert min(alone) > 0.3
    assert result.metrics["test/accuracy"] > max(alone) + 0.05
    with RunReader(folder) as reader:
        last = {info.layer: reader.load(info) for info in reader.snapshots(step=result.step)}
        sounds = reader.items().sounds
    assert len(sounds) == 200
    assert len(sounds[0]) / sounds.rate == pytest.approx(0.064, abs=0.1)
    assert np.abs(sounds[0]).max() > 1000
    by_class, by_item = last["contributions/classes"], last["contributions/items"]
    assert by_class.array.shape == (10, 2)
    assert by_class.notes["columns"] == ["image", "sound"]
    assert by_item.array.shape == (200, 2)
    assert np.isfinite(by_item.array).all()
    assert by_class.array.mean() > 0
    assert {"image.blocks.0.conv", "sound.blocks.0.conv", "fused", "output"} <= set(last)


@pytest.mark.parametrize("strategy", ["early", "gated", "attention", "low_rank"])
def test_every_strategy_trains(tmp_path, strategy):
    options = SMALL | {"epochs": 2, "strategy": strategy}
    _, result = launch.train("multimodal-classification", options, runs=tmp_path)
    assert result.metrics["test/accuracy"] > 0.2


@pytest.mark.parametrize("name", ["image", "sound"])
def test_one_modality_alone(tmp_path, name):
    folder, result = launch.train(
        "multimodal-classification", SMALL | {"epochs": 1, "modalities": name}, runs=tmp_path
    )
    assert f"test/accuracy_{name}_alone" not in result.metrics
    with RunReader(folder) as reader:
        last = {info.layer: reader.load(info) for info in reader.snapshots(step=result.step)}
        sounds = reader.items().sounds
    assert (sounds is None) == (name == "image")
    assert last["contributions/classes"].array.shape == (10, 1)
