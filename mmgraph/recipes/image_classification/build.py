"""The task of the recipe `image-classification`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch

from mmgraph import datasets
from mmgraph.errors import ConfigError
from mmgraph.inspection import Capture
from mmgraph.recipes.image_classification import ImageClassificationConfig
from mmgraph.runs import ItemSet
from mmgraph.training.classification import ImageClassification
from mmgraph.vision import LeNet

if TYPE_CHECKING:
    from mmgraph.datasets.images import ImageDataset


def build(config: ImageClassificationConfig) -> ImageClassification:
    """Images and a LeNet-style network."""
    data = cast("ImageDataset", datasets.load(config.dataset))
    pictures, labels = data.train_images, data.train_labels
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(config.seed))
    if config.validation >= len(order):
        raise ConfigError(
            f"validation holds back {config.validation} of {len(order)} training images, so none would be left."
        )
    held, rows = order[: config.validation], order[config.validation :][: config.training_images]
    model = LeNet(in_channels=1, num_classes=len(data.class_names), image_size=pictures.shape[-1])
    probe = data.test_images[: config.probe_images]
    items = ItemSet(
        labels=data.test_labels[: config.probe_images].numpy(),
        class_names=data.class_names,
        thumbnails=probe.numpy(),
        noun="image",
    )
    return ImageClassification(
        model,
        {"train": pictures[rows], "validation": pictures[held], "test": data.test_images},
        {"train": labels[rows], "validation": labels[held], "test": data.test_labels},
        class_names=data.class_names,
        items=items,
        probe=probe,
        capture=Capture(model),
        batch_size=config.batch_size,
        seed=config.seed,
    )
