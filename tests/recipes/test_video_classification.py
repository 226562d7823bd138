from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import wavfile

from mmgraph.errors import ConfigError, InputError
from mmgraph.inspection import Capture
from mmgraph.options import parse
from mmgraph.questions import Attention, Locate, Occlusion
from mmgraph.recipes import launch, recipe
from mmgraph.recipes.video_classification.build import build, classifier
from mmgraph.runs import ItemSet, RunReader
from mmgraph.training.clip_variation import ClipVariation
from mmgraph.training.video_classification import VideoClassification
from mmgraph.vision import Augmentation

SMALL = {"clips": 80, "frames": 5, "image_size": 16, "filters": 2, "stack": 3, "device": "cpu", "threads": 1}
MODELS = ("conv3d", "cnn-lstm", "two-stream", "fusion", "appearance", "motion", "sound", "single-frame")


def options(**values):
    return parse(recipe("video-classification").config, SMALL | values)


def curve(folder, tag="train/loss"):
    with RunReader(folder) as reader:
        return reader.series(tag).value.tolist()


def small_task(**arguments):
    config = options()
    model = classifier(config, 8)
    clips = torch.randint(0, 256, (6, 5, 3, 16, 16), generator=torch.Generator().manual_seed(0)).byte()
    labels = torch.arange(6)
    parts = dict.fromkeys(("train", "validation", "test"), clips)
    return VideoClassification(
        model,
        arguments.pop("clips", parts),
        dict.fromkeys(parts, labels),
        class_names=list("abcdefgh"),
        items=ItemSet(labels=labels.numpy()),
        probe=clips,
        capture=Capture(model),
        **arguments,
    )


@pytest.mark.parametrize("model", MODELS)
def test_every_model_trains_and_shows_its_frames(tmp_path, model):
    options = SMALL | {"model": model, "epochs": 1, "motion_network": "stack"}
    folder, result = launch.train("video-classification", options, runs=tmp_path)
    assert 0 <= result.metrics["test/accuracy"] <= 1
    with RunReader(folder) as reader:
        strip = reader.load(reader.snapshots(kind="image")[-1])
        prediction = reader.load(reader.snapshots(kind="prediction")[-1])
        items = reader.items()
    frames = strip.extras["predictions"]
    assert strip.array.shape == (12, 16 + 8 * 3, 5 * 16, 3)
    assert frames.shape == (20, 5, 8)
    assert strip.extras["prediction_rows"].tolist() == list(range(20))
    np.testing.assert_allclose(frames.sum(2), 1, atol=1e-5)
    if model in ("appearance", "single-frame", "cnn-lstm"):
        logits = np.log(frames).mean(1)
        assert (logits.argmax(1) == prediction.array[:20].argmax(1)).all()
    assert items.clips[19].shape == (5, 16, 16, 3)
    assert (items.clips.rate, items.sounds.rate) == (25, 4000)
    assert len(items.sounds[0]) == 5 * 4000 // 25
    assert items.thumbnails.shape == (20, 32, 32, 3)


def test_a_fusion_says_what_each_stream_knows_and_contributes(tmp_path):
    folder, result = launch.train(
        "video-classification", SMALL | {"model": "fusion", "epochs": 1}, runs=tmp_path
    )
    for name in ("appearance", "motion", "sound"):
        assert 0 <= result.metrics[f"test/accuracy_{name}_alone"] <= 1
    with RunReader(folder) as reader:
        last = {info.layer: reader.load(info) for info in reader.snapshots(step=result.step)}
    assert last["contributions/classes"].array.shape == (8, 3)
    assert last["contributions/classes"].notes["columns"] == ["appearance", "motion", "sound"]


def test_sound_is_cut_with_the_frames_of_a_window():
    frames = torch.arange(10.0).repeat(3, 1)
    clips = frames[..., None, None, None].expand(3, 10, 3, 4, 4)
    sounds = frames.repeat_interleave(160, 1)
    seen, heard = ClipVariation(4).with_sounds(clips, sounds, torch.Generator().manual_seed(0))
    assert seen.shape == (3, 4, 3, 4, 4)
    assert torch.equal(heard, seen[:, :, 0, 0, 0].repeat_interleave(160, 1))
    assert len(set(seen[:, 0, 0, 0, 0].tolist())) > 1


def test_sound_tells_what_it_can_and_nothing_more(tmp_path):
    common = {"clips": 480, "image_size": 16, "epochs": 12, "device": "cpu", "threads": 1}
    _, sound = launch.train("video-classification", common | {"model": "sound"}, runs=tmp_path)
    # Four classes by ear, the others in pairs: 75 % at best, give or take 120 test clips.
    assert 0.3 < sound.metrics["test/accuracy"] < 0.9


