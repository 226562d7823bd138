"""The recipe `sequence-classification`."""

from __future__ import annotations

import pytest
import torch

from mmgraph.datasets.sequences import draw_curves
from mmgraph.errors import ConfigError, InputError
from mmgraph.recipes import launch, recipe
from mmgraph.recipes.sequence_classification.build import BLOCK, GAP, _block_parts, build, pictures
from mmgraph.runs import RunReader
from mmgraph.training.loop import TrainingLoop
from mmgraph.training.sequence_classification import SequenceClassification

SMALL = {"epochs": 2, "curves": 200, "hidden": 8, "batch_size": 16, "device": "cpu"}


def test_it_learns_curves_and_shows_its_gates(tmp_path):
    options = {
        "epochs": 8,
        "curves": 600,
        "hidden": 32,
        "batch_size": 16,
        "kind": "gru",
        "bidirectional": True,
        "device": "cpu",
    }
    folder, result = launch.train("sequence-classification", options, runs=tmp_path)
    assert result.metrics["test/accuracy"] > 0.6
    with RunReader(folder) as reader:
        layers = {info.layer for info in reader.snapshots()}
        assert len(reader.items()) == 120
    assert {"gates/update", "gates/reset", "head.input", "output", "confusion/validation"} <= layers


def test_a_run_that_was_stopped_goes_on_with_the_very_same_numbers(tmp_path, monkeypatch):
    whole, _ = launch.train("sequence-classification", SMALL, runs=tmp_path, run_name="whole")
    between = TrainingLoop.between_steps

    def stop_in_the_middle(loop, numbers):
        between(loop, numbers)
        if loop.progress.step == 12:
            loop.stop_reason = "test"

    monkeypatch.setattr(TrainingLoop, "between_steps", stop_in_the_middle)
    folder, part = launch.train("sequence-classification", SMALL, runs=tmp_path, run_name="part")
    monkeypatch.undo()
    assert part.state == "stopped"
    launch.resume(folder)
    series = []
    for run in (whole, folder):
        with RunReader(run) as reader:
            series.append(reader.series("train/loss").value.tolist())
    assert series[0] == series[1]
    assert len(series[0]) > 12


def test_stretches_of_a_recording_never_share_points():
    labels = torch.arange(4).repeat_interleave(1300)
    parts = _block_parts(labels, torch.Generator().manual_seed(0))
    rows = torch.cat(parts)
    assert len(rows.unique()) == len(rows)
    for one in range(3):
        for other in range(one):
            assert int((parts[one][:, None] - parts[other][None]).abs().min()) > GAP
    shares = [len(part) / len(rows) for part in parts]
    assert shares == pytest.approx([0.65, 0.15, 0.2], abs=0.06)
    assert len(rows) == 52 * (BLOCK - GAP)
    assert all(set(labels[part].tolist()) == {0, 1, 2, 3} for part in parts)


def test_pictures_are_of_the_curves():
    data = draw_curves(30)
    drawn = pictures(data.sequences, data.lengths)
    assert drawn.shape == (30, 32, 32)
    assert drawn.dtype == torch.uint8
    assert ((drawn > 0).sum(dim=(1, 2)) > 15).all()
    assert pictures(torch.zeros(1, 4, 2), torch.tensor([4]))[0, 16, 16] > 0


def test_bad_input_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="kind = lstm"):
        launch.train("sequence-classification", {**SMALL, "kind": "rnn", "coupled": True}, runs=tmp_path)
    task = build(recipe("sequence-classification").config(curves=60))
    with pytest.raises(InputError, match="test part"):
        SequenceClassification(
            task.model,
            {**task._sequences, "test": task._sequences["test"][:0]},
            task._lengths,
            task._labels,
            class_names=task.class_names,
            items=task.items(),
        )
