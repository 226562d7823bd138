"""Few-shot episodes: N classes never seen before, K examples of each, and queries to sort."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.metric.arguments import check_labels
from mmgraph.metric.batch_losses import prototypes
from mmgraph.metric.distances import Distance


@dataclass(frozen=True)
class Episode:
    """Rows of the items of an episode and their classes within it, 0 to ways − 1.

    Shapes:
        support, support_labels (ways · shots,), query, query_labels (ways · queries,).
    """

    support: Tensor
    support_labels: Tensor
    query: Tensor
    query_labels: Tensor


class EpisodeSampler:
    """Draws episodes; each depends on the seed and its number alone.

    Args:
        labels: classes of the items.
        ways: N, classes of an episode.
        shots: K, examples of each.
        queries: items of each that are sorted.
        seed: of the draws.

    Raises:
        InputError: fewer than `ways` classes with shots + queries items, or a number below 1.
    """

    def __init__(
        self, labels: Tensor, *, ways: int = 20, shots: int = 1, queries: int = 1, seed: int = 0
    ) -> None:
        check_labels(labels, len(labels))
        if ways < 2 or shots < 1 or queries < 1:
            raise InputError(
                f"Expected ≥ 2 ways, ≥ 1 shot and ≥ 1 query, but got {ways}, {shots} and {queries}."
            )
        known, dense = torch.unique(labels.cpu(), return_inverse=True)
        count = torch.bincount(dense, minlength=len(known))
        self._usable = torch.nonzero(count >= shots + queries).flatten()
        if len(self._usable) < ways:
            raise InputError(
                f"Expected at least {ways} classes with {shots + queries} items each, but only {len(self._usable)} of "
                f"{len(known)} have so many."
            )
        self._order, self._count = torch.argsort(dense, stable=True), count
        self._first = count.cumsum(0) - count
        self.ways, self.shots, self.queries, self.seed = ways, shots, queries, seed

    def episode(self, number: int) -> Episode:
        """The episode of that number."""
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + number) % 2**63)
        chosen = self._usable[torch.randperm(len(self._usable), generator=generator)[: self.ways]]
        support, query = [], []
        for class_ in chosen.tolist():
            order = torch.randperm(int(self._count[class_]), generator=generator)[: self.shots + self.queries]
            rows = self._order[self._first[class_] + order]
            support.append(rows[: self.shots])
            query.append(rows[self.shots :])
        classes = torch.arange(self.ways)
        return Episode(
            torch.cat(support),
            classes.repeat_interleave(self.shots),
            torch.cat(query),
            classes.repeat_interleave(self.queries),
        )

    def episodes(self, count: int, start: int = 0) -> Iterator[Episode]:
        """Several episodes in order."""
        return (self.episode(number) for number in range(start, start + count))


def episode_accuracy(
    support: Tensor,
    support_labels: Tensor,
    queries: Tensor,
    query_labels: Tensor,
    *,
    distance: Distance | None = None,
) -> float:
    """Share of queries that are nearest to the mean of their own class; squared distances by default.

    Shapes:
        support (n, d), support_labels (n,), queries (m, d), query_labels (m,).
    """
    distance = Distance("squared") if distance is None else distance
    classes = int(support_labels.max()) + 1
    with torch.no_grad():
        nearest = distance.matrix(queries, prototypes(support, support_labels, classes)).argmin(1)
    return float((nearest == query_labels).double().mean())


def mean_and_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half the width of its 95 % confidence interval by Student's t.

    x̄ ± t₀.₉₇₅,ₙ₋₁ s / √n

    Raises:
        InputError: no values.
    """
    if not values:
        raise InputError("Expected values to take the mean of, but there are none.")
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return mean, math.nan
    from scipy.stats import t

    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, float(t.ppf(0.975, len(values) - 1)) * math.sqrt(variance / len(values))
