"""Pairs and triplets: what a metric loss compares."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric.arguments import check_labels


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
    anchor, positive = torch.nonzero(same_class(labels), as_tuple=True)
    _, other = torch.nonzero(labels.unsqueeze(0) != labels.unsqueeze(1), as_tuple=True)
    count = (labels.unsqueeze(0) != labels.unsqueeze(1)).sum(1)
    first = torch.cumsum(count, 0) - count
    times = count[anchor]
    if len(anchor) == 0 or int(times.sum()) == 0:
        raise no_triplets(labels)
    place = torch.arange(int(times.sum()), device=labels.device)
    place -= (torch.cumsum(times, 0) - times).repeat_interleave(times)
    anchors = anchor.repeat_interleave(times)
    return Triplets(anchors, positive.repeat_interleave(times), other[first[anchors] + place])


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
