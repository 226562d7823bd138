from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from mmgraph.datasets.digit_pairs import TONE_RATE, digit_tones, partners, with_noise, without_energy
from mmgraph.errors import InputError


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_what_is_left_is_what_scikit_learn_keeps():
    images = torch.rand(60, 4, 5, generator=generator()) * torch.linspace(0, 3, 20).view(4, 5)
    other = torch.rand(7, 4, 5, generator=generator())
    left = without_energy(other, 0.6, like=images)
    pca = PCA(0.4, svd_solver="full").fit(images.flatten(1).double().numpy())
    expected = pca.inverse_transform(pca.transform(other.flatten(1).double().numpy()))
    np.testing.assert_allclose(left.flatten(1).numpy(), expected, atol=1e-5)


def test_nothing_removed_is_everything_kept():
    images = torch.rand(50, 3, 3, generator=generator())
    torch.testing.assert_close(without_energy(images, 0.0), images)
    left = without_energy(images, 0.75)
    assert 0.25 <= float(left.var(0).sum() / images.var(0).sum()) < 0.6
    for bad in (images[:1], images[0]):
        with pytest.raises(InputError, match="at least two"):
            without_energy(bad, 0.5)
    with pytest.raises(InputError, match="share"):
        without_energy(images, 1.0)


def test_each_digit_has_the_tones_of_a_telephone():
    sounds = digit_tones(torch.arange(10), seconds=0.5, generator=generator())
    spectrum = torch.fft.rfft(sounds).abs()
    for digit, pair in {0: (941, 1336), 1: (697, 1209), 5: (770, 1336), 9: (852, 1477)}.items():
        loudest = spectrum[digit].topk(2).indices.sort().values * TONE_RATE / sounds.size(1)
        np.testing.assert_allclose(loudest.numpy(), pair, atol=2.1)
    with pytest.raises(InputError, match="digits"):
        digit_tones(torch.tensor([10]), generator=generator())


def test_noise_is_as_strong_as_asked():
    sounds = 5 * torch.sin(torch.arange(4000) / 7).repeat(3, 1)
    noisy = with_noise(sounds, 2.0, generator=generator())
    assert float(noisy.std()) == pytest.approx(5**0.5, rel=0.05)
    torch.testing.assert_close(with_noise(sounds, 0.0, generator=generator()).square().mean(1), torch.ones(3))
    assert with_noise(torch.zeros(1, 9), 1.0, generator=generator()).isfinite().all()
    with pytest.raises(InputError, match="ratio"):
        with_noise(sounds, -1.0, generator=generator())


def test_partners_are_of_the_same_class():
    labels, others = torch.tensor([0, 2, 2, 1, 0]), torch.tensor([2, 0, 1, 1, 0, 2])
    assert torch.equal(others[partners(labels, others, generator=generator())], labels)
    many = partners(torch.zeros(200, dtype=torch.int64), others, generator=generator())
    assert set(many.tolist()) == {1, 4}
    with pytest.raises(InputError, match="class 3"):
        partners(torch.tensor([3]), others, generator=generator())