def test_clips_without_sound_are_fused_of_what_is_seen(monkeypatch):
    from mmgraph.recipes.video_classification import build as building

    made = building._shapes(options())
    silent = building.ClipParts(made.clips, made.labels, made.class_names, made.names)
    monkeypatch.setattr(building, "read_actions", lambda *_: silent)
    assert build(options(dataset="ucf101", model="fusion"))._classifier.names == ("appearance", "motion")
    with pytest.raises(ConfigError, match="do not all have a sound"):
        build(options(dataset="ucf101", model="sound"))


def test_a_data_set_decides_over_a_network():
    config = parse(recipe("video-classification").config, {"dataset": "ucf101", "model": "cnn-lstm"})
    assert (config.epochs, config.evaluate_every, config.window, config.learning_rate) == (40, 40, 8, 1e-2)


def test_motion_networks():
    from mmgraph.vision import Conv3dEncoder, FrameEncoder

    for kind, expected in (("conv3d", Conv3dEncoder), ("stack", FrameEncoder)):
        for motion in ("difference", "flow"):
            model = classifier(options(model="motion", motion_network=kind, motion=motion), 8)
            assert isinstance(model.encoder.encoder, expected)
            assert model(torch.rand(2, 5, 3, 16, 16)).shape == (2, 8)


def test_it_learns_what_a_single_frame_does_not_tell(tmp_path):
    common = {
        "clips": 320,
        "frames": 8,
        "image_size": 16,
        "epochs": 8,
        "motion_network": "stack",
        "stack": 3,
        "device": "cpu",
        "threads": 1,
    }
    _, motion = launch.train("video-classification", common | {"model": "motion"}, runs=tmp_path)
    _, single = launch.train("video-classification", common | {"model": "single-frame"}, runs=tmp_path)
    assert motion.metrics["test/accuracy"] > 0.4
    assert single.metrics["test/accuracy"] < 0.3


def test_a_resumed_run_is_the_uninterrupted_run(tmp_path):
    extra = {"model": "two-stream", "augment": True, "window": 4, "dropout": 0.2, "schedule": "constant"}
    whole, _ = launch.train("video-classification", SMALL | extra | {"epochs": 3}, runs=tmp_path)
    part, _ = launch.train("video-classification", SMALL | extra | {"epochs": 2}, runs=tmp_path)
    launch.resume(part, {"epochs": 3})
    assert curve(part) == curve(whole)
    assert curve(part, "validation/accuracy") == curve(whole, "validation/accuracy")


def test_a_clip_changes_as_a_whole_and_keeps_its_order():
    task = small_task(variation=ClipVariation(3, Augmentation(flip=1.0)), batch_size=6)
    (((clips,), labels),) = task.batches(0)
    whole = task.normalise(task._clips["train"])
    for clip, label in zip(clips, labels, strict=True):
        source = whole[label].flip(-1)
        assert any(torch.equal(clip, source[start : start + 3]) for start in range(3))
    ((again,), _) = next(iter(task.batches(0)))
    assert torch.equal(clips, again)
    assert not torch.equal(clips, next(iter(task.batches(1)))[0][0])


def test_bad_requests():
    with pytest.raises(InputError, match="at least 6 frames"):
        next(iter(small_task(variation=ClipVariation(6)).batches(0)))
    assert build(options(window=9))._variation.window == 5
    with pytest.raises(InputError, match="at least one frame"):
        ClipVariation(0)
    with pytest.raises(InputError, match="colours that stay"):
        ClipVariation(augmentation=Augmentation(colour=0.1))
    with pytest.raises(InputError, match="VideoFusion"):
        small_task(sounds={"train": torch.zeros(6, 800)})
    empty = torch.zeros(0, 5, 3, 16, 16, dtype=torch.uint8)
    with pytest.raises(InputError, match="at least one"):
        small_task(clips={"train": empty})


@pytest.mark.data
def test_ucf101_has_its_official_test_part(real_data, monkeypatch, tmp_path):
    pytest.importorskip("av")
    if not Path(real_data, "ucf101_3class").is_dir():
        pytest.skip("$MMGRAPH_DATA does not hold UCF101")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    values = {"dataset": "ucf101", "frames": 4, "window": 3, "image_size": 16, "filters": 2}
    task = build(parse(recipe("video-classification").config, values))
    sizes = {part: len(labels) for part, labels in task._labels.items()}
    assert sizes == {"train": 26, "validation": 6, "test": 21}
    assert task._labels["validation"].bincount().tolist() == [2, 2, 2]
    assert task.class_names == ("BabyCrawling", "Punch", "PushUps")
    assert os.listdir(tmp_path / "mmgraph" / "video")


# -- a person's own clip, picture or sound -----------------------------------------------------------------


def nobody(share, text, partial):
    pass


