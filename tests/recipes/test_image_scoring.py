from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmgraph.errors import CheckpointError, ConfigError, InputError
from mmgraph.inspection.weights_file import read_weights
from mmgraph.options import parse
from mmgraph.recipes import launch, recipe
from mmgraph.recipes.opening import open_model
from mmgraph.runs import RunReader

SMALL = {
    "epochs": 4,
    "pretrain_epochs": 3,
    "grow_patience": 1,
    "width": 0.125,
    "probe_images": 20,
    "device": "cpu",
    "threads": 1,
}


def curve(folder, tag):
    with RunReader(folder) as reader:
        return reader.series(tag).value.tolist()


def growth(folder):
    with RunReader(folder) as reader:
        return [(event.step, event.message) for event in reader.poll().events if event.kind == "growth"]


def test_it_grows_shows_and_scores(tmp_path):
    folder, result = launch.train("image-scoring", SMALL, runs=tmp_path)
    assert result.state == "finished"
    assert -1 <= result.metrics["test/pearson"] <= 1
    assert result.metrics["cpu-seconds"] > 0
    grown = growth(folder)
    assert [step for step, _ in grown] == [2 * 32] or [step for step, _ in grown] == [3 * 32]
    assert "widened encoder.layers.2.conv" in grown[0][1]
    assert grown[0][1].endswith("learning rate × 0.5")
    assert len(curve(folder, "validation/distance-correlation")) == 3
    assert len(curve(folder, "validation/pearson")) == 1
    with RunReader(folder) as reader:
        items = reader.items()
        assert items.thumbnails.shape == (20, 32, 32, 3)
        assert set(items.columns) == {"score"}
        kinds = {info.kind for info in reader.snapshots(step=result.step)}
        filters = reader.load(reader.snapshots(kind="filters")[-1])
        first = reader.load(reader.snapshots(kind="filters")[0])
    assert {"embedding", "filters", "feature_maps", "matrix"} <= kinds
    assert len(filters.array) > len(first.array)


def test_weights_of_a_grown_network_open_and_can_be_asked(tmp_path):
    """Also those that another program exported: the shapes say how the network grew."""
    options = {name: value for name, value in SMALL.items() if name != "threads"}
    folder, result = launch.train("image-scoring", SMALL, runs=tmp_path, run_name="trained")
    weights = read_weights(folder / "checkpoints" / "best.safetensors")
    torch.save({"state_dict": weights}, tmp_path / "grown.pt")
    opened = open_model(tmp_path / "grown.pt", recipe_name="image-scoring", values=options, runs=tmp_path)
    assert curve(opened, "test/pearson") == pytest.approx([result.metrics["test/pearson"]], abs=1e-5)
    with RunReader(folder) as before, RunReader(opened) as after:
        trained = before.load(before.snapshots(kind="filters", step=result.step)[0])
        shown = after.load(after.snapshots(kind="filters")[0])
    assert shown.array.shape == trained.array.shape
    task, *_ = launch.trained_task(opened)  # the checkpoint of the opened run says how it grew
    assert {name: value.shape for name, value in task.model.state_dict().items()} == {
        name: value.shape for name, value in weights.items()
    }
    wrong = {**options, "width": 0.5}
    with pytest.raises(CheckpointError, match=r"fit the model of image-scoring: .* options have to be those"):
        open_model(tmp_path / "grown.pt", recipe_name="image-scoring", values=wrong, runs=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_killed_run_resumes_to_the_uninterrupted_one(tmp_path):
    whole, _ = launch.train("image-scoring", SMALL, runs=tmp_path, run_name="whole")
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    arguments += ["--checkpoint-seconds=0", f"--runs={tmp_path}", "--name=killed"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mmgraph", "train", "image-scoring", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = tmp_path / "killed"
    try:
        while process.poll() is None and not ((folder / "run.db").is_file() and growth(folder)):
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert growth(folder)
    launch.resume(folder)
    for tag in ("train/loss", "validation/distance-correlation", "validation/pearson", "test/pearson"):
        assert curve(folder, tag) == curve(whole, tag)
    # A growth whose checkpoint was not yet written when the run was killed is made, and logged, once more.
    assert dict(growth(folder)) == dict(growth(whole))


def test_weights_from_a_file_begin_the_encoder(tmp_path):
    options = SMALL | {"grow": False, "pretrain_epochs": 0, "epochs": 1}
    config = recipe("image-scoring").config
    donor = recipe("image-scoring").build(parse(config, options)).model.encoder
    for value in donor.parameters():
        value.data.fill_(0.25)
    path = tmp_path / "weights.safetensors"
    save_file(donor.state_dict(), path)
    encoder = recipe("image-scoring").build(parse(config, options | {"weights": str(path)})).model.encoder
    assert all(bool((value == 0.25).all()) for value in encoder.layers.parameters())
    assert not bool((encoder.output.weight == 0.25).all())
    for wrong in ({"width": 0.25}, {"weights": str(tmp_path / "absent")}):
        with pytest.raises(CheckpointError, match=r"does not fit|not a readable"):
            recipe("image-scoring").build(parse(config, options | {"weights": str(path)} | wrong))


def test_scores_need_epochs_too():
    config = recipe("image-scoring").config
    with pytest.raises(ConfigError, match="none is left for scores"):
        recipe("image-scoring").build(parse(config, SMALL | {"pretrain_epochs": 4}))


@pytest.mark.data
def test_faces_are_aligned_where_eyes_are_given(tmp_path, real_data):
    path = tmp_path / "eyes.csv"
    options = SMALL | {"dataset": "utkface", "image_size": 32, "probe_images": 5}
    config = recipe("image-scoring").config
    path.write_text("left_x,left_y,right_x,right_y\n" + "59.5,79.5,139.5,79.5\n" * 1956)
    plain, aligned = (
        recipe("image-scoring").build(parse(config, options | more))
        for more in ({}, {"landmarks": str(path)})
    )
    shown, again = (made.items().thumbnails.astype(float) for made in (plain, aligned))
    assert shown.shape == (5, 32, 32, 3)
    assert np.corrcoef(shown.ravel(), again.ravel())[0, 1] > 0.9
    assert torch.isfinite(plain.loss(next(plain.batches(0)))[0])
    path.write_text("left_x,left_y,right_x,right_y\n1,1,2,2\n")
    with pytest.raises(InputError, match="1 rows"):
        recipe("image-scoring").build(parse(config, options | {"landmarks": str(path)}))
