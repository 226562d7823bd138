"""Digits seen and heard, both badly: what AV-MNIST is about, from any images and sounds of digits."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmgraph.errors import InputError

TONE_RATE = 8000
_ROWS, _COLUMNS = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0)
_KEYS = ((3, 1), *((digit // 3, digit % 3) for digit in range(9)))
"""Row and column of 0 … 9 on a telephone."""


def without_energy(images: Tensor, removed: float = 0.75, *, like: Tensor | None = None) -> Tensor:
    """Images of which only the strongest principal components are left.

    x ← μ + Σ_{j ≤ k} u_j u_jᵀ (x − μ),  k the fewest components with a share 1 − removed of the variance

    Args:
        images: what is changed.
        removed: share of the energy (variance) that goes.
        like: images that μ and u are taken of, such as the training part; the same ones by default.

    Shapes:
        images (n, height, width), like (m, height, width): (n, height, width) float32.

    Raises:
        InputError: sizes that differ, too few images to measure, or a share outside 0 … 1.

    Source: Vielzeuf et al., "CentralNet: a multilayer approach for multimodal fusion", ECCV workshops 2018.
    """
    like = images if like is None else like
    if not 0 <= removed < 1 or len(like) < 2 or images.dim() != 3 or images.shape[1:] != like.shape[1:]:
        raise InputError(
            f"Expected images (n, height, width), at least two of the same size to measure, and a share from 0 to "
            f"below 1, but got {tuple(images.shape)}, {tuple(like.shape)} and {removed}."
        )
    pixels = like.flatten(1).double()
    mean = pixels.mean(0)
    values, vectors = torch.linalg.eigh((pixels - mean).T @ (pixels - mean))
    share = values.flip(0).clamp_min(0).cumsum(0) / values.clamp_min(0).sum().clamp_min(1e-300)
    kept = int((share < 1 - removed - 1e-12).sum()) + 1
    basis = vectors.flip(1)[:, :kept]
    left: Tensor = mean + (images.flatten(1).double() - mean) @ basis @ basis.T
    return left.float().view(images.shape)


def digit_tones(labels: Tensor, *, seconds: float = 0.1, generator: torch.Generator) -> Tensor:
    """The two tones by which a telephone sends each digit, with random phases.

    sin(2π f_row t + φ₁) + sin(2π f_column t + φ₂)

    Shapes:
        labels (n,) from 0 to 9: (n, samples) float32.

    Units: `TONE_RATE` samples per second.

    Raises:
        InputError: a label that is no digit.

    Source: ITU-T recommendation Q.23.
    """
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) <= 9:
        raise InputError(f"Expected digits, but got labels {int(labels.min())} to {int(labels.max())}.")
    keys = torch.tensor([(_ROWS[row], _COLUMNS[column]) for row, column in _KEYS])
    moments = torch.arange(round(seconds * TONE_RATE)) / TONE_RATE
    phases = 2 * math.pi * torch.rand(len(labels), 2, 1, generator=generator)
    return torch.sin(2 * math.pi * keys[labels].unsqueeze(2) * moments + phases).sum(1)


def with_noise(sounds: Tensor, ratio: float, *, generator: torch.Generator) -> Tensor:
    """White noise `ratio` times as strong as the sound itself, silence included; sounds are brought to strength 1.

    x ← x / rms(x) + ratio · ε,  ε ~ N(0, 1)

    Shapes:
        sounds (n, samples): (n, samples).

    Raises:
        InputError: a negative ratio.
    """
    if not ratio >= 0:
        raise InputError(f"Expected a ratio of noise to sound of at least 0, but got {ratio}.")
    strength = sounds.square().mean(1, keepdim=True).sqrt().clamp_min(1e-12)
    return sounds / strength + ratio * torch.randn(sounds.shape, generator=generator)


def partners(labels: Tensor, others: Tensor, *, generator: torch.Generator) -> Tensor:
    """For each item a random one of the other kind that is of its class.

    Shapes:
        labels (n,), others (m,): rows of others (n,).

    Raises:
        InputError: the others have none of a class.
    """
    rows = torch.empty_like(labels)
    for label in labels.unique():
        wanted, there = labels == label, (others == label).nonzero().squeeze(1)
        if len(there) == 0:
            raise InputError(
                f"Expected items of class {int(label)} to choose partners from, but there are none."
            )
        rows[wanted] = there[torch.randint(len(there), (int(wanted.sum()),), generator=generator)]
    return rows
