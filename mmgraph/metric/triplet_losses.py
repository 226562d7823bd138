"""Losses over triplets: an item, one of its kind, one of another."""

from __future__ import annotations

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.metric.arguments import check_positive
from mmgraph.metric.reduction import Reduction, reduce


def triplet_loss(
    similar: Tensor, dissimilar: Tensor, *, margin: float = 0.2, reduction: Reduction = "mean"
) -> Tensor:
    """The dissimilar item farther away than the similar one by a margin.

    max(0, d_similar − d_dissimilar + margin)

    Args:
        similar, dissimilar: distances of each anchor to the item of its kind and to that of another.
        margin: α.
        reduction: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        similar (n,), dissimilar (n,): scalar, or (n,).

    Raises:
        EmptyPairsError: there is no triplet.
        InputError: a margin ≤ 0, or shapes that do not fit.

    Source: Schroff, Kalenichenko & Philbin, "FaceNet", CVPR 2015.
    """
    check_positive("a margin", margin)
    _check(similar, dissimilar)
    return reduce((similar - dissimilar + margin).clamp_min(0), reduction)


def distance_ratio_loss(similar: Tensor, dissimilar: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """The similar item more probable than the dissimilar one, by the softmax of their distances.

    −log(exp(−d_s) / (exp(−d_s) + exp(−d_d))) = log(1 + exp(d_s − d_d))

    Computed in the second form, which stays finite.

    Args:
        similar, dissimilar: distances of each anchor to the item of its kind and to that of another.
        reduction: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        similar (n,), dissimilar (n,): scalar, or (n,).

    Raises:
        EmptyPairsError: there is no triplet.
        InputError: shapes that do not fit.

    Source: Hoffer & Ailon, "Deep metric learning using triplet network", 2015. Differs: the log of the ratio, not its
        square.
    """
    _check(similar, dissimilar)
    return reduce(torch.nn.functional.softplus(similar - dissimilar), reduction)


def _check(similar: Tensor, dissimilar: Tensor) -> None:
    if similar.shape != dissimilar.shape or similar.dim() != 1:
        raise InputError(
            f"Expected two distances per triplet, but got {tuple(similar.shape)} and {tuple(dissimilar.shape)}."
        )
