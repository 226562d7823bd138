"""Pairs and triplets: what a metric loss compares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric.arguments import check_labels
from mmgraph.metric.row_mining import ClassTable


@dataclass(frozen=True)
class Pairs:
    """Pairs of items that are of one kind, or not.

    Shapes:
        first, second (n,) int64 rows, similar (n,) bool.
    """

    first: Tensor
    second: Tensor
    similar: Tensor

    def __post_init__(self) -> None:
        if (
            not self.first.shape == self.second.shape == self.similar.shape
            or self.similar.dtype != torch.bool
        ):
            raise InputError(
                f"Expected pairs as two lists of rows and one of booleans of one length, but got "
                f"{tuple(self.first.shape)}, {tuple(self.second.shape)} and {tuple(self.similar.shape)} of "
                f"{self.similar.dtype}."
            )

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Triplets:
    """Items with one of their kind and one of another.

    Shapes:
        anchor, positive, negative (n,) int64 rows.
    """

    anchor: Tensor
    positive: Tensor
    negative: Tensor

    def __post_init__(self) -> None:
        if not self.anchor.shape == self.positive.shape == self.negative.shape:
            raise InputError(
                f"Expected triplets as three lists of rows of one length, but got {tuple(self.anchor.shape)}, "
                f"{tuple(self.positive.shape)} and {tuple(self.negative.shape)}."
            )

    def __len__(self) -> int:
        return len(self.anchor)


def all_pairs(labels: Tensor) -> Pairs:
    """Every pair of different items once.

    Shapes:
        labels (n,): n (n − 1) / 2 pairs.

    Raises:
        EmptyPairsError: there are fewer than two items.
    """
    check_labels(labels, len(labels))
    first, second = torch.triu_indices(len(labels), len(labels), 1, device=labels.device)
    if len(first) == 0:
        raise EmptyPairsError(f"Expected at least two items to make pairs of, but got {len(labels)}.")
    return Pairs(first, second, labels[first] == labels[second])


def all_triplets(labels: Tensor) -> Triplets:
    """Every triplet: each item with each other one of its class and each one of other classes.

    Of n items in classes of m there are n (m − 1) (n − m), made without ever holding n³ numbers.

    Raises:
        EmptyPairsError: there is one class only, or no class with two items.
    """
    check_labels(labels, len(labels))
    table = ClassTable.of(labels)
    anchors = torch.nonzero(table.usable).flatten()
    if len(anchors) == 0:
        raise no_triplets(labels)
    near = table.count[anchors] - 1
    sizes = near * (len(labels) - 1 - near)
    rows = _room(int(sizes.sum()), labels.device)
    similar, _ = table.positives(anchors)
    others: dict[int, Tensor] = {}
    # Written where they belong at once: with temporaries of this length memory would be most of the time.
    for anchor, class_, positives, count, part in zip(
        anchors.tolist(),
        table.first[anchors].tolist(),
        similar,
        near.tolist(),
        rows.split(sizes.tolist(), dim=1),
        strict=True,
    ):
        if class_ not in others:
            others[class_] = torch.nonzero(table.first != class_).flatten()
        anchor_row, positive_row, negative_row = part.unbind()
        anchor_row.fill_(anchor)
        positive_row.view(count, -1).copy_(positives[:count, None])
        negative_row.view(count, -1).copy_(others[class_])
    return Triplets(*rows)


def _room(count: int, device: torch.device) -> Tensor:
    """Three rows of whole numbers to be written."""
    if device.type != "cpu":
        return torch.empty((3, count), dtype=torch.int64, device=device)
    # NumPy asks the system for large pages, which come in a fraction of the time that small ones take.
    return torch.from_numpy(np.empty((3, count), np.int64))


def same_class(labels: Tensor) -> Tensor:
    """Which pairs of different items share their class, (n, n)."""
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    return same.fill_diagonal_(False)


def no_triplets(labels: Tensor) -> EmptyPairsError:
    """Why there is no triplet."""
    classes, counts = torch.unique(labels, return_counts=True)
    if len(classes) < 2:
        what = f"all {len(labels)} items are of one class"
    else:
        what = (
            f"no class of {len(classes)} has two of the {len(labels)} items"
            if int(counts.max()) < 2
            else "none fits"
        )
    return EmptyPairsError(
        f"Expected items of several classes and several of one class, but {what}: draw batches with "
        f"ClassBalancedSampler."
    )
