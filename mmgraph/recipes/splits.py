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


def fold_splits(
    labels: Tensor, fold: int, *, folds: int = 10, validation: float = 0.0, seed: int = 0
) -> dict[str, Tensor]:
    """One fold of a cross-validation for test, a share of the others for validation, the rest for training.

    Folds have the same shares of classes; they are those of `sklearn.model_selection.StratifiedKFold(folds,
    shuffle=True, random_state=seed)`, which GIN and others after it use with seed 0.

    Args:
        labels: class of each item.
        fold: which fold is for test, from 0.
        folds: how many there are.
        validation: share of the items outside of the fold; 0 for no such part.
        seed: of the folds and of what is for validation.

    Shapes:
        labels (n,); masks (n,) bool.

    Raises:
        InputError: there is no such fold, a class has fewer items than there are folds, or the share for validation
            does not give every class an item.
    """
    from sklearn.model_selection import StratifiedKFold, train_test_split

    classes = labels.numpy()
    smallest = int(labels.unique(return_counts=True)[1].min())
    if not 0 <= fold < folds or smallest < folds:
        raise InputError(
            f"Expected a fold from 0 to {folds - 1} and at least {folds} items of every class, but got fold {fold} "
            f"and {smallest} items of the smallest class."
        )
    rest, test = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(classes, classes))[fold]
    parts = {"train": rest, "test": test}
    if validation > 0:
        try:
            train, held = train_test_split(
                rest, test_size=validation, stratify=classes[rest], random_state=seed
            )
        except ValueError as error:
            raise InputError(
                f"A share of {validation:g} for validation is too small or too large: {error}"
            ) from error
        parts = {"train": train, "validation": held, "test": test}
    masks = {split: torch.zeros(len(labels), dtype=torch.bool) for split in parts}
    for split, members in parts.items():
        masks[split][torch.from_numpy(members)] = True
    return masks


def split_codes(splits: Mapping[str, Tensor]) -> npt.NDArray[np.int8]:
    """Number of the split of each item, in the order of the mapping; −1 for items in none.

    Shapes:
        masks (n,) bool; result (n,) int8.
    """
    codes = np.full(len(next(iter(splits.values()))), -1, dtype=np.int8)
    for code, mask in enumerate(splits.values()):
        codes[mask.numpy()] = code
    return codes
