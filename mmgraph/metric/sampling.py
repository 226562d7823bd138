"""Batches that have something to compare: several classes, several items of each."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric.arguments import check_labels


class ClassBalancedSampler:
    """Batches of some classes with as many items of each.

    An epoch visits every class about as often; a class with fewer items than asked for repeats some. Batches depend on
    the seed, the epoch and their position alone, so that a resumed run sees the same.

    Args:
        labels: classes of the items.
        classes_per_batch: how many classes a batch has.
        items_per_class: how many items of each.
        batches: of an epoch; by default as many as it takes to see as many items as there are.
        seed: of the choice.

    Raises:
        EmptyPairsError: fewer than two classes, or no class with two items.
        InputError: numbers out of range.
    """

    def __init__(
        self,
        labels: Tensor,
        *,
        classes_per_batch: int = 16,
        items_per_class: int = 8,
        batches: int | None = None,
        seed: int = 0,
    ) -> None:
        check_labels(labels, len(labels))
        if classes_per_batch < 2 or items_per_class < 2:
            raise InputError(
                f"Expected at least 2 classes with 2 items each in a batch, but got {classes_per_batch} with "
                f"{items_per_class}."
            )
        known, dense = torch.unique(labels.cpu(), return_inverse=True)
        count = torch.bincount(dense, minlength=len(known))
        usable = torch.nonzero(count >= 2).flatten()
        if len(usable) < 2:
            raise EmptyPairsError(
                f"Expected at least two classes with two items each to draw batches from, but of {len(known)} classes "
                f"{len(usable)} have two."
            )
        self._order = torch.argsort(dense, stable=True)
        self._first, self._count, self._usable = count.cumsum(0) - count, count, usable
        self.classes_per_batch = min(classes_per_batch, len(usable))
        self.items_per_class = items_per_class
        size = self.classes_per_batch * items_per_class
        self.batches = max(1, int(count[usable].sum()) // size) if batches is None else batches
        self.seed = seed

    def __len__(self) -> int:
        return self.batches

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """The batches of an epoch from position `start` on, as rows, items of one class side by side."""
        for position in range(start, self.batches):
            yield self.batch(epoch, position)

    def batch(self, epoch: int, position: int) -> Tensor:
        """One batch, (classes_per_batch · items_per_class,) rows."""
        generator = torch.Generator().manual_seed(
            ((self.seed * 1_000_003 + epoch) * 1_000_003 + position) % 2**63
        )
        places = torch.randperm(len(self._usable), generator=generator)[: self.classes_per_batch]
        rows = []
        for chosen in self._usable[places].tolist():
            count = int(self._count[chosen])
            order = torch.randperm(count, generator=generator)
            if count < self.items_per_class:
                more = torch.randint(count, (self.items_per_class - count,), generator=generator)
                order = torch.cat([order, more])
            rows.append(self._order[self._first[chosen] + order[: self.items_per_class]])
        return torch.cat(rows)
