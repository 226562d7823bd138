from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from mmgraph.datasets import one_sound
from mmgraph.datasets.one_sound import from_first_sound, is_sound, read_one_sound
from mmgraph.errors import InputError

MOMENT = np.arange(4000) / 8000
TONE = (0.5 * np.sin(2 * np.pi * 440 * MOMENT)).astype(np.float32)


def test_a_wav_file_of_two_channels_at_another_rate(tmp_path: Path) -> None:
    path = tmp_path / "tone.WAV"
    wavfile.write(path, 16000, np.stack([np.repeat(TONE, 2), np.zeros(8000, np.float32)], axis=1))
    assert is_sound(path)
    heard = read_one_sound(path, 8000)
    assert len(heard) == 4000
    # Of two channels the mean; the repeated samples are steps, whose edges the filter takes away.
    assert np.corrcoef(heard[100:-100], TONE[100:-100])[0, 1] > 0.99
    assert np.abs(heard[100:-100]).max() == pytest.approx(0.25, abs=0.02)


def test_the_sound_track_of_a_clip_and_a_clip_without(write_video: Callable[..., Path]) -> None:
    frames = np.zeros((5, 16, 16, 3), np.uint8)
    sounding = write_video(frames, sound=TONE)
    np.testing.assert_allclose(read_one_sound(sounding, 8000), TONE, atol=1e-3)
    silent = write_video(frames, "silent.avi")
    assert read_one_sound(silent, 8000, optional=True) is None
    with pytest.raises(InputError, match=r"'silent\.avi' holds no sound"):
        read_one_sound(silent, 8000)


@pytest.mark.parametrize("name", ["long.wav", "long.avi"])
def test_of_a_long_sound_the_first_part(
    tmp_path: Path, write_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(one_sound, "MOST_SECONDS", 0.25 if name.endswith("avi") else 1)
    long = np.tile(TONE, 6)
    if name.endswith("avi"):
        path = write_video(np.zeros((5, 16, 16, 3), np.uint8), name, sound=long)
    else:
        path = tmp_path / name
        wavfile.write(path, 8000, long)
    count = 2000 if name.endswith("avi") else 8000
    np.testing.assert_allclose(read_one_sound(path, 8000), long[:count], atol=1e-3)


def header(rate: int, size: int = 8) -> bytes:
    """A WAV file of 8 bits that says its rate and holds so many samples."""
    form = struct.pack("<HHIIHH", 1, 1, rate, rate, 1, 8)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size) + bytes(size)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("words.wav", b"hello, this is no sound", r"'words\.wav' is not a WAV file"),
        ("cut.wav", header(8000)[:30], r"'cut\.wav' is not a WAV file"),
        ("empty.wav", header(8000, size=0), "holds no sound"),
        ("fast.wav", header(4_000_000_000), "announces 4,000,000,000 samples"),
        ("words.mp3", b"hello, this is no sound", r"words\.mp3 is not"),
    ],
    ids=["words", "cut", "empty", "fast", "other"],
)
def test_what_is_no_sound(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_one_sound(path, 8000)


def test_a_rate_of_one_a_second_makes_no_more_than_a_minute(tmp_path: Path) -> None:
    wavfile.write(tmp_path / "slow.wav", 1, np.zeros(100_000, np.uint8))
    assert len(read_one_sound(tmp_path / "slow.wav", 100)) == 6000


def test_missing_and_huge_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_one_sound(tmp_path / "gone.wav", 8000)
    with (tmp_path / "huge.wav").open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(InputError, match="larger than 64 MB"):
        read_one_sound(tmp_path / "huge.wav", 8000)


def test_it_begins_where_there_is_something_to_hear() -> None:
    sound = np.concatenate([np.full(50, 0.01), np.array([0.2, -1.0, 0.5]), np.zeros(10)]).astype(np.float32)
    np.testing.assert_array_equal(from_first_sound(sound, 5), sound[50:55])
    padded = from_first_sound(sound, 20)
    np.testing.assert_array_equal(padded, np.concatenate([sound[50:], np.zeros(7, np.float32)]))
    assert from_first_sound(np.zeros(3, np.float32), 4).tolist() == [0, 0, 0, 0]
    assert from_first_sound(np.zeros(0, np.float32), 2).tolist() == [0, 0]
