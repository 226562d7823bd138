from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from mmgraph.errors import ConfigError
from mmgraph.inspection import Capture
from mmgraph.metric import MetricLoss, Siamese
from mmgraph.metric.selection import all_pairs
from mmgraph.recipes import launch
from mmgraph.runs import ItemSet, RunReader
from mmgraph.training.clip_variation import ClipVariation
from mmgraph.training.video_pairs import VideoPairLearning


class Brightness(nn.Module):
    """Two numbers of a clip, one of which is its class."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([0.01, 1.0]))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return torch.stack([clips[:, :, 0].mean((1, 2, 3)), clips[:, :, 1].mean((1, 2, 3))], 1) * self.scale


def task(seed: int = 0) -> VideoPairLearning:
    """Clips whose first colour tells the class, and whose second is noise ten times as strong."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(12) % 2
    noise = torch.randint(0, 200, (12, 1, 1, 1), generator=generator)
    clips = torch.zeros(12, 4, 3, 8, 8, dtype=torch.uint8)
    clips[:, :, 0] = (100 + 20 * labels).view(-1, 1, 1, 1)
    clips[:, :, 1] = noise
    rows = {"train": slice(0, 12), "validation": slice(0, 6), "test": slice(0, 12)}
    return VideoPairLearning(
        Siamese(Brightness(), loss=MetricLoss("contrastive")),
        {part: clips[some].flip(0) if part == "test" else clips[some] for part, some in rows.items()},
        {part: labels[some].flip(0) if part == "test" else labels[some] for part, some in rows.items()},
        all_pairs(labels),
        items=ItemSet(labels=labels.flip(0).numpy()),
        probe=clips.flip(0),
        capture=Capture(nn.Conv2d(1, 1, 1), kinds=("filters",)),
        pairs_per_batch=20,
        variation=ClipVariation(3),
    )


def test_listed_pairs_are_all_that_is_learned_from():
    pairs_task = task()
    pairs_task._labels["train"] = torch.zeros(12, dtype=torch.int64)
    (batch, *_) = pairs_task.batches(0)
    loss, _ = pairs_task.loss(batch)
    loss.backward()
    gradient = pairs_task.model.encoder.scale.grad
    assert bool(torch.isfinite(gradient).all())
    assert float(gradient.abs().max()) > 0


def test_numbers_before_training_stay_and_those_after_it_move():
    pairs_task = task()
    before = pairs_task.evaluate("test")
    assert before["test/1-nn"] == before["test/1-nn-untrained"]
    with torch.no_grad():
        pairs_task.model.encoder.scale.copy_(torch.tensor([1.0, 0.0]))
    after = pairs_task.evaluate("test")
    assert after["test/1-nn"] == 1
    assert after["test/1-nn-untrained"] == before["test/1-nn-untrained"]
    assert after["test/1-nn-pixels"] == before["test/1-nn-pixels"]
    assert after["test/auc"] == 1


def test_an_encoder_of_ones_own_is_judged_but_not_by_what_it_was_before():
    pairs_task, theirs = task(), Brightness()
    with torch.no_grad():
        theirs.scale.copy_(torch.tensor([1.0, 0.0]))
    pairs_task.adopt(theirs)
    pairs_task.to(torch.device("cpu"))
    found = pairs_task.evaluate("test")
    assert found["test/1-nn"] == 1
    assert "test/1-nn-pixels" in found
    assert "test/1-nn-untrained" not in found
    assert len([some for some in pairs_task.probe() if some.kind == "embedding"]) == 1


@pytest.mark.data
def test_videos_from_a_list(real_data, tmp_path, monkeypatch):
    pytest.importorskip("av")
    if not Path(real_data, "ucf101_3class").is_dir():
        pytest.skip("$MMGRAPH_DATA does not hold UCF101")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    small = {"dataset": "ucf101", "frames": 8, "image_size": 16, "filters": 2, "epochs": 1, "device": "cpu"}
    folder, result = launch.train("metric-learning", small, runs=tmp_path)
    assert {"test/1-nn", "test/1-nn-untrained", "test/1-nn-pixels", "test/auc"} <= set(result.metrics)
    with RunReader(folder) as run:
        assert run.items().texts[0].endswith(".avi")
        assert {"embedding", "filters", "matrix"} <= {info.kind for info in run.snapshots()}
    broken = tmp_path / "pairs.txt"
    broken.write_text("v_Punch_g01_c03.avi v_Punch_g02_c03.avi 1\n")
    with pytest.raises(Exception, match="which is not there"):
        launch.train("metric-learning", small | {"pair_list": str(broken)}, runs=tmp_path)


def test_other_losses_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="contrastive or hinge"):
        launch.train("metric-learning", {"dataset": "ucf101", "loss": "triplet"}, runs=tmp_path)
