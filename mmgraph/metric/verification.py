"""Are two items of one kind? How well a distance answers that."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError


@dataclass(frozen=True)
class Verification:
    """The receiver operating characteristic of "similar where the distance is at most a threshold".

    Args:
        false_positive_rate, true_positive_rate: at each threshold, from (0, 0) to (1, 1).
        thresholds: distances, ascending, the first −∞.
        auc: area under the curve: how often a similar pair is nearer than a dissimilar one, ties counting half.
        equal_error_rate: where as many similar pairs are refused as dissimilar ones let through.
        accuracy: the best over all thresholds.
        threshold: the one that gives it.

    Shapes:
        false_positive_rate, true_positive_rate, thresholds (t,).
    """

    false_positive_rate: Tensor
    true_positive_rate: Tensor
    thresholds: Tensor
    auc: float
    equal_error_rate: float
    accuracy: float
    threshold: float

    @property
    def equal_error_threshold(self) -> float:
        """The threshold nearest to the equal error rate: fairer than `threshold` where similar pairs are few."""
        gap = (self.false_positive_rate - (1 - self.true_positive_rate)).abs()
        return float(self.thresholds[1:][gap[1:].argmin()])


def verify(distance: Tensor, similar: Tensor) -> Verification:
    """Judge distances of pairs that are known to be similar or not.

    Shapes:
        distance (n,), similar (n,) bool.

    Raises:
        EmptyPairsError: no similar or no dissimilar pair.
        InputError: shapes that do not fit, or distances that are NaN.
    """
    if distance.shape != similar.shape or distance.dim() != 1 or similar.dtype != torch.bool:
        raise InputError(
            f"Expected one distance and one boolean per pair, but got {tuple(distance.shape)} and "
            f"{tuple(similar.shape)} of {similar.dtype}."
        )
    if bool(torch.isnan(distance).any()):
        raise InputError("Expected distances that are numbers, but some are NaN.")
    positives = int(similar.sum())
    negatives = len(similar) - positives
    if positives == 0 or negatives == 0:
        raise EmptyPairsError(f"Expected similar and dissimilar pairs, but got {positives} and {negatives}.")
    ordered, order = distance.detach().double().cpu().sort()
    hits = similar.cpu()[order]
    # One point per distance: pairs of equal distance pass together.
    last = torch.cat([ordered[1:] != ordered[:-1], torch.tensor([True])])
    true_ = torch.cat([torch.zeros(1), hits.double().cumsum(0)[last] / positives]).double()
    false = torch.cat([torch.zeros(1), (~hits).double().cumsum(0)[last] / negatives]).double()
    thresholds = torch.cat([torch.tensor([-torch.inf], dtype=torch.float64), ordered[last]])
    accuracy = (true_ * positives + (1 - false) * negatives) / len(similar)
    best = int(accuracy.argmax())
    return Verification(
        false,
        true_,
        thresholds,
        float(torch.trapezoid(true_, false)),
        _equal_error(true_, false),
        float(accuracy[best]),
        float(thresholds[best]),
    )


def _equal_error(true_: Tensor, false: Tensor) -> float:
    """Where false positive and false negative rates cross, on the straight line between two points."""
    gap = false - (1 - true_)
    after = int(torch.nonzero(gap >= 0)[0])
    if after == 0:
        return float(false[0])
    low, high = gap[after - 1], gap[after]
    share = float(-low / (high - low))
    return float(false[after - 1] + share * (false[after] - false[after - 1]))
