from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.signal import stft

from mmgraph.datasets.log_mel import LogMel, mel_bands
from mmgraph.errors import InputError

RATE = 8000


def tone(frequency: float, seconds: float = 0.5) -> torch.Tensor:
    return torch.sin(2 * math.pi * frequency * torch.arange(int(seconds * RATE)) / RATE)


def test_energy_is_that_of_another_transform() -> None:
    sound = torch.randn(4000, generator=torch.Generator().manual_seed(0)).double()
    front = LogMel(RATE, 20, floor=1e-12).double()
    result = front(sound)
    window = np.hanning(len(front.window) + 1)[:-1]
    padded = np.pad(window, (front.length - len(window)) // 2)
    _, _, spectrum = stft(
        sound.numpy(), window=padded, nperseg=front.length, noverlap=front.length - front.hop, padded=False
    )
    energy = np.abs(spectrum * padded.sum()) ** 2
    expected = np.log(front.weights.numpy() @ energy + 1e-12)
    assert result.shape == (1, 20, 1 + 4000 // 80)
    np.testing.assert_allclose(result[0].numpy()[:, : expected.shape[1]], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("frequency", [100, 440, 1000, 3000])
def test_a_tone_is_loudest_in_its_band(frequency: float) -> None:
    front = LogMel(RATE, 30)
    loudest = front(tone(frequency))[0].mean(1).argmax()
    mel = 2595 * math.log10(1 + frequency / 700)
    low, high = (2595 * math.log10(1 + f / 700) for f in (20, RATE / 2))
    assert abs(float(loudest) - ((mel - low) / (high - low) * 31 - 1)) <= 1


def test_bands_cover_every_pitch_once() -> None:
    weights = mel_bands(RATE, 2049, 25, 0, RATE / 2)
    sums = weights.sum(0)
    first, last = (int(weights[band].argmax()) for band in (0, -1))
    assert torch.allclose(sums[first + 1 : last], torch.ones(last - first - 1), atol=1e-5)
    assert bool((weights >= 0).all())


def test_each_sound_of_a_batch_alone_and_silence() -> None:
    front = LogMel(RATE)
    sounds = torch.stack([tone(300), tone(900), torch.zeros(4000)])
    pictures = front(sounds)
    assert pictures.shape == (3, 1, 40, 51)
    assert torch.allclose(pictures[1], front(sounds[1]), atol=1e-5)
    assert torch.allclose(pictures[2], torch.full_like(pictures[2], math.log(1e-6)))
    assert front(torch.zeros(1)).shape == (1, 40, 1)


def test_no_sound_at_all() -> None:
    assert LogMel(8000)(torch.zeros(0, 800)).shape == LogMel(8000)(torch.zeros(1, 800))[:0].shape


def test_bad_requests() -> None:
    for bad in (
        {"sample_rate": 0},
        {"bands": 0},
        {"hop_seconds": 0.0},
        {"lowest": 5000.0},
        {"highest": 4001.0},
        {"floor": 0.0},
    ):
        with pytest.raises(InputError, match="Expected a positive"):
            LogMel(**({"sample_rate": RATE} | bad))
    with pytest.raises(InputError, match="fewer bands"):
        LogMel(RATE, 400)
    for sound in (torch.zeros(0), torch.zeros(1, 2, 3), torch.zeros(100, dtype=torch.int16)):
        with pytest.raises(InputError, match="sound"):
            LogMel(RATE)(sound)
