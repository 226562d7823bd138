"""Pairs of scored items: similar where their scores lie in one bin, else apart by how far the bins are."""

from __future__ import annotations

import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric.arguments import check_embeddings, check_labels, check_positive
from mmgraph.metric.distances import Distance


def score_pair_loss(
    embeddings: Tensor,
    bins: Tensor,
    *,
    margin: float = 1.0,
    weighted: bool = True,
    distance: Distance | None = None,
) -> Tensor:
    """A hinge over all pairs of a batch, whose margin grows with the difference of the scores.

        mean over similar pairs of d  +  mean over dissimilar pairs of max(0, margin · |bᵢ − bⱼ| − d), halved

    so that both kinds weigh the same, however many bins there are. A kind that a batch does not have is left out.

    Args:
        embeddings: of the items.
        bins: number of the bin that each item's score lies in.
        margin: how far items of neighbouring bins shall be apart.
        weighted: False has all dissimilar pairs at `margin` apart, as in `hinge_embedding_loss`.
        distance: L2 by default.

    Shapes:
        embeddings (n, d), bins (n,) integer: scalar.

    Raises:
        EmptyPairsError: fewer than two items.
        InputError: a margin ≤ 0, or embeddings and bins that do not fit.
    """
    check_embeddings(embeddings)
    check_labels(bins, len(embeddings))
    check_positive("a margin", margin)
    if len(embeddings) < 2:
        raise EmptyPairsError(f"Expected at least two items to make pairs of, but got {len(embeddings)}.")
    matrix = (Distance("l2") if distance is None else distance).matrix(embeddings)
    first, second = torch.triu_indices(len(bins), len(bins), 1, device=bins.device)
    apart, gap = matrix[first, second], (bins[first] - bins[second]).abs()
    similar = gap == 0
    wanted = margin * (gap.to(apart) if weighted else torch.ones_like(apart))
    near, far = apart[similar], (wanted - apart).clamp_min(0)[~similar]
    kinds = [some.mean() for some in (near, far) if len(some)]
    return torch.stack(kinds).mean() if len(kinds) == 2 else kinds[0] / 2


def score_bins(scores: Tensor, bins: int, *, low: float | None = None, high: float | None = None) -> Tensor:
    """The bin of each score: `bins` of equal width from the lowest to the highest score.

    Args:
        scores: finite numbers.
        bins: how many.
        low, high: ends of the first and last bin; the lowest and highest score by default. What lies outside goes into
            the nearest.

    Shapes:
        (n,): (n,) int64.

    Raises:
        InputError: fewer than two bins, scores that are not finite or all equal.
    """
    if bins < 2:
        raise InputError(f"Expected at least 2 bins, but got {bins}.")
    if scores.dim() != 1 or len(scores) == 0 or not bool(torch.isfinite(scores).all()):
        raise InputError(
            f"Expected finite scores, one per item, but got {tuple(scores.shape)} with NaN or infinity."
        )
    first = float(scores.min()) if low is None else low
    last = float(scores.max()) if high is None else high
    if not first < last:
        raise InputError(f"Expected scores that differ, but they go from {first:g} to {last:g}.")
    share = (scores.double() - first) / (last - first)
    return (share * bins).floor().clamp(0, bins - 1).long()
