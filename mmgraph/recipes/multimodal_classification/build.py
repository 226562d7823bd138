"""The task of the recipe `multimodal-classification`."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from mmgraph import datasets
from mmgraph.datasets.digit_pairs import TONE_RATE, digit_tones, partners, with_noise, without_energy
from mmgraph.datasets.log_mel import LogMel
from mmgraph.fusion import Fusion
from mmgraph.recipes.multimodal_classification import MultimodalClassificationConfig
from mmgraph.runs import ItemSet, Recordings
from mmgraph.training.multimodal import MultimodalClassification, NewItems
from mmgraph.vision import ConvEncoder

if TYPE_CHECKING:
    from mmgraph.fusion.modalities import Missing, Strategy

BANDS = 32
SPOKEN_SECONDS = 0.64
SOUNDS_AT_ONCE = 500
VALIDATION_INDICES = 5
"""Recordings of each digit and speaker, after the official test ones, that choose the best weights."""

Parts = dict[str, Tensor]


def build(config: MultimodalClassificationConfig) -> MultimodalClassification:
    """Faint images and noisy sounds in three parts, and a fusion of their encoders."""
    generator = torch.Generator().manual_seed(config.seed)
    images, sounds, labels, rate = (
        _tones(config, generator) if config.dataset == "digits" else _spoken(config, generator)
    )
    trained = images["train"]
    faint = {part: without_energy(values, config.removed, like=trained) for part, values in images.items()}
    mel = LogMel(rate, BANDS, window_seconds=0.032, hop_seconds=0.02 if config.dataset != "digits" else 0.005)
    heard, audible = {}, torch.zeros(0)
    for part, values in sounds.items():
        bands: list[Tensor] = []
        for some in values.split(SOUNDS_AT_ONCE):
            noisy = with_noise(some, config.noise, generator=generator)
            if part == "test" and not bands:
                audible = noisy[: config.probe_items]
            bands.append(mel(noisy))
        heard[part] = torch.cat(bands)
    scale_image, scale_sound = _scale(faint["train"]), _scale(heard["train"])
    inputs = {
        "image": {part: scale_image(values.unsqueeze(1)) for part, values in faint.items()},
        "sound": {part: scale_sound(values) for part, values in heard.items()},
    }

    def see(pixels: Tensor) -> tuple[Tensor, Tensor]:
        left = without_energy(pixels.float(), config.removed, like=trained)
        return left, scale_image(left.unsqueeze(1))

    def hear(samples: Tensor) -> tuple[Tensor, Tensor]:
        # Other noise for every sound, as in the data, and the same whenever one is brought again.
        own = torch.Generator().manual_seed(zlib.crc32(samples.numpy().tobytes()))
        noisy = with_noise(samples, config.noise, generator=own)
        return noisy, scale_sound(mel(noisy))

    names = ("image", "sound") if config.modalities == "both" else (config.modalities,)
    shown = faint["test"][: config.probe_items]
    class_names = tuple(str(digit) for digit in range(10))
    return MultimodalClassification(
        _fusion(config, {name: inputs[name]["train"] for name in names}),
        {part: {name: inputs[name][part] for name in names} for part in labels},
        labels,
        class_names=class_names,
        items=ItemSet(
            labels=labels["test"][: config.probe_items].numpy(),
            class_names=class_names,
            thumbnails=shown.round().clamp(0, 255).to(torch.uint8).numpy(),
            sounds=Recordings.of_sounds(audible.numpy(), rate) if "sound" in names else None,
            noun="digit",
        ),
        new_items=NewItems((trained.shape[1], trained.shape[2]), sounds["train"].shape[1], rate, see, hear),
        alone=config.alone,
        batch_size=config.batch_size,
        seed=config.seed,
    )


def _fusion(config: MultimodalClassificationConfig, examples: Parts) -> Fusion:
    encoders: dict[str, nn.Module] = {}
    for name, example in examples.items():
        size = (example.shape[-2], example.shape[-1])
        channels = tuple(config.filters * 2**block for block in range(2 if min(size) < 16 else 3))
        encoders[name] = ConvEncoder(1, channels, config.dim, size, batch_norm=True)
    return Fusion(
        encoders,
        dict.fromkeys(encoders, config.dim),
        10,
        strategy=cast("Strategy", config.strategy),
        missing=cast("Missing", config.missing),
        dim=config.dim,
        dropout=config.dropout,
        modality_dropout=config.modality_dropout,
    )


def _scale(values: Tensor) -> Callable[[Tensor], Tensor]:
    """What brings values to mean 0 and standard deviation 1."""
    mean, std = values.mean(), values.std().clamp_min(1e-8)
    return lambda some: (some - mean) / std


def _tones(
    config: MultimodalClassificationConfig, generator: torch.Generator
) -> tuple[Parts, Parts, Parts, int]:
    """1,000 digits to learn from, 297 to choose the best weights, 500 to test on."""
    digits = datasets.load("digits")
    order = torch.randperm(len(digits.train_labels), generator=generator)
    rows = dict(zip(("train", "validation", "test"), order.split([1000, 297, 500]), strict=True))
    rows["train"] = rows["train"].repeat(config.copies)
    labels = {part: digits.train_labels[some] for part, some in rows.items()}
    images = {part: digits.train_images[some].float() for part, some in rows.items()}
    return (
        images,
        {part: digit_tones(of, generator=generator) for part, of in labels.items()},
        labels,
        TONE_RATE,
    )


def _spoken(
    config: MultimodalClassificationConfig, generator: torch.Generator
) -> tuple[Parts, Parts, Parts, int]:
    """Images of MNIST's test file, each with a recording of its digit; no image or recording is in two parts.

    Images 9,000 to 9,999 test, 8,000 to 8,999 choose the best weights, of the others the first are learned from.
    Recordings 0 to 4 of each digit and speaker test, 5 to 9 validate.
    """
    written, spoken = datasets.load("mnist", split="test"), datasets.load("fsdd")
    pictures, digits = written.test_images.float(), written.test_labels
    some = torch.arange(len(digits))
    rows = {
        "train": some[:8000][: config.training_items].repeat(config.copies),
        "validation": some[8000:9000],
        "test": some[9000:],
    }
    index = _indices(10 * spoken.speakers + spoken.labels)
    heard = {
        "train": index >= 2 * VALIDATION_INDICES,
        "validation": (index >= VALIDATION_INDICES) & (index < 2 * VALIDATION_INDICES),
        "test": spoken.is_test,
    }
    samples = round(SPOKEN_SECONDS * spoken.sample_rate)
    labels = {part: digits[of] for part, of in rows.items()}
    sounds = {}
    for part, of in labels.items():
        recordings = heard[part].nonzero().squeeze(1)
        chosen = recordings[partners(of, spoken.labels[recordings], generator=generator)]
        sounds[part] = spoken.sounds[chosen, :samples]
    return {part: pictures[of] for part, of in rows.items()}, sounds, labels, spoken.sample_rate


def _indices(groups: Tensor) -> Tensor:
    """How many rows of its group are before each row; (n,)."""
    same = groups.unsqueeze(0) == groups.unsqueeze(1)
    return same.tril(-1).sum(1)
