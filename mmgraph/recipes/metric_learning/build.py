"""The task of the recipe `metric-learning`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from mmgraph import datasets
from mmgraph.inspection import Capture
from mmgraph.metric import Distance, MetricLoss, Siamese
from mmgraph.recipes.metric_learning import MetricLearningConfig
from mmgraph.runs import ItemSet
from mmgraph.training.metric_learning import MetricLearning
from mmgraph.vision import ConvEncoder

if TYPE_CHECKING:
    from mmgraph.metric.distances import DistanceKind
    from mmgraph.metric.metric_loss import LossKind
    from mmgraph.metric.mining import MinerKind

HELD_IMAGES = 5000
"""Training images of Fashion-MNIST that choose the best weights."""


@dataclass(frozen=True)
class Parts:
    """Pictures and labels of each part."""

    images: dict[str, Tensor]
    labels: dict[str, Tensor]
    class_names: tuple[str, ...]
    noun: str


def build(config: MetricLearningConfig) -> MetricLearning:
    """Images or videos in three parts, and a Siamese network over them."""
    if config.dataset == "ucf101":
        from mmgraph.recipes.metric_learning.videos import build_videos

        return build_videos(config)
    parts = {"digits": _digits, "fashion-mnist": _clothes, "orl-faces": _faces}[config.dataset](config)
    size = (parts.images["train"].shape[-2], parts.images["train"].shape[-1])
    blocks = 2 if min(size) < 16 else 3
    encoder = ConvEncoder(
        1,
        tuple(config.filters * 2**block for block in range(blocks)),
        config.embedding,
        size,
        batch_norm=True,
    )
    distance = Distance(cast("DistanceKind", config.distance), normalize=config.normalize)
    loss = MetricLoss(
        cast("LossKind", config.loss),
        distance=distance,
        miner=cast("MinerKind", config.miner),
        margin=config.margin,
        temperature=config.temperature,
    )
    probe, labels = parts.images["test"][: config.probe_images], parts.labels["test"][: config.probe_images]
    items = ItemSet(
        labels=labels.numpy(), class_names=parts.class_names, thumbnails=probe.numpy(), noun=parts.noun
    )
    return MetricLearning(
        Siamese(encoder, loss=loss),
        parts.images,
        parts.labels,
        items=items,
        probe=probe,
        capture=Capture(encoder, kinds=("filters", "feature_maps")),
        classes_per_batch=config.classes_per_batch,
        items_per_class=config.items_per_class,
        seed=config.seed,
    )


def _digits(config: MetricLearningConfig) -> Parts:
    """1,000 to learn from, 297 to choose the best weights, 500 to test on."""
    digits = datasets.load("digits")
    order = torch.randperm(len(digits.train_labels), generator=torch.Generator().manual_seed(config.seed))
    rows = dict(zip(("train", "validation", "test"), order.split([1000, 297, 500]), strict=True))
    return Parts(
        {part: digits.train_images[some] for part, some in rows.items()},
        {part: digits.train_labels[some] for part, some in rows.items()},
        digits.class_names,
        "digit",
    )


def _clothes(config: MetricLearningConfig) -> Parts:
    clothes = datasets.load("fashion-mnist")
    order = torch.randperm(len(clothes.train_labels), generator=torch.Generator().manual_seed(config.seed))
    held, rows = order[:HELD_IMAGES], order[HELD_IMAGES:]
    return Parts(
        {
            "train": clothes.train_images[rows],
            "validation": clothes.train_images[held],
            "test": clothes.test_images,
        },
        {
            "train": clothes.train_labels[rows],
            "validation": clothes.train_labels[held],
            "test": clothes.test_labels,
        },
        clothes.class_names,
        "image",
    )


def _faces(config: MetricLearningConfig) -> Parts:
    """People to test on are never trained on; two pictures of each of the others choose the best weights."""
    faces = datasets.load("orl-faces")
    generator = torch.Generator().manual_seed(config.seed)
    people = torch.randperm(len(faces.class_names), generator=generator)
    unseen = torch.isin(faces.labels, people[: config.unseen_classes])
    order = torch.randperm(len(faces.labels), generator=generator)
    known = order[~unseen[order]]
    held = torch.cat([known[faces.labels[known] == person][:2] for person in people[config.unseen_classes :]])
    rows = {
        "train": known[~torch.isin(known, held)],
        "validation": held,
        "test": torch.nonzero(unseen).flatten(),
    }
    side = config.image_size
    resized = torch.nn.functional.interpolate(
        faces.images.unsqueeze(1).float(), (side, side), mode="bilinear", antialias=True, align_corners=False
    )
    images = resized.squeeze(1).round().clamp(0, 255).to(torch.uint8)
    return Parts(
        {part: images[some] for part, some in rows.items()},
        {part: faces.labels[some] for part, some in rows.items()},
        faces.class_names,
        "face",
    )
