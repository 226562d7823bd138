from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import wavfile

from mmgraph.datasets import catalogue, load
from mmgraph.datasets.spoken_digits import SoundCollection, read_spoken_digits
from mmgraph.errors import DatasetCorruptError, InputError

REAL = os.environ.get("MMGRAPH_DATA", "")


def recording(value: float, samples: int, rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, np.full(samples, round(value * 32768), np.int16))
    return buffer.getvalue()


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return path


def test_recordings_in_order(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "recordings.zip",
        {
            "recordings/3_theo_10.wav": recording(0.5, 6),
            "recordings/3_theo_4.wav": recording(0.25, 3),
            "recordings/0_anna_0.wav": recording(-0.5, 2),
            "README.md": b"no sound",
        },
    )
    digits = read_spoken_digits(path)
    assert digits.labels.tolist() == [0, 3, 3]
    assert digits.lengths.tolist() == [2, 3, 6]
    assert digits.is_test.tolist() == [True, True, False]
    assert [digits.speaker_names[speaker] for speaker in digits.speakers] == ["anna", "theo", "theo"]
    assert digits.sounds.tolist() == [[-0.5] * 2 + [0.0] * 4, [0.25] * 3 + [0.0] * 3, [0.5] * 6]
    assert (digits.sample_rate, len(digits.class_names)) == (8000, 10)


def test_damage(tmp_path: Path) -> None:
    path = tmp_path / "recordings.zip"
    good = {"1_theo_0.wav": recording(0.1, 5)}
    for files, words in (
        ({"README": b""}, "none"),
        (good | {"2_theo_0.wav": recording(0.1, 5, 16000)}, r"\[8000, 16000\]"),
        (good | {"two_theo_0.wav": recording(0.1, 5)}, "not named"),
        (good | {"2_theo_0.wav": b"RIFF"}, r"2_theo_0\.wav"),
    ):
        with pytest.raises(DatasetCorruptError, match=words):
            read_spoken_digits(archive(path, files))
    path.write_bytes(b"no archive")
    with pytest.raises(DatasetCorruptError):
        read_spoken_digits(path)


def test_what_does_not_fit_together() -> None:
    one = torch.zeros(1)
    with pytest.raises(InputError, match="length, label, speaker"):
        SoundCollection("s", torch.zeros(2, 3), one, one, ("a",), 1, one, ("b",), one)


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="$MMGRAPH_DATA is not set")
def test_the_real_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMGRAPH_DATA", REAL)
    here = catalogue.locate("fsdd")
    if here is None or not here.complete:
        pytest.skip("$MMGRAPH_DATA does not hold FSDD")
    digits = load("fsdd")
    assert digits.labels.bincount().tolist() == [300] * 10
    assert (int(digits.is_test.sum()), len(digits.speaker_names), digits.sample_rate) == (300, 6, 8000)
    assert float(digits.lengths.float().mean()) / 8000 == pytest.approx(0.44, abs=0.01)
