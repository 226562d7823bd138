"""Which items are for training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mmgraph.errors import InputError


def stratified_splits(
    labels: Tensor, *, train_per_class: int, validation: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """So many items of each class for training, so many others for validation, the rest for test.

    Shapes:
        labels (n,); masks (n,) bool.

    Raises:
        InputError: a class has too few items, or nothing is left to test on.
    """
    order = torch.randperm(len(labels), generator=generator)
    train = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = order[labels[order] == label]
        if len(members) <= train_per_class:
            raise InputError(
                f"Class {int(label)} has {len(members)} items, too few to train on {train_per_class} of each class "
                "and keep others."
            )
        train[members[:train_per_class]] = True
    rest = order[~train[order]]
    if len(rest) <= validation:
        raise InputError(
            f"{len(rest)} items are left, too few to validate on {validation} and test on others."
        )
    held, test = torch.zeros_like(train), torch.zeros_like(train)
    held[rest[:validation]] = True
    test[rest[validation:]] = True
    return {"train": train, "validation": held, "test": test}


def split_codes(splits: Mapping[str, Tensor]) -> npt.NDArray[np.int8]:
    """Number of the split of each item, in the order of the mapping; −1 for items in none.

    Shapes:
        masks (n,) bool; result (n,) int8.
    """
    codes = np.full(len(next(iter(splits.values()))), -1, dtype=np.int8)
    for code, mask in enumerate(splits.values()):
        codes[mask.numpy()] = code
    return codes
