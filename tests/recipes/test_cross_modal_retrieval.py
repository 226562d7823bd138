from __future__ import annotations

import numpy as np
import pytest

from mmgraph.errors import ConfigError
from mmgraph.recipes import launch
from mmgraph.runs import RunReader

SMALL = {"device": "cpu", "threads": 1, "hidden": 32, "validation": 297}


def test_a_run_holds_what_a_search_needs(tmp_path):
    folder, result = launch.train("cross-modal-retrieval", SMALL | {"method": "scm"}, runs=tmp_path)
    assert result.metrics["test/map"] > 0.6
    both = [result.metrics[f"test/map_{way}"] for way in ("image_text", "text_image")]
    assert result.metrics["test/map"] == pytest.approx(np.mean(both))
    assert 0.8 < result.metrics["test/recall@10_image_text"] <= 1
    with RunReader(folder) as reader:
        shown = {
            info.layer: reader.load(info)
            for info in reader.snapshots(step=result.step)
            if info.kind in ("embedding", "matrix")
        }
        items = reader.items()
    assert shown["image"].array.shape == shown["text"].array.shape == (300, 10)
    assert shown["image"].items == shown["text"].items == items.name
    np.testing.assert_allclose(
        shown["similarity"].array, shown["image"].array @ shown["text"].array.T, atol=1e-5
    )
    curve = shown["precision/validation"]
    assert (curve.array.shape, curve.extras["edges"].shape) == ((2, 11), (12,))
    assert (np.diff(curve.array, axis=1) <= 1e-6).all()
    assert len(items.texts) == len(items.thumbnails) == 300


def test_more_training_finds_more_and_either_stage_counts(tmp_path):
    options = SMALL | {"modal_epochs": 6, "epochs": 12, "learning_rate": 4e-3, "dropout": 0.1}
    folder, result = launch.train("cross-modal-retrieval", options, runs=tmp_path)
    assert result.metrics["test/map"] > 0.4
    with RunReader(folder) as reader:
        curve = reader.series("validation/map").value
    assert curve[:6].max() < curve[6:].min()


@pytest.mark.parametrize("positives", ["pair", "class"])
def test_contrast_learns_too(tmp_path, positives):
    options = SMALL | {"method": "contrastive", "positives": positives, "batch_size": 64, "dropout": 0.0}
    options |= {"epochs": 8, "learning_rate": 4e-3}
    _, result = launch.train("cross-modal-retrieval", options, runs=tmp_path)
    assert result.metrics["test/map"] > 0.2


def test_a_resumed_run_is_the_uninterrupted_run(tmp_path):
    options = SMALL | {"modal_epochs": 1}
    whole, _ = launch.train("cross-modal-retrieval", options | {"epochs": 3}, runs=tmp_path)
    part, _ = launch.train("cross-modal-retrieval", options | {"epochs": 2}, runs=tmp_path)
    launch.resume(part, {"epochs": 3})
    curves = []
    for folder in (whole, part):
        with RunReader(folder) as reader:
            curves.append([reader.series(tag).value.tolist() for tag in ("train/loss", "validation/map")])
    assert curves[0] == curves[1]


@pytest.mark.data
@pytest.mark.parametrize(("method", "published"), [("cca", 0.223), ("sm", 0.224), ("scm", 0.252)])
def test_wikipedia_as_published(real_data, tmp_path, method, published):
    options = {"dataset": "wikipedia", "method": method, "device": "cpu", "threads": 1}
    _, result = launch.train("cross-modal-retrieval", options, runs=tmp_path)
    assert result.metrics["test/map"] > published - 0.005


def test_nothing_left_to_learn_from_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="too few"):
        launch.train("cross-modal-retrieval", SMALL | {"validation": 1290}, runs=tmp_path)