@pytest.fixture
def own(tmp_path: Path, write_video: Callable[..., Path]) -> dict[str, str]:
    """Files of each kind: a clip that sounds, one that is silent, its sound alone, a picture."""
    frames = np.random.default_rng(0).integers(0, 256, (9, 20, 24, 3)).astype(np.uint8)
    tone = (0.5 * np.sin(np.arange(2000) / 9)).astype(np.float32)
    wavfile.write(tmp_path / "tone.wav", 8000, tone)
    Image.fromarray(frames[0]).save(tmp_path / "picture.png")
    return {
        "clip": str(write_video(frames, "clip.avi", sound=tone, sample_rate=8000)),
        "silent": str(write_video(frames, "silent.avi")),
        "sound": str(tmp_path / "tone.wav"),
        "picture": str(tmp_path / "picture.png"),
    }


def test_a_fusion_takes_the_sound_track_with_the_clip(own):
    torch.manual_seed(0)
    task = build(options(model="fusion"))
    told = {
        name: {some.key: some for some in task.answer(Locate(file=file, k=2), nobody).snapshots}
        for name, file in own.items()
    }
    assert {name: ("image/item" in some, "matrix/sound" in some) for name, some in told.items()} == {
        "clip": (True, True),
        "silent": (True, False),
        "sound": (False, True),
        "picture": (True, False),
    }
    assert told["clip"]["image/item"].array.shape == (5, 16, 16, 3)
    assert told["clip"]["matrix/sound"].array.shape == (1, 1000)  # 4,000 samples in a second
    clip, sound = task.examined.inputs_of(Locate(file=own["clip"])).args
    with torch.no_grad():
        task.model.eval()
        both, seen, heard = (task.model(*some)[0] for some in ((clip, sound), (clip,), (None, sound)))
    for name, logits in {"clip": both, "silent": seen, "sound": heard}.items():
        found = told[name]["prediction/output"].array[0]
        np.testing.assert_allclose(found, logits.softmax(0).numpy(), atol=2e-3)
    assert not torch.allclose(both, seen)


def test_recorded_clips_are_asked_about_with_their_sounds():
    task = build(options(model="fusion"))
    recorded = {some.key: some for some in task.probe()}
    answer = task.answer(Locate(row=3, k=1), nobody)
    found = {some.key: some for some in answer.snapshots}
    for key in ("prediction/output", "embedding/fusion.answer.input"):
        np.testing.assert_allclose(found[key].array[0], recorded[key].array[3], rtol=1e-3, atol=1e-5)
    covered = task.answer(Occlusion(row=3, window=0.5), nobody)
    likely = covered.facts["probability"]
    assert likely == pytest.approx(float(recorded["prediction/output"].array[3].max()), abs=1e-4)


def test_a_model_that_only_hears_needs_a_sound(own):
    task = build(options(model="sound"))
    assert task.answer(Locate(file=own["sound"], k=1), nobody).facts["classes"]
    assert task.answer(Locate(file=own["clip"], k=1), nobody).facts["classes"]
    with pytest.raises(InputError, match="holds no sound"):
        task.answer(Locate(file=own["silent"]), nobody)
    with pytest.raises(InputError, match=r"'picture\.png' has nothing for this model, which only hears"):
        task.answer(Locate(file=own["picture"]), nobody)
    with pytest.raises(InputError, match="knows nothing of texts"):
        task.answer(Locate(text="left"), nobody)


def test_what_of_each_frame_is_in_a_clip_is_recorded_and_told_of_own_clips(tmp_path, own):
    chosen = SMALL | {"model": "cnn-lstm", "read": "attention", "epochs": 1}
    folder, _ = launch.train("video-classification", chosen, runs=tmp_path)
    with RunReader(folder) as reader:
        recorded = reader.load(reader.snapshots(kind="attention", layer="encoder.attends")[-1])
    assert recorded.array.shape == (20, 1, 1, 5)
    np.testing.assert_allclose(recorded.array.sum(3), 1, atol=1e-5)
    assert recorded.items == "items"
    assert recorded.notes == {
        "queries": ["the clip"],
        "keys": [f"frame {frame}" for frame in range(1, 6)],
        "over": "frames",
    }
    task = build(options(model="cnn-lstm", read="attention"))
    found = {some.key: some for some in task.answer(Attention(file=own["silent"]), nobody).snapshots}
    clip = task.examined.inputs_of(Locate(file=own["silent"])).args[0]
    with torch.no_grad():
        expected = task.model.eval().encoder.attention(clip)
    np.testing.assert_allclose(found["attention/encoder.attends"].array[0, 0], expected.numpy(), atol=1e-6)
    assert found["image/item"].array.shape == (5, 16, 16, 3)
    with pytest.raises(InputError, match="no layer of its model attends"):
        build(options(model="cnn-lstm")).answer(Attention(row=0), nobody)
