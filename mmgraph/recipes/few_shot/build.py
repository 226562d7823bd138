"""The task of the recipe `few-shot`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import torch

from mmgraph import datasets
from mmgraph.datasets import catalogue
from mmgraph.datasets.fetch import fetch
from mmgraph.datasets.image_collection import ImageCollection
from mmgraph.datasets.omniglot import read_trials
from mmgraph.inspection import Capture
from mmgraph.metric import Distance, MetricLoss, Siamese
from mmgraph.recipes.few_shot import FewShotConfig
from mmgraph.recipes.few_shot.parts import Parts, reduced, split_groups, with_rotated_classes
from mmgraph.runs import ItemSet
from mmgraph.training.few_shot import EpisodePlan, FewShot, Trial
from mmgraph.vision import Augmentation, ConvEncoder

if TYPE_CHECKING:
    from mmgraph.metric.distances import DistanceKind

MOST_BLOCKS = 4


def build(config: FewShotConfig) -> FewShot:
    """Drawings of disjoint classes, and a prototypical network over them."""
    collection = _collection(config)
    parts = split_groups(collection, config.train_on, config.validate_on, config.test_on)
    items, probe = _shown(parts, collection, config.probe_images)
    if config.rotated_classes:
        parts.images["train"], parts.labels["train"] = with_rotated_classes(
            parts.images["train"], parts.labels["train"], len(collection.class_names)
        )
    blocks = min(MOST_BLOCKS, config.image_size.bit_length() - 1)
    encoder = ConvEncoder(
        1,
        tuple(config.filters * 2**block for block in range(blocks)),
        None,
        config.image_size,
        batch_norm=True,
        pool_first=True,
    )
    distance = Distance(cast("DistanceKind", config.distance), normalize=config.normalize)
    return FewShot(
        Siamese(encoder, loss=MetricLoss("prototypical", distance=distance)),
        parts.images,
        parts.labels,
        EpisodePlan(
            train_ways=config.train_ways,
            shots=config.shots,
            queries=config.queries,
            episodes=config.episodes,
            ways=config.ways,
            validation_episodes=config.validation_episodes,
            test_episodes=config.test_episodes,
        ),
        items=items,
        probe=probe,
        capture=Capture(encoder, kinds=("filters", "feature_maps")),
        augment=Augmentation(
            rotation=config.rotation, stretch=config.stretch, shear=config.shear, shift=config.shift
        ),
        views=config.views,
        trials=_trials(config.image_size) if config.dataset == "omniglot" else (),
        temperature=config.temperature,
        every_role=config.every_role,
        seed=config.seed,
    )


def _collection(config: FewShotConfig) -> ImageCollection:
    if config.dataset == "omniglot":
        characters = datasets.load("omniglot")
        return replace(characters, images=reduced(characters.images, config.image_size))
    digits = datasets.load("digits")
    return ImageCollection(
        digits.name,
        reduced(digits.train_images, config.image_size),
        digits.train_labels,
        digits.class_names,
        torch.arange(digits.num_classes),
        digits.class_names,
    )


def _trials(size: int) -> list[Trial]:
    """The official one-shot trials; their alphabets are in no background set."""
    folder = fetch("omniglot", part="trials")
    (file,) = catalogue.manifest("omniglot").select("trials")
    return [
        Trial(
            reduced(trial.support, size),
            torch.arange(len(trial.support)),
            reduced(trial.queries, size),
            trial.answers,
        )
        for trial in read_trials(folder / file.path)
    ]


def _shown(parts: Parts, collection: ImageCollection, count: int) -> tuple[ItemSet, torch.Tensor]:
    """Whole classes of the test part, as many as fit."""
    labels = parts.labels["test"]
    order = torch.argsort(labels, stable=True)[:count]
    probe, kinds = parts.images["test"][order], labels[order]
    shown, dense = torch.unique(kinds, return_inverse=True)
    return (
        ItemSet(
            labels=dense.numpy(),
            class_names=tuple(collection.class_names[int(kind)] for kind in shown),
            thumbnails=probe.numpy(),
            noun="drawing",
        ),
        probe,
    )
