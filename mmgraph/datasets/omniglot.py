"""Omniglot: handwritten characters of many alphabets, twenty drawings of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmgraph.datasets.image_collection import ImageCollection
from mmgraph.datasets.image_files import decode, files_in_zip
from mmgraph.errors import DatasetCorruptError

if TYPE_CHECKING:
    from torch import Tensor

SIZE = (105, 105)
TRIALS = "all_runs.zip"


@dataclass(frozen=True, eq=False)
class OneShotTrial:
    """One official trial: an example of each of twenty characters, and twenty drawings to be named.

    Shapes:
        support, queries (20, 105, 105) uint8, answers (20,) rows of support.
    """

    support: Tensor
    queries: Tensor
    answers: Tensor


def read_omniglot(paths: list[Path], name: str) -> ImageCollection:
    """All characters in some archives of Omniglot; an alphabet that is in several of them is read once.

    Ink is 255, paper 0.

    Raises:
        DatasetCorruptError: an archive or a drawing in it is damaged.
    """
    import torch

    drawings: dict[tuple[str, str], dict[str, bytes]] = {}
    for path in paths:
        for file, content in files_in_zip(path, lambda entry: entry.endswith(".png")):
            parts = file.split("/")
            if len(parts) != 4:
                raise DatasetCorruptError(f"{file} in {path} is not folder/alphabet/character/drawing.png.")
            drawings.setdefault((parts[1], parts[2]), {})[parts[3]] = content
    classes = sorted(drawings)
    alphabets = sorted({alphabet for alphabet, _ in classes})
    images, labels = [], []
    for label, class_ in enumerate(classes):
        for file, content in sorted(drawings[class_].items()):
            images.append(255 - decode(content, f"{'/'.join(class_)}/{file}", SIZE))
            labels.append(label)
    if not images:
        raise DatasetCorruptError(f"{', '.join(map(str, paths))} hold no drawings.")
    return ImageCollection(
        name,
        torch.from_numpy(np.stack(images)),
        torch.tensor(labels),
        tuple(f"{alphabet.replace('_', ' ')} {character}" for alphabet, character in classes),
        torch.tensor([alphabets.index(alphabet) for alphabet, _ in classes]),
        tuple(alphabet.replace("_", " ") for alphabet in alphabets),
    )


def read_trials(path: Path) -> list[OneShotTrial]:
    """The official one-shot trials.

    Raises:
        DatasetCorruptError: the archive is damaged or incomplete.

    Source: Lake, Salakhutdinov & Tenenbaum, "Human-level concept learning", Science 2015.
    """
    import torch

    files = dict(files_in_zip(path, lambda entry: True))
    trials = []
    for labels in sorted(file for file in files if file.endswith("class_labels.txt")):
        pairs = [
            line.split() for line in files[labels].decode("utf-8", "replace").splitlines() if line.strip()
        ]
        try:
            support = sorted({training for _, training in pairs})
            queries = [decode(files[test], test, SIZE) for test, _ in pairs]
            examples = [decode(files[training], training, SIZE) for training in support]
            trial = OneShotTrial(
                torch.from_numpy(255 - np.stack(examples)),
                torch.from_numpy(255 - np.stack(queries)),
                torch.tensor([support.index(training) for _, training in pairs]),
            )
        except (KeyError, ValueError) as error:
            raise DatasetCorruptError(
                f"{labels} in {path} names files that are not there ({error})."
            ) from error
        trials.append(trial)
    if not trials:
        raise DatasetCorruptError(f"{path} holds no class_labels.txt, so no trials.")
    return trials
