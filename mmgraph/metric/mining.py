"""Choosing the triplets of a batch that are worth learning from."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.metric.arguments import check_labels
from mmgraph.metric.selection import Pairs, Triplets, all_triplets, no_triplets, same_class

MinerKind = Literal["all", "random", "semi-hard", "hardest", "distance-weighted"]

NEAREST_COUNTED = 0.5
"""Nearer than this all dissimilar items are as likely, lest noise decide."""
FARTHEST_COUNTED = 1.4
"""Farther than this, on the unit sphere, dissimilar items teach nothing."""


def mine_triplets(
    distance: Tensor,
    labels: Tensor,
    kind: MinerKind = "semi-hard",
    *,
    dim: int | None = None,
    generator: torch.Generator | None = None,
) -> Triplets:
    """Triplets of a batch, chosen by their distances.

    all: every one
    random: for each item one other of its class and one of another class
    hardest: for each item the farthest of its class and the nearest of another ("batch hard")
    semi-hard: for each similar pair the nearest dissimilar item that is farther than the similar one, and where there
        is none, the farthest
    distance-weighted: for each similar pair a dissimilar item, as likely as its distance is rare between random
        points of the unit sphere, 1 / q(d) with q(d) ∝ d^(dim−2) (1 − d²/4)^((dim−3)/2), d from 0.5 to 1.4;
        where all are farther, any of them

    Never holds n³ numbers, but for "all".

    Args:
        distance: of all pairs.
        labels: classes of the items.
        kind: which.
        dim: features of the embeddings, for "distance-weighted".
        generator: of the CPU or of the device of the distances, for "random" and "distance-weighted".

    Shapes:
        distance (n, n), labels (n,).

    Raises:
        EmptyPairsError: one class only, or no class with two items.
        InputError: shapes that do not fit, distances that are NaN, or no dim or generator where they are needed.
        UnknownNameError: there is no such miner.

    Source: Hermans, Beyer & Leibe, "In defense of the triplet loss", 2017; Schroff et al., "FaceNet", CVPR 2015; Wu et
        al., "Sampling matters in deep embedding learning", ICCV 2017.
    """
    if kind not in get_args(MinerKind):
        raise UnknownNameError.of("miner", kind, get_args(MinerKind))
    check_labels(labels, len(labels))
    if distance.shape != (len(labels), len(labels)):
        raise InputError(
            f"Expected the distances of all pairs, ({len(labels)}, {len(labels)}), but got {tuple(distance.shape)}."
        )
    if kind == "all":
        return all_triplets(labels)
    distance = distance.detach()
    if bool(torch.isnan(distance).any()):
        raise InputError("Expected distances that are numbers, but some are NaN: look at the embeddings.")
    similar, dissimilar = same_class(labels), labels.unsqueeze(0) != labels.unsqueeze(1)
    usable = similar.any(1) & dissimilar.any(1)
    if not bool(usable.any()):
        raise no_triplets(labels)
    if kind in ("random", "hardest"):
        anchor = torch.nonzero(usable).flatten()
        if kind == "random":
            positive = _random(similar[anchor], generator)
            negative = _random(dissimilar[anchor], generator)
        else:
            near = distance[anchor]
            positive = near.masked_fill(~similar[anchor], -torch.inf).argmax(1)
            negative = near.masked_fill(~dissimilar[anchor], torch.inf).argmin(1)
        return Triplets(anchor, positive, negative)
    anchor, positive = torch.nonzero(similar & usable.unsqueeze(1), as_tuple=True)
    if kind == "semi-hard":
        return Triplets(anchor, positive, _just_farther(distance, dissimilar, anchor, positive))
    if dim is None or dim < 2:
        raise InputError(
            f"Expected dim ≥ 2, the features of the embeddings, for distance-weighted, but got {dim}."
        )
    weights = _rarity(distance, dim) * dissimilar
    # Where no dissimilar item counts, all of them do.
    weights = torch.where(weights.sum(1, keepdim=True) > 0, weights, dissimilar.to(weights.dtype))
    return Triplets(anchor, positive, _drawn(weights, anchor, generator))


def pairs_of(triplets: Triplets) -> Pairs:
    """The similar and the dissimilar pair of each triplet."""
    anchors = torch.cat([triplets.anchor, triplets.anchor])
    others = torch.cat([triplets.positive, triplets.negative])
    similar = torch.arange(len(anchors), device=anchors.device) < len(triplets)
    return Pairs(anchors, others, similar)


def _random(allowed: Tensor, generator: torch.Generator | None) -> Tensor:
    """One allowed column of each row."""
    rank = (_uniform((len(allowed),), allowed.device, generator) * allowed.sum(1)).long()
    return torch.searchsorted(allowed.cumsum(1), rank.unsqueeze(1), right=True).squeeze(1)


def _just_farther(distance: Tensor, dissimilar: Tensor, anchor: Tensor, positive: Tensor) -> Tensor:
    ordered, column = distance.masked_fill(~dissimilar, torch.inf).sort(1)
    # Columns of the same row ask together: one search per pair of items is cheaper than ragged ones.
    place = torch.searchsorted(ordered, distance.contiguous(), right=True)[anchor, positive]
    last = dissimilar.sum(1)[anchor] - 1
    return column[anchor, torch.minimum(place, last)]


def _rarity(distance: Tensor, dim: int) -> Tensor:
    """1 / q(d), up to a factor per row."""
    near = distance.double().clamp_min(NEAREST_COUNTED)
    log_q = (dim - 2) * near.log() + (dim - 3) / 2 * (1 - near.square().clamp_max(4) / 4).clamp_min(
        1e-12
    ).log()
    counted = near < FARTHEST_COUNTED
    largest = (-log_q).masked_fill(~counted, -math.inf).amax(1, keepdim=True)
    return torch.where(counted, (-log_q - torch.where(largest.isfinite(), largest, 0)).exp(), 0)


def _drawn(weights: Tensor, anchor: Tensor, generator: torch.Generator | None) -> Tensor:
    """For each anchor a column of its row, in proportion to its weight."""
    upto = weights.cumsum(1)
    times = torch.bincount(anchor, minlength=len(weights))
    place = torch.arange(len(anchor), device=anchor.device) - (times.cumsum(0) - times)[anchor]
    points = (
        _uniform((len(weights), int(times.max())), weights.device, generator).to(upto.dtype) * upto[:, -1:]
    )
    # A point never falls on columns of weight zero, of which the sum stays the same, but for rounding at the end.
    columns = torch.searchsorted(upto, points, right=True)
    last = (upto < upto[:, -1:]).sum(1, keepdim=True)
    return torch.minimum(columns, last)[anchor, place]


def _uniform(shape: tuple[int, ...], device: torch.device, generator: torch.Generator | None) -> Tensor:
    if generator is None:
        raise InputError(
            "Expected a generator for a miner that draws at random: torch.Generator().manual_seed(0)."
        )
    return torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64).to(device)
