from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from mmgraph.datasets.wav_file import read_wav, read_wav_channels, resample
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError

TONE = 0.5 * np.sin(2 * np.pi * 300 * np.arange(4000) / 8000)


def by_wave_module(samples: np.ndarray, width: int, rate: int = 8000, channels: int = 1) -> bytes:
    """An oracle that shares no code with SciPy: whole numbers of 1 to 4 bytes."""
    if width == 1:
        raw = np.round(samples * 128 + 128).clip(0, 255).astype(np.uint8).tobytes()
    else:
        whole = np.round(samples * 2 ** (8 * width - 1)).astype("<i8")
        raw = b"".join(int(value).to_bytes(width, "little", signed=True) for value in whole)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(raw)
    return buffer.getvalue()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_of_whole_numbers(width: int) -> None:
    samples, rate = read_wav_channels(by_wave_module(TONE, width))
    assert (samples.shape, samples.dtype, rate) == ((4000, 1), np.float32, 8000)
    np.testing.assert_allclose(samples[:, 0], TONE, atol=2.0 ** (1 - 8 * width) + 1e-7)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floating_point_numbers(kind: type, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    wavfile.write(path, 8000, TONE.astype(kind))
    np.testing.assert_allclose(read_wav(path), TONE, atol=1e-6)
    wavfile.write(path, 8000, np.array([0, np.nan], kind))
    with pytest.raises(DatasetCorruptError, match="not numbers"):
        read_wav(path)


def test_channels_become_one() -> None:
    both = np.stack([TONE, -TONE / 2], 1)
    content = by_wave_module(both.flatten(), 2, channels=2)
    assert read_wav_channels(content)[0].shape == (4000, 2)
    np.testing.assert_allclose(read_wav(content), both.mean(1), atol=1e-4)


@pytest.mark.parametrize(("rate", "wanted"), [(44100, 8000), (8000, 16000), (11025, 8000), (8000, 8000)])
def test_other_rates(rate: int, wanted: int) -> None:
    before = np.sin(2 * np.pi * 300 * np.arange(rate) / rate).astype(np.float32)
    after = resample(before, rate, wanted)
    assert len(after) == wanted
    expected = np.sin(2 * np.pi * 300 * np.arange(wanted) / wanted)
    edge = wanted // 20
    np.testing.assert_allclose(after[edge:-edge], expected[edge:-edge], atol=2e-3)


def test_what_is_above_half_the_rate_does_not_come_back_as_another_tone() -> None:
    high = np.sin(2 * np.pi * 6000 * np.arange(44100) / 44100).astype(np.float32)
    assert np.abs(resample(high, 44100, 8000)[400:-400]).max() < 0.02


def test_one_sample_and_none() -> None:
    assert len(read_wav(by_wave_module(TONE[:1], 2))) == 1
    with pytest.raises(DatasetCorruptError, match="no sound"):
        read_wav(by_wave_module(TONE[:0], 2), name="silence.wav")


def test_remarks_in_the_file_do_not_matter() -> None:
    content = by_wave_module(TONE, 2)
    remark = content + b"LIST" + struct.pack("<I", 4) + b"INFO"
    np.testing.assert_allclose(read_wav(remark), TONE, atol=1e-4)


def test_damage(tmp_path: Path) -> None:
    content = by_wave_module(TONE, 2)
    for bad in (b"", b"RIFF", b"no sound at all", content[:20], content[:-500], content[:12] + bytes(100)):
        with pytest.raises(DatasetCorruptError, match=r"tone\.wav"):
            read_wav(bad, name="tone.wav")
    with pytest.raises(DatasetMissingError, match="absent"):
        read_wav(tmp_path / "absent.wav")
    for rate in (0, -8000):
        with pytest.raises(InputError, match="positive"):
            read_wav(content, rate)
