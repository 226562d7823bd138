from __future__ import annotations

import math

import pytest
import torch

from mmgraph.datasets.log_mel import LogMel
from mmgraph.errors import InputError
from mmgraph.vision import SoundEncoder


def encoder() -> SoundEncoder:
    torch.manual_seed(0)
    return SoundEncoder(LogMel(4000, 17), (3, 4), 5).eval()


def tone(pitch: float, samples: int = 4000) -> torch.Tensor:
    return torch.sin(2 * math.pi * pitch * torch.arange(samples) / 4000).unsqueeze(0)


def test_a_sound_is_the_mean_of_its_moments() -> None:
    sounds = torch.randn(2, 1000)
    steps = encoder().steps(sounds)
    # 26 windows, halved twice and rounded up.
    assert steps.shape == (2, 7, 5)
    torch.testing.assert_close(encoder()(sounds), steps.mean(1))


def test_which_pitch_counts_and_not_when() -> None:
    silence = torch.zeros(1, 4000)
    early, late = silence.clone(), silence.clone()
    early[:, 800:1600], late[:, 2400:3200] = tone(500, 800), tone(500, 800)
    other = silence.clone()
    other[:, 800:1600] = tone(1500, 800)
    model = encoder()
    torch.testing.assert_close(model(early), model(late), atol=1e-3, rtol=1e-3)
    assert float((model(early) - model(other)).detach().abs().max()) > 0.01


@pytest.mark.parametrize("samples", [1, 39, 40, 4001])
def test_sounds_of_any_length_and_none(samples: int) -> None:
    assert encoder()(torch.randn(2, samples)).shape == (2, 5)
    assert bool(torch.isfinite(encoder()(torch.zeros(1, samples))).all())
    assert encoder()(torch.zeros(0, 400)).shape == (0, 5)


def test_it_learns() -> None:
    model = encoder().train()
    model(torch.randn(3, 800)).square().sum().backward()
    assert all(bool(torch.isfinite(parameter.grad).all()) for parameter in model.parameters())


def test_bad_requests() -> None:
    mel = LogMel(4000, 17)
    for make in (
        lambda: SoundEncoder(mel, ()),
        lambda: SoundEncoder(mel, out_features=0),
        lambda: SoundEncoder(mel, kernel_size=2),
        lambda: SoundEncoder(mel, dropout=2.0),
        lambda: encoder()(torch.zeros(800)),
        lambda: encoder()(torch.zeros(2, 0)),
        lambda: encoder()(torch.zeros(2, 800, dtype=torch.int64)),
    ):
        with pytest.raises(InputError, match="Expected"):
            make()
