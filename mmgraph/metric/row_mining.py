"""Mining a block of rows at a time: distances of some items to all, never of all to all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import InputError

NEAREST_COUNTED = 0.5
"""Nearer than this all dissimilar items are as likely, lest noise decide."""
FARTHEST_COUNTED = 1.4
"""Farther than this, on the unit sphere, dissimilar items teach nothing."""

_BLOCK_VALUES = {"cpu": 1 << 18}
_DEVICE_VALUES = 1 << 24
"""Distances of a block: few enough to stay in the cache of a CPU, many enough to keep other devices busy."""
_MOST_ROUNDS = 24
"""Up to so many positives of an anchor are looked up one after the other; for more, sorting is faster."""

Rows = Callable[[int, int], Tensor]
"""The distances of items `start` to `stop` to all items."""


@dataclass(frozen=True)
class ClassTable:
    """Which items are of one class, and which of them have a positive and a negative.

    Shapes:
        order (n,) items class by class; first, count, place (n,): where the class of each item begins in `order`, how
        many it has, and where the item stands in `order`; usable (n,) bool.
    """

    order: Tensor
    first: Tensor
    count: Tensor
    place: Tensor
    usable: Tensor

    @classmethod
    def of(cls, labels: Tensor) -> ClassTable:
        _, dense, counts = torch.unique(labels, return_inverse=True, return_counts=True)
        order = torch.argsort(dense, stable=True)
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order), device=order.device)
        count = counts[dense]
        return cls(
            order, (counts.cumsum(0) - counts)[dense], count, place, (count > 1) & (count < len(labels))
        )

    def positives(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """The others of the class of each item, in order, and which places of the table are filled.

        Shapes:
            items (k,): (k, most) rows, (k, most) bool, where most + 1 is the largest class among them.
        """
        most = int(self.count[items].max()) - 1 if len(items) else 0
        rank = torch.arange(most, device=items.device)
        filled = rank < self.count[items].unsqueeze(1) - 1
        own = (self.place - self.first)[items].unsqueeze(1)
        at = self.first[items].unsqueeze(1) + rank + (rank >= own)
        return self.order[at.clamp_max(max(len(self.order) - 1, 0))], filled


def blocks(table: ClassTable, rows: Rows) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Usable anchors a block at a time, their distances to all items, and which of these share their class."""
    n = len(table.order)
    values = _BLOCK_VALUES.get(table.order.device.type, _DEVICE_VALUES)
    size = max(1, values // max(n, 1))
    dense = table.first
    for start in range(0, n, size):
        stop = min(start + size, n)
        distance, same = rows(start, stop), dense[start:stop].unsqueeze(1) == dense
        usable = table.usable[start:stop]
        anchor = torch.nonzero(usable).flatten()
        if len(anchor) < stop - start:
            distance, same = distance[anchor], same[anchor]
        if len(anchor):
            yield anchor + start, distance, same


def hardest(table: ClassTable, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """The farthest similar and the nearest dissimilar item of each anchor."""
    found = []
    for anchor, distance, same in blocks(table, rows):
        similar, filled = table.positives(anchor)
        farthest = distance.gather(1, similar).masked_fill_(~filled, -math.inf).max(1)
        nearest = distance.masked_fill(same, math.inf).min(1)
        _refuse_nan(farthest.values, nearest.values)
        positive = similar.gather(1, farthest.indices.unsqueeze(1)).squeeze(1)
        found.append((anchor, positive, nearest.indices))
    return _joined(found)


def semi_hard(table: ClassTable, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Of each similar pair the nearest dissimilar item beyond, or else the farthest."""
    found = []
    for anchor, distance, same in blocks(table, rows):
        similar, filled = table.positives(anchor)
        limit = distance.gather(1, similar)
        others = distance.masked_fill(same, math.inf)
        _refuse_nan(limit.masked_fill(~filled, 0).sum(1), others.amin(1))
        find = _beyond_by_rounds if limit.size(1) <= _MOST_ROUNDS else _beyond_by_sorting
        negative, none = find(others, limit)
        none &= filled
        if bool(none.any()):
            farthest = distance.masked_fill(same, -math.inf).argmax(1, keepdim=True)
            negative = torch.where(none, farthest, negative)
        found.append((anchor.repeat_interleave(table.count[anchor] - 1), similar[filled], negative[filled]))
    return _joined(found)


def distance_weighted(
    table: ClassTable, rows: Rows, dim: int, uniform: Callable[[tuple[int, ...]], Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """For each similar pair a dissimilar item, drawn in proportion to the rarity of its distance."""
    most = int(table.count[table.usable].max()) - 1
    points = uniform((len(table.order), most))
    found = []
    for anchor, distance, same in blocks(table, rows):
        similar, filled = table.positives(anchor)
        _refuse_nan(distance.sum(1))
        weights = _rarity(distance, dim).masked_fill_(same, 0)
        # Where no dissimilar item counts, all of them do.
        lost = weights.sum(1) == 0
        if bool(lost.any()):
            weights[lost] = (~same[lost]).to(weights.dtype)
        upto = weights.cumsum(1)
        drawn = points[anchor, : similar.size(1)].to(upto.dtype) * upto[:, -1:]
        # A point never falls on columns of weight zero, of which the sum stays the same, but for rounding at the end.
        columns = torch.searchsorted(upto, drawn, right=True)
        last = (upto < upto[:, -1:]).sum(1, keepdim=True)
        negative = torch.minimum(columns, last)
        found.append((anchor.repeat_interleave(table.count[anchor] - 1), similar[filled], negative[filled]))
    return _joined(found)


def at_random(
    table: ClassTable, uniform: Callable[[tuple[int, ...]], Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """For each item one other of its class and one of another class; needs no distances."""
    anchor = torch.nonzero(table.usable).flatten()
    first, count, place = table.first[anchor], table.count[anchor], table.place[anchor]
    near = first + (uniform((len(anchor),)) * (count - 1)).long()
    positive = table.order[near + (near >= place)]
    far = (uniform((len(anchor),)) * (len(table.order) - count)).long()
    negative = table.order[far + count * (far >= first)]
    return anchor, positive, negative


def _beyond_by_rounds(others: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    """Of each limit the column of the smallest value above it, and where there is none."""
    negative = torch.empty(limit.shape, dtype=torch.int64, device=limit.device)
    none = torch.empty(limit.shape, dtype=torch.bool, device=limit.device)
    for rank in range(limit.size(1)):
        nearest = others.masked_fill(others <= limit[:, rank : rank + 1], math.inf).min(1)
        negative[:, rank], none[:, rank] = nearest.indices, nearest.values == math.inf
    return negative, none


def _beyond_by_sorting(others: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    ordered, column = others.sort(1)
    place = torch.searchsorted(ordered, limit.contiguous(), right=True).clamp_max_(others.size(1) - 1)
    return column.gather(1, place), ordered.gather(1, place) == math.inf


def _rarity(distance: Tensor, dim: int) -> Tensor:
    """1 / q(d), up to a factor per row."""
    near = distance.double().clamp_min_(NEAREST_COUNTED)
    counted = near < FARTHEST_COUNTED
    log_q = near.log().mul_(dim - 2)
    rest = near.square_().clamp_max_(4).mul_(-0.25).add_(1).clamp_min_(1e-12).log_()
    log_q.add_(rest, alpha=(dim - 3) / 2).neg_().masked_fill_(~counted, -math.inf)
    largest = log_q.amax(1, keepdim=True)
    return log_q.sub_(torch.where(largest.isfinite(), largest, 0)).exp_()


def _refuse_nan(*values: Tensor) -> None:
    """Sums, minima and maxima are NaN where one of their numbers is. Waits for the GPU."""
    if any(bool(torch.isnan(value).any()) for value in values):
        raise InputError("Expected distances that are numbers, but some are NaN: look at the embeddings.")


def _joined(found: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    anchor, positive, negative = (torch.cat(part) for part in zip(*found, strict=True))
    return anchor, positive, negative
