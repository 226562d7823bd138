"""Classification on the sphere with a margin between classes: ArcFace and CosFace."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.metric.arguments import check_embeddings, check_labels, check_positive
from mmgraph.metric.distances import unit
from mmgraph.metric.reduction import Reduction, reduce

MarginKind = Literal["arcface", "cosface"]


class AngularMarginLoss(nn.Module):
    """Cross-entropy over cosines to one direction per class, the true class held back by a margin.

    −log softmax(s · (ψ(cos θ_y), cos θ_others));  arcface: ψ = cos(θ + m);  cosface: ψ = cos θ − m

    Beyond θ + m > π arcface goes on as cos θ − m sin m, so that it keeps falling.

    Args:
        in_channels: features of an embedding.
        classes: number of classes.
        kind: "arcface" (m is an angle) or "cosface" (m is a cosine).
        margin: m; 0.5 and 0.35 by default.
        scale: s.
        reduction: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        embeddings (n, in_channels), labels (n,): scalar, or (n,).

    Units:
        margin of arcface in radians.

    Raises:
        InputError: a number out of range, labels out of range, or embeddings that are not finite or zero.
        UnknownNameError: there is no such kind.
        EmptyPairsError: there is no item.

    Source: Deng et al., "ArcFace", CVPR 2019; Wang et al., "CosFace", CVPR 2018.
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        kind: MarginKind = "arcface",
        *,
        margin: float | None = None,
        scale: float = 64.0,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        if kind not in get_args(MarginKind):
            raise UnknownNameError.of("angular margin", kind, get_args(MarginKind))
        if in_channels < 1 or classes < 2:
            raise InputError(
                f"Expected at least one feature and two classes, but got {in_channels} and {classes}."
            )
        self.kind = kind
        self.margin = {"arcface": 0.5, "cosface": 0.35}[kind] if margin is None else margin
        check_positive("a margin", self.margin)
        check_positive("a scale", scale)
        if kind == "arcface" and self.margin > math.pi / 2:
            raise InputError(
                f"Expected a margin of at most π/2 radians, but got {self.margin}: are these degrees?"
            )
        self.scale = scale
        self.reduction: Reduction = reduction
        self.weight = nn.Parameter(torch.empty(classes, in_channels))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        check_embeddings(embeddings)
        check_labels(labels, len(embeddings))
        classes = len(self.weight)
        if len(labels) and not (int(labels.min()) >= 0 and int(labels.max()) < classes):
            raise InputError(f"Expected labels from 0 to {classes - 1}, but got up to {int(labels.max())}.")
        cosine = unit(embeddings) @ unit(self.weight.to(embeddings.dtype)).T
        own = cosine.gather(1, labels.unsqueeze(1))
        logits = self.scale * cosine.scatter(1, labels.unsqueeze(1), self._held_back(own))
        return reduce(F.cross_entropy(logits, labels, reduction="none"), self.reduction)

    def _held_back(self, cosine: Tensor) -> Tensor:
        if self.kind == "cosface":
            return cosine - self.margin
        sine = (1 - cosine.square()).clamp_min(torch.finfo(cosine.dtype).eps).sqrt()
        turned = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        return torch.where(
            cosine > math.cos(math.pi - self.margin), turned, cosine - self.margin * math.sin(self.margin)
        )

    def extra_repr(self) -> str:
        classes, channels = self.weight.shape
        return f"{channels}, {classes}, {self.kind!r}, margin={self.margin}, scale={self.scale}"
