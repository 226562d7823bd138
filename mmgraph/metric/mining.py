"""Choosing the triplets of a batch that are worth learning from."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.metric import row_mining
from mmgraph.metric.arguments import check_labels
from mmgraph.metric.distances import Distance
from mmgraph.metric.row_mining import ClassTable, Rows
from mmgraph.metric.selection import Pairs, Triplets, all_triplets, no_triplets

MinerKind = Literal["all", "random", "semi-hard", "hardest", "distance-weighted"]

WITHOUT_DISTANCES: tuple[MinerKind, ...] = ("all", "random")


def mine_triplets(
    distance: Tensor | None,
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

    Works on a block of rows at a time, which fits the cache of a CPU.

    Args:
        distance: of all pairs; None for "all" and "random", which look at none.
        labels: classes of the items.
        kind: which.
        dim: features of the embeddings, for "distance-weighted".
        generator: of the CPU or of the device of the distances, for "random" and "distance-weighted".

    Shapes:
        distance (n, n), labels (n,).

    Raises:
        EmptyPairsError: one class only, or no class with two items.
        InputError: shapes that do not fit, distances that are NaN, or no distances, dim or generator where they are
            needed.
        UnknownNameError: there is no such miner.

    Source: Hermans, Beyer & Leibe, "In defense of the triplet loss", 2017; Schroff et al., "FaceNet", CVPR 2015; Wu et
        al., "Sampling matters in deep embedding learning", ICCV 2017.
    """
    rows: Rows | None = None
    check_labels(labels, len(labels))
    if distance is not None:
        if distance.shape != (len(labels), len(labels)):
            raise InputError(
                f"Expected the distances of all pairs, ({len(labels)}, {len(labels)}), but got {tuple(distance.shape)}."
            )
        matrix = distance.detach()

        def rows(start: int, stop: int) -> Tensor:
            return matrix[start:stop]

    return _mine(rows, labels, kind, dim, generator)


def mine_embeddings(
    embeddings: Tensor,
    labels: Tensor,
    kind: MinerKind = "semi-hard",
    *,
    distance: Distance | None = None,
    generator: torch.Generator | None = None,
) -> Triplets:
    """The triplets of `mine_triplets`, without ever holding the distances of all pairs.

    Args:
        embeddings: of the items.
        labels: their classes.
        kind: which miner.
        distance: l2 by default; "distance-weighted" is meant for l2 of unit vectors.
        generator: as there.

    Shapes:
        embeddings (n, d), labels (n,).

    Raises:
        EmptyPairsError, InputError, UnknownNameError: as there; embeddings that are not finite.
    """
    check_labels(labels, len(embeddings))
    if kind in WITHOUT_DISTANCES:
        return mine_triplets(None, labels, kind, generator=generator)
    distance = Distance("l2") if distance is None else distance
    with torch.no_grad():
        vectors = distance.prepared(embeddings)

        def rows(start: int, stop: int) -> Tensor:
            return distance.between(vectors[start:stop], vectors)

        return _mine(rows, labels, kind, embeddings.size(1), generator)


def pairs_of(triplets: Triplets) -> Pairs:
    """The similar and the dissimilar pair of each triplet."""
    anchors = torch.cat([triplets.anchor, triplets.anchor])
    others = torch.cat([triplets.positive, triplets.negative])
    similar = torch.arange(len(anchors), device=anchors.device) < len(triplets)
    return Pairs(anchors, others, similar)


def _mine(
    rows: Rows | None, labels: Tensor, kind: MinerKind, dim: int | None, generator: torch.Generator | None
) -> Triplets:
    if kind not in get_args(MinerKind):
        raise UnknownNameError.of("miner", kind, get_args(MinerKind))
    if kind == "all":
        return all_triplets(labels)
    table = ClassTable.of(labels)
    if not bool(table.usable.any()):
        raise no_triplets(labels)

    def uniform(shape: tuple[int, ...]) -> Tensor:
        if generator is None:
            raise InputError(
                "Expected a generator for a miner that draws at random: torch.Generator().manual_seed(0)."
            )
        drawn = torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)
        return drawn.to(labels.device)

    if kind == "random":
        return Triplets(*row_mining.at_random(table, uniform))
    if rows is None:
        raise InputError(f"Expected the distances of all pairs, which the miner {kind} looks at.")
    if kind == "hardest":
        return Triplets(*row_mining.hardest(table, rows))
    if kind == "semi-hard":
        return Triplets(*row_mining.semi_hard(table, rows))
    if dim is None or dim < 2:
        raise InputError(
            f"Expected dim ≥ 2, the features of the embeddings, for distance-weighted, but got {dim}."
        )
    return Triplets(*row_mining.distance_weighted(table, rows, dim, uniform))
