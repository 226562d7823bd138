"""Every metric loss as one module, with its distance and its miner."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.metric.angular_margin import AngularMarginLoss
from mmgraph.metric.arguments import check_embeddings, check_labels, check_positive
from mmgraph.metric.batch_losses import multi_similarity_loss, nt_xent_loss, prototypical_loss
from mmgraph.metric.distances import Distance
from mmgraph.metric.mining import MinerKind, mine_triplets, pairs_of
from mmgraph.metric.pair_losses import contrastive_loss, hinge_embedding_loss
from mmgraph.metric.reduction import Reduction
from mmgraph.metric.selection import all_pairs, no_triplets
from mmgraph.metric.triplet_losses import distance_ratio_loss, triplet_loss

LossKind = Literal[
    "contrastive",
    "hinge",
    "triplet",
    "ratio",
    "nt-xent",
    "multi-similarity",
    "prototypical",
    "arcface",
    "cosface",
]

PAIRS: tuple[LossKind, ...] = ("contrastive", "hinge")
TRIPLETS: tuple[LossKind, ...] = ("triplet", "ratio")
MARGINS: dict[LossKind, float] = {
    "contrastive": 1.0,
    "hinge": 1.0,
    "triplet": 0.2,
    "arcface": 0.5,
    "cosface": 0.35,
}


class MetricLoss(nn.Module):
    """The loss of a batch of embeddings with labels.

    contrastive, hinge: over pairs; triplet, ratio: over triplets; both as the miner chooses them
    nt-xent, multi-similarity: over all pairs at once, by cosine
    prototypical: the first half of each class's items makes its prototype, the others are classified
    arcface, cosface: over classes that are known beforehand, each with a direction that is learned

    Args:
        kind: which.
        distance: l2 by default, squared for prototypical.
        miner: chooses pairs and triplets; other losses take all.
        margin: of the losses that have one; by default that of their paper.
        temperature: of nt-xent.
        classes, in_channels: of arcface and cosface.
        reduction: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        embeddings (n, d), labels (n,): scalar, or as the function.

    Raises:
        UnknownNameError: there is no such loss.
        ConfigError: a loss of classes without their number.
        EmptyPairsError: the batch has no pair or triplet to learn from.
        InputError: a number out of range, or embeddings that are not finite.
    """

    def __init__(
        self,
        kind: LossKind = "triplet",
        *,
        distance: Distance | None = None,
        miner: MinerKind = "all",
        margin: float | None = None,
        temperature: float = 0.07,
        classes: int | None = None,
        in_channels: int | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        if kind not in get_args(LossKind):
            raise UnknownNameError.of("metric loss", kind, get_args(LossKind))
        if miner not in get_args(MinerKind):
            raise UnknownNameError.of("miner", miner, get_args(MinerKind))
        self.kind: LossKind = kind
        self.distance = (
            Distance("squared" if kind == "prototypical" else "l2") if distance is None else distance
        )
        self.miner: MinerKind = miner
        self.margin = MARGINS.get(kind, 0.0) if margin is None else margin
        self.temperature = temperature
        self.reduction: Reduction = reduction
        if kind in MARGINS:
            check_positive("a margin", self.margin)
        check_positive("a temperature", temperature)
        self.angular: AngularMarginLoss | None = None
        if kind == "arcface" or kind == "cosface":
            if classes is None or in_channels is None:
                raise ConfigError(
                    f"The loss {kind} needs the number of classes and of features of an embedding."
                )
            self.angular = AngularMarginLoss(
                in_channels, classes, kind, margin=self.margin, reduction=reduction
            )

    def forward(self, embeddings: Tensor, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        if self.angular is not None:
            loss: Tensor = self.angular(embeddings, labels)
            return loss
        check_embeddings(embeddings)
        check_labels(labels, len(embeddings))
        if self.kind == "nt-xent":
            return nt_xent_loss(embeddings, labels, temperature=self.temperature, reduction=self.reduction)
        if self.kind == "multi-similarity":
            return multi_similarity_loss(embeddings, labels, reduction=self.reduction)
        if self.kind == "prototypical":
            return self._prototypical(embeddings, labels)
        matrix = self.distance.matrix(embeddings)
        if self.kind in PAIRS and self.miner == "all":
            pairs = all_pairs(labels)
            if not bool(pairs.similar.any() & ~pairs.similar.all()):
                raise no_triplets(labels)
            return self.of_pairs(matrix[pairs.first, pairs.second], pairs.similar)
        triplets = mine_triplets(matrix, labels, self.miner, dim=embeddings.size(1), generator=generator)
        if self.kind in PAIRS:
            pairs = pairs_of(triplets)
            return self.of_pairs(matrix[pairs.first, pairs.second], pairs.similar)
        near = matrix[triplets.anchor, triplets.positive]
        far = matrix[triplets.anchor, triplets.negative]
        if self.kind == "ratio":
            return distance_ratio_loss(near, far, reduction=self.reduction)
        return triplet_loss(near, far, margin=self.margin, reduction=self.reduction)

    def of_pairs(self, distance: Tensor, similar: Tensor) -> Tensor:
        """The loss of pairs that somebody has listed.

        Shapes:
            distance (n,), similar (n,) bool: scalar, or (n,) without reduction.

        Raises:
            ConfigError: a loss that is not one of pairs.
            EmptyPairsError: there is no pair.
        """
        if self.kind not in PAIRS:
            raise ConfigError(f"Listed pairs need the loss {' or '.join(PAIRS)}, not {self.kind}.")
        loss = contrastive_loss if self.kind == "contrastive" else hinge_embedding_loss
        return loss(distance, similar, margin=self.margin, reduction=self.reduction)

    def _prototypical(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        _, dense, count = torch.unique(labels, return_inverse=True, return_counts=True)
        order = torch.argsort(dense, stable=True)
        rank = torch.empty_like(dense)
        rank[order] = torch.arange(len(dense), device=dense.device) - (count.cumsum(0) - count)[dense[order]]
        support = rank < (count[dense] + 1) // 2
        return prototypical_loss(
            embeddings[support],
            dense[support],
            embeddings[~support],
            dense[~support],
            distance=self.distance,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        return f"{self.kind!r}, miner={self.miner!r}, margin={self.margin}"
