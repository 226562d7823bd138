"""Which items are for training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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


def per_class_splits(
    labels: Tensor, counts: Mapping[str, int], *, generator: torch.Generator
) -> dict[str, Tensor]:
    """So many items of each class at random for each part, the rest for test.

    Shapes:
        labels (n,); masks (n,) bool.

    Raises:
        InputError: a class has too few items for the parts and one for test.
    """
    masks = {part: torch.zeros(len(labels), dtype=torch.bool) for part in (*counts, "test")}
    order = torch.randperm(len(labels), generator=generator)
    for label in labels.unique():
        members = order[labels[order] == label]
        if len(members) <= sum(counts.values()):
            raise InputError(
                f"Class {int(label)} has {len(members)} items, too few for {sum(counts.values())} of each class and "
                "others to test on."
            )
        sizes = [*counts.values(), len(members) - sum(counts.values())]
        for part, rows in zip(masks, members.split(sizes), strict=True):
            masks[part][rows] = True
    return masks


def random_splits(
    labels: Tensor, shares: Mapping[str, float], *, generator: torch.Generator
) -> dict[str, Tensor]:
    """Shares of the items with a label at random; the last part takes what is left.

    Args:
        labels: class of each item, −1 where it is not known.
        shares: of each part.

    Shapes:
        labels (n,); masks (n,) bool.
    """
    known = torch.nonzero(labels >= 0).flatten()
    order = known[torch.randperm(len(known), generator=generator)]
    ends = [round(share * len(known)) for share in np.cumsum(list(shares.values()))]
    masks, first = {}, 0
    for part, last in zip(shares, [*ends[:-1], len(known)], strict=True):
        masks[part] = torch.zeros(len(labels), dtype=torch.bool)
        masks[part][order[first:last]] = True
        first = last
    return masks


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
    from sklearn.model_selection import StratifiedKFold

    classes = labels.numpy()
    smallest = int(labels.unique(return_counts=True)[1].min())
    if not 0 <= fold < folds or smallest < folds:
        raise InputError(
            f"Expected a fold from 0 to {folds - 1} and at least {folds} items of every class, but got fold {fold} "
            f"and {smallest} items of the smallest class."
        )
    rest, test = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(classes, classes))[fold]
    return _with_validation(classes, rest, test, validation, seed)


def listed_splits(
    labels: Tensor, fold: int, folder: Path | str, *, validation: float = 0.0, seed: int = 0
) -> dict[str, Tensor]:
    """A fold that files name: rows of items in `train_idx-N.txt` and `test_idx-N.txt`, N = fold + 1.

    Such lists come with published collections of graphs, where folds have equal sizes; then they may leave some items
    out of every test part (8 of the 188 molecules of MUTAG).

    Args:
        labels: class of each item.
        fold: which fold, from 0.
        folder: that holds the files.
        validation: share of the training items; 0 for no such part.
        seed: of what is for validation.

    Shapes:
        labels (n,); masks (n,) bool.

    Raises:
        InputError: a file is missing or does not hold rows of items, an item is listed twice, or the share for
            validation does not give every class an item.
    """
    parts = {
        name: _listed(Path(folder) / f"{name}_idx-{fold + 1}.txt", len(labels)) for name in ("train", "test")
    }
    both = np.concatenate(list(parts.values()))
    if len(np.unique(both)) < len(both):
        raise InputError(
            f"Expected every item at most once in fold {fold} of {folder}, but some is listed twice."
        )
    return _with_validation(labels.numpy(), parts["train"], parts["test"], validation, seed)


def _listed(path: Path, count: int) -> npt.NDArray[np.int64]:
    try:
        rows = np.array([int(word) for word in path.read_text(encoding="ascii").split()], np.int64)
    except (OSError, ValueError) as error:
        raise InputError(f"Expected rows of items in '{path}', one per line, but: {error}.") from error
    if not len(rows) or not 0 <= rows.min() <= rows.max() < count:
        raise InputError(
            f"Expected rows from 0 to {count - 1} in '{path}', but some are not, or there are none."
        )
    return rows


def _with_validation(
    classes: npt.NDArray[np.int64],
    rest: npt.NDArray[np.int64],
    test: npt.NDArray[np.int64],
    validation: float,
    seed: int,
) -> dict[str, Tensor]:
    """Masks of the parts; a share of `rest` is for validation, with the same shares of classes."""
    from sklearn.model_selection import train_test_split

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
    masks = {split: torch.zeros(len(classes), dtype=torch.bool) for split in parts}
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
