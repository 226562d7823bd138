"""From one loss per pair, triplet or item to one number."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from mmgraph.errors import EmptyPairsError, UnknownNameError

Reduction = Literal["mean", "mean-nonzero", "sum", "none"]


def reduce(losses: Tensor, reduction: Reduction) -> Tensor:
    """Join losses.

    mean: all of them;  mean-nonzero: those above zero, 0 where there are none;  sum;  none: as they are

    Raises:
        EmptyPairsError: there are none at all.
        UnknownNameError: there is no such reduction.
    """
    if reduction not in get_args(Reduction):
        raise UnknownNameError.of("reduction", reduction, get_args(Reduction))
    if losses.numel() == 0:
        raise EmptyPairsError(
            "Expected at least one pair, triplet or item to learn from, but there is none: draw batches with several "
            "classes and several items of each (ClassBalancedSampler)."
        )
    if reduction == "mean":
        return losses.mean()
    if reduction == "mean-nonzero":
        return losses.sum() / (losses > 0).sum().clamp_min(1)
    return losses.sum() if reduction == "sum" else losses
