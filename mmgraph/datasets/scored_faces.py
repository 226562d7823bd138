"""Faces with an age, as UTKFace names them: `{age}_{gender}_{race}_{time}.jpg.chip.jpg`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mmgraph.datasets.image_collection import ImageCollection
from mmgraph.datasets.image_files import decode, files_in_zip
from mmgraph.errors import DatasetCorruptError

SIZE = (200, 200)
_NAME = re.compile(r"(?:.*/)?(\d{1,3})_[01]_[0-4]_\d+\.jpg(?:\.chip\.jpg)?")


def read_scored_faces(path: Path, name: str) -> ImageCollection:
    """Aligned face crops whose score is the age; classes are decades.

    Units: scores in years.

    Raises:
        DatasetCorruptError: the archive or an image is damaged.
    """
    import torch

    images, ages = [], []
    for file, content in files_in_zip(path, lambda entry: _NAME.fullmatch(entry) is not None):
        images.append(decode(content, file, SIZE, "RGB"))
        ages.append(int(_NAME.fullmatch(file).group(1)))  # type: ignore[union-attr]
    if not images:
        raise DatasetCorruptError(f"{path} holds no images named by age, gender, race and time.")
    decades = [age // 10 for age in ages]
    return ImageCollection(
        name,
        torch.from_numpy(np.stack(images)),
        torch.tensor(decades),
        tuple(f"{10 * decade} to {10 * decade + 9}" for decade in range(max(decades) + 1)),
        torch.zeros(max(decades) + 1, dtype=torch.int64),
        scores=torch.tensor(ages, dtype=torch.float32),
    )
