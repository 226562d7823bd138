"""Labelled grey images, split into a training and a test part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmgraph.datasets.catalogue import Manifest
from mmgraph.datasets.idx import read_idx
from mmgraph.errors import DatasetCorruptError, InputError

if TYPE_CHECKING:
    from torch import Tensor

FILE_PREFIX = {"train": "train", "test": "t10k"}


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Grey images with one label each. A part that was not asked for, or does not exist, has no rows.

    Shapes:
        train_images, test_images: (N, H, W), uint8.
        train_labels, test_labels: (N,), int64, indices into `class_names`.

    Units: grey values from 0 (background) to 255 (full ink).

    Raises:
        InputError: shapes, types or labels do not fit together.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        self._check_part("training", self.train_images, self.train_labels)
        self._check_part("test", self.test_images, self.test_labels)
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise InputError(
                f"Images of '{self.name}' must have one size; training images have "
                f"{tuple(self.train_images.shape[1:])}, test images {tuple(self.test_images.shape[1:])}."
            )

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def _check_part(self, part: str, images: Tensor, labels: Tensor) -> None:
        import torch

        if images.dtype != torch.uint8 or images.ndim != 3:
            raise InputError(
                f"The {part} images of '{self.name}' must be uint8 of shape (N, H, W); "
                f"they are {images.dtype} of shape {tuple(images.shape)}."
            )
        if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
            raise InputError(
                f"The {part} labels of '{self.name}' must be int64 of shape ({len(images)},), one for each image; "
                f"they are {labels.dtype} of shape {tuple(labels.shape)}."
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.num_classes:
            raise InputError(
                f"The {part} labels of '{self.name}' must lie in 0 to {self.num_classes - 1}; "
                f"they go from {int(labels.min())} to {int(labels.max())}."
            )


def read_images(folder: Path, manifest: Manifest, split: str | None = None) -> ImageDataset:
    """MNIST-like data set from its four idx files, or from the two of one part.

    Args:
        folder: where the files lie.
        manifest: gives the name and the class names.
        split: 'train' or 'test' to read one part and leave the other empty; None for both.

    Raises:
        DatasetMissingError: a file cannot be read.
        DatasetCorruptError: a file is damaged, or images and labels do not fit together.
    """
    import torch

    parts: dict[str, tuple[Tensor, Tensor]] = {}
    for part, prefix in FILE_PREFIX.items():
        if split in (None, part):
            images = torch.from_numpy(read_idx(folder / f"{prefix}-images-idx3-ubyte.gz", ndim=3))
            labels = torch.from_numpy(read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", ndim=1)).long()
            parts[part] = images, labels
    height, width = next(iter(parts.values()))[0].shape[1:]
    empty = torch.empty(0, height, width, dtype=torch.uint8), torch.empty(0, dtype=torch.int64)
    try:
        return ImageDataset(
            manifest.name, *parts.get("train", empty), *parts.get("test", empty), class_names=manifest.classes
        )
    except InputError as error:
        raise DatasetCorruptError(f"The files in {folder} do not fit together: {error}") from error
