"""The task of the recipe `image-scoring`."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from mmgraph import datasets
from mmgraph.errors import CheckpointError, ConfigError
from mmgraph.inspection import Capture
from mmgraph.metric import score_bins
from mmgraph.recipes.image_scoring import ImageScoringConfig
from mmgraph.runs import ItemSet
from mmgraph.training.growth import Growth, GrowWhenStalled, ScaleRate, Widen
from mmgraph.training.image_scoring import ImageScoring, ScoredImages, ScoringModel
from mmgraph.vision import TINY_DARKNET, Augmentation, ConvNetwork, align_by_eyes, read_eyes

if TYPE_CHECKING:
    from mmgraph.datasets.image_collection import ImageCollection
    from mmgraph.training.image_scoring import RegressionLoss

SHARES = (0.7, 0.1, 0.2)
"""Of images for training, validation and test."""


def build(config: ImageScoringConfig) -> ImageScoring:
    """Images with scores in parts, and a network over them that may grow."""
    if config.pretrain_epochs >= config.epochs:
        raise ConfigError(
            f"Of {config.epochs} epochs {config.pretrain_epochs} are on pairs, so none is left for scores: give more "
            f"epochs."
        )
    grows = config.grow and config.pretrain_epochs > 0
    found = datasets.load("fine-detail" if config.dataset == "fine-detail" else "utkface")
    images, scores = _images(config, found), cast("Tensor", found.scores)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(config.seed))
    train, validation, test = order.split(_sizes(len(order)))
    true = scores if found.true_scores is None else found.true_scores
    labelled = train[: config.labelled]
    parts = {
        "pairs": ScoredImages(images[train], scores[train]),
        "train": ScoredImages(images[labelled], scores[labelled]),
        "validation": ScoredImages(images[validation], scores[validation]),
        "test": ScoredImages(images[test], true[test]),
    }
    width = config.width * (config.grow_from if grows else 1)
    encoder = ConvNetwork(TINY_DARKNET.scaled(width), 3, config.features)
    if config.weights is not None:
        load_encoder(encoder, Path(config.weights))
    probe = test[: config.probe_images]
    items = ItemSet(
        labels=score_bins(true, config.bins)[probe].numpy(),
        class_names=_bin_names(true, config.bins),
        thumbnails=images[probe].permute(0, 2, 3, 1).contiguous().numpy(),
        columns={"score": true[probe].float().numpy()},
        noun="face" if config.dataset == "utkface" else "surface",
    )
    return ImageScoring(
        ScoringModel(encoder, config.features),
        parts,
        items=items,
        probe=images[probe],
        capture=Capture(encoder, kinds=("filters", "feature_maps")),
        augmentation=Augmentation(
            config.rotation, config.scale, config.flip, config.colour, quarter_turns=config.quarter_turns
        ),
        pretrain_epochs=config.pretrain_epochs,
        bins=config.bins,
        margin=config.margin,
        weighted=config.weighted,
        loss=cast("RegressionLoss", config.loss),
        delta=config.delta,
        batch_size=config.batch_size,
        growth=_growth(config, encoder, images[:2]) if grows else None,
        rate_share=config.narrow_rate if grows else 1.0,
        head_rate=config.head_rate if config.pretrain_epochs else 1.0,
        seed=config.seed,
    )


def load_encoder(encoder: ConvNetwork, path: Path) -> None:
    """Put weights from a file into the layers of an encoder; its output layer may be another and stays as it is.

    Raises:
        CheckpointError: the file is not there or damaged, or its layers are not those of the encoder.
    """
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"'{path}' is not a readable file of weights ({error}).") from error
    layers = encoder.layers.state_dict()
    # A file of mere layers, a whole encoder, or a checkpoint of a run.
    for prefix in ("model.encoder.layers.", "layers.", ""):
        found = {name: weights[prefix + name] for name in layers if prefix + name in weights}
        if found:
            break
    wrong = [name for name, value in layers.items() if name not in found or found[name].shape != value.shape]
    if wrong:
        have = tuple(found[wrong[0]].shape) if wrong[0] in found else "nothing"
        raise CheckpointError(
            f"'{path}' does not fit the encoder: of '{wrong[0]}' it has {have}, expected "
            f"{tuple(layers[wrong[0]].shape)}. It needs the layers of Tiny Darknet in the width that is trained."
        )
    encoder.layers.load_state_dict(found)


def _growth(config: ImageScoringConfig, encoder: ConvNetwork, images: Tensor) -> Growth:
    """To all channels, and to the steps that suit them, when pairs stall, and for the scores at the latest."""
    target = ConvNetwork(TINY_DARKNET.scaled(config.width), 3, 1)
    widths = [target.get_submodule(name).weight.size(0) for name in target.convolutions]  # type: ignore[operator]
    wider = [
        Widen(f"encoder.{name}", width) for name, width in zip(encoder.convolutions, widths, strict=True)
    ]
    stalled = GrowWhenStalled(
        ((*wider, ScaleRate(1 / config.narrow_rate)),),
        "validation/distance-correlation",
        patience=config.grow_patience,
        min_delta=0.02,
        latest=config.pretrain_epochs,
    )
    return Growth([stalled], images.float() / 255, seed=config.seed)


def _images(config: ImageScoringConfig, found: ImageCollection) -> Tensor:
    """Pictures in three colours, aligned by the eyes where those are given, reduced in size where they are faces."""
    if config.dataset == "fine-detail":
        return found.images
    side = config.image_size
    if config.landmarks is not None:
        eyes = read_eyes(config.landmarks, len(found.images))
        return torch.cat(
            [
                align_by_eyes(*some, side)
                for some in zip(found.images.split(200), eyes.split(200), strict=True)
            ]
        )
    reduced = [
        torch.nn.functional.interpolate(
            some.float(), (side, side), mode="bilinear", antialias=True, align_corners=False
        )
        for some in found.images.split(200)
    ]
    return torch.cat(reduced).round().clamp(0, 255).to(torch.uint8)


def _sizes(count: int) -> list[int]:
    train, validation = (round(share * count) for share in SHARES[:2])
    return [train, validation, count - train - validation]


def _bin_names(scores: Tensor, bins: int) -> tuple[str, ...]:
    low, high = float(scores.min()), float(scores.max())
    edges = [low + (high - low) * edge / bins for edge in range(bins + 1)]
    return tuple(f"{first:.3g} to {last:.3g}" for first, last in itertools.pairwise(edges))
