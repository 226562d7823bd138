from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import wavfile
from sklearn.datasets import load_digits

from mmgraph.datasets.digit_pairs import TONE_RATE, digit_tones
from mmgraph.datasets.one_sound import from_first_sound, read_one_sound
from mmgraph.errors import InputError
from mmgraph.inspection.answering import LIKELIEST
from mmgraph.options import parse
from mmgraph.questions import Locate
from mmgraph.recipes import launch, recipe
from mmgraph.recipes.multimodal_classification.build import build
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


# -- a person's own picture, sound or clip -----------------------------------------------------------------


def nobody(share, text, partial):
    pass


def task(**values):
    torch.manual_seed(0)
    made = build(parse(recipe("multimodal-classification").config, SMALL | {"probe_items": 20} | values))
    made.model.eval()
    return made


def found(answer):
    return {snapshot.key: snapshot for snapshot in answer.snapshots}


@pytest.fixture(scope="module")
def untrained():
    return task()


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """The tones of a seven at twice the rate, after some silence."""
    tones = digit_tones(torch.tensor([7]), generator=torch.Generator().manual_seed(5))[0].numpy()
    path = tmp_path / "seven.wav"
    wavfile.write(
        path, 2 * TONE_RATE, np.concatenate([np.zeros(999), np.repeat(tones, 2) / 2]).astype(np.float32)
    )
    return path


def test_a_recorded_item_is_found_with_both_of_its_modalities(untrained):
    answer = untrained.answer(Locate(row=4, k=3), nobody)
    recorded = {snapshot.key: snapshot for snapshot in untrained.probe()}
    vector = found(answer)["embedding/fused"].array
    np.testing.assert_allclose(vector[0], recorded["embedding/fused"].array[4], rtol=1e-4, atol=1e-5)
    assert len(answer.facts["classes"]) == LIKELIEST
    apart = np.linalg.norm(recorded["embedding/fused"].array - vector, axis=1)
    apart[4] = np.inf
    assert answer.facts["neighbours"][0]["row"] == int(apart.argmin())


def test_a_picture_is_made_faint_and_judged_alone(untrained, tmp_path):
    Image.fromarray((load_digits().images[3] * 255 / 16).astype(np.uint8)).save(tmp_path / "three.png")
    answer = untrained.answer(Locate(file=str(tmp_path / "three.png")), nobody)
    arrays = found(answer)
    assert arrays["image/item"].array.shape == (1, 8, 8, 1)
    assert "matrix/sound" not in arrays
    given = untrained.examined.inputs_of(Locate(file=str(tmp_path / "three.png"))).args[0]
    assert set(given) == {"image"}
    with torch.no_grad():
        expected = untrained.fusion(given).softmax(1)[0].numpy()
    np.testing.assert_allclose(arrays["prediction/output"].array[0], expected, rtol=1e-5)
    # It is faint: of the 64 numbers few components are left.
    assert np.unique(arrays["image/item"].array).size > 2
    assert answer.facts["classes"][0]["probability"] == pytest.approx(expected.max(), rel=1e-5)


def test_a_sound_goes_through_the_front_end_of_the_data(untrained, tone):
    answer = untrained.answer(Locate(file=str(tone), k=2), nobody)
    heard = found(answer)["matrix/sound"]
    assert heard.notes["sample_rate"] == TONE_RATE
    assert heard.array.shape == (1, round(0.1 * TONE_RATE))
    assert heard.array.dtype == np.int16
    given = untrained.examined.inputs_of(Locate(file=str(tone))).args[0]
    assert {name: tuple(value.shape) for name, value in given.items()} == {
        "sound": tuple(untrained.probe_inputs()[0]["sound"][:1].shape)
    }
    # Noise as strong as in the data is added: its picture has the mean and spread of all others, 0 and 1.
    assert abs(float(given["sound"].mean())) < 0.5
    assert float(given["sound"].std()) == pytest.approx(1, abs=0.5)
    (again,) = untrained.examined.inputs_of(Locate(file=str(tone))).args
    torch.testing.assert_close(again, given)
    assert len(answer.facts["neighbours"]) == 2


def test_of_a_clip_both_its_middle_and_its_sound(untrained, write_video: Callable[..., Path], tone):
    frames = np.stack([np.full((16, 20, 3), 20 * number, np.uint8) for number in range(9)])
    clip = write_video(frames, sound=wavfile.read(tone)[1], sample_rate=2 * TONE_RATE)
    given = untrained.examined.inputs_of(Locate(file=str(clip))).args[0]
    assert set(given) == {"image", "sound"}
    heard, alone = (from_first_sound(read_one_sound(file, TONE_RATE), 800) for file in (clip, tone))
    np.testing.assert_allclose(
        heard[:-10], alone[:-10], atol=0.02
    )  # filters differ where the sound breaks off
    sound = untrained._new_items.sound(torch.from_numpy(heard)[None])[1]
    torch.testing.assert_close(given["sound"], sound)
    silent = write_video(frames, "silent.avi")
    assert set(untrained.examined.inputs_of(Locate(file=str(silent))).args[0]) == {"image"}


def test_what_it_cannot_be_given(untrained, tone, tmp_path):
    with pytest.raises(InputError, match="knows nothing of texts"):
        untrained.answer(Locate(text="seven"), nobody)
    (tmp_path / "noise.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"noise\.png"):
        untrained.answer(Locate(file=str(tmp_path / "noise.png")), nobody)
    with pytest.raises(InputError, match=r"'seven\.wav' has nothing for this model, which only sees"):
        task(modalities="image").answer(Locate(file=str(tone)), nobody)
    Image.new("L", (9, 9)).save(tmp_path / "black.png")
    with pytest.raises(InputError, match=r"'black\.png' has nothing for this model, which only hears"):
        task(modalities="sound").answer(Locate(file=str(tmp_path / "black.png")), nobody)
