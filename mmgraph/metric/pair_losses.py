"""Losses over pairs of items that are similar or not."""

from __future__ import annotations

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.metric.arguments import check_positive
from mmgraph.metric.reduction import Reduction, reduce


def contrastive_loss(
    distance: Tensor, similar: Tensor, *, margin: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    """Similar items together, others at least a margin apart.

    ½ d² if similar, ½ max(0, margin − d)² if not

    Args:
        distance: of each pair.
        similar: whether its items are of one kind.
        margin: how far dissimilar items shall be apart.
        reduction: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        distance (n,), similar (n,) bool: scalar, or (n,).

    Raises:
        EmptyPairsError: there is no pair.
        InputError: a margin ≤ 0, or shapes that do not fit.

    Source: Hadsell, Chopra & LeCun, "Dimensionality reduction by learning an invariant mapping", CVPR 2006.
    """
    _check(distance, similar, margin)
    losses = torch.where(similar, distance, (margin - distance).clamp_min(0)).square() / 2
    return reduce(losses, reduction)


def hinge_embedding_loss(
    distance: Tensor, similar: Tensor, *, margin: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    """The distance itself for similar items, what others lack of a margin.

    d if similar, max(0, margin − d) if not

    Args:
        distance: of each pair, such as "l1" or "l2".
        similar: whether its items are of one kind.
        margin: how far dissimilar items shall be apart.
        reduction: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        distance (n,), similar (n,) bool: scalar, or (n,).

    Raises:
        EmptyPairsError: there is no pair.
        InputError: a margin ≤ 0, or shapes that do not fit.

    Source: as torch.nn.HingeEmbeddingLoss; on L1 distances it is that of Siamese networks in Torch7.
    """
    _check(distance, similar, margin)
    return reduce(torch.where(similar, distance, (margin - distance).clamp_min(0)), reduction)


def _check(distance: Tensor, similar: Tensor, margin: float) -> None:
    check_positive("a margin", margin)
    if distance.shape != similar.shape or distance.dim() != 1 or similar.dtype != torch.bool:
        raise InputError(
            f"Expected one distance and one boolean per pair, but got {tuple(distance.shape)} and "
            f"{tuple(similar.shape)} of {similar.dtype}."
        )
