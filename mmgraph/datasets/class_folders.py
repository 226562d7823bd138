"""Images in one folder per class."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mmgraph.datasets.image_collection import ImageCollection
from mmgraph.datasets.image_files import decode
from mmgraph.errors import DatasetCorruptError, DatasetMissingError


def read_class_folders(folder: Path, files: list[str], name: str) -> ImageCollection:
    """Grey images `class/image`, classes and images in the order of the numbers in their names.

    Raises:
        DatasetMissingError: a file cannot be read.
        DatasetCorruptError: a file is no image, or of another size than the first.
    """
    import torch

    ordered = sorted(files, key=_numbers)
    classes = list(dict.fromkeys(file.split("/")[0] for file in ordered))
    images, labels = [], []
    size: tuple[int, int] | None = None
    for file in ordered:
        try:
            content = (folder / file).read_bytes()
        except OSError as error:
            raise DatasetMissingError(f"{folder / file} cannot be read ({error}).") from error
        images.append(decode(content, str(folder / file), size))
        size = images[0].shape[0], images[0].shape[1]
        labels.append(classes.index(file.split("/")[0]))
    if not images:
        raise DatasetCorruptError(f"There are no images in {folder}.")
    return ImageCollection(
        name,
        torch.from_numpy(np.stack(images)),
        torch.tensor(labels),
        tuple(classes),
        torch.zeros(len(classes), dtype=torch.int64),
    )


def _numbers(file: str) -> tuple[object, ...]:
    """Sorts s2/10 after s2/9."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file))
