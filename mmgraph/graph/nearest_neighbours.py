"""Exact nearest-neighbour graphs."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError

Metric = Literal["euclidean", "cosine"]

# Entries of a block of distances, and of a block of coordinate differences: 32 MB of float64.
_BLOCK = 1 << 22


@torch.no_grad()
def knn_graph(x: Tensor, k: int, metric: Metric = "euclidean", symmetric: bool = True) -> Tensor:
    """Edges from the k nearest neighbours j of every row i to i.

    euclidean: ‖xᵢ − xⱼ‖;  cosine: 1 − xᵢ·xⱼ / (‖xᵢ‖ ‖xⱼ‖)

    Exact: a matrix product finds who can be among the k nearest, then distances are taken from coordinate
    differences in float64. Of equal distances the smaller index wins. No row is its own neighbour.

    Args:
        x: points.
        k: neighbours of each.
        metric: "euclidean" or "cosine".
        symmetric: add the reverse of every edge that lacks it.

    Shapes:
        x (n, features): edge_index (2, E) with E = n·k, or up to 2·n·k where symmetric, sorted by target, then
        source.

    Raises:
        InputError: x is not a matrix of finite numbers, k is not from 1 to n − 1, or a row is zero where the
            metric is cosine.
        UnknownNameError: there is no such metric.
    """
    points = _checked_points(x, k, metric)
    centred = points - points.mean(0)
    squares = centred.square().sum(1)
    # What the expanded square below can be off by from rounding.
    slack = 8 * (points.size(1) + 4) * torch.finfo(points.dtype).eps * squares.max()

    everyone = torch.arange(len(points), device=x.device)
    targets, sources = [], []
    for rows in torch.split(everyone, max(1, _BLOCK // len(points))):
        # ‖a − b‖² less ‖a‖², which is the same for the whole row.
        distances = torch.addmm(squares, centred[rows], centred.T, alpha=-2)
        distances[everyone[: len(rows)], rows] = torch.inf
        reach = distances.topk(k, dim=1, largest=False).values[:, -1:] + slack
        near, source = torch.nonzero(distances <= reach, as_tuple=True)
        target = rows[near]
        chosen = _nearest(_squared_distances(points, target, source), near, len(rows), k)
        targets.append(target[chosen])
        sources.append(source[chosen])
    target, source = torch.cat(targets), torch.cat(sources)
    if symmetric:
        target, source = torch.cat([target, source]), torch.cat([source, target])
    edges = torch.unique(target * len(points) + source)
    return torch.stack([edges % len(points), edges // len(points)])


def _checked_points(x: Tensor, k: int, metric: Metric) -> Tensor:
    if metric not in get_args(Metric):
        raise UnknownNameError.of("metric", metric, get_args(Metric))
    if x.dim() != 2 or x.is_complex():
        raise InputError(f"Expected real points (n, features), but got {tuple(x.shape)} of {x.dtype}.")
    if not 1 <= k < len(x):
        raise InputError(f"Expected k from 1 to {len(x) - 1} for {len(x)} points, but got {k}.")
    points = x.double()
    finite = torch.isfinite(points.square().sum(1))
    if not bool(finite.all()):
        row = int(torch.nonzero(~finite)[0])
        raise InputError(f"Expected finite points, but row {row} has NaN, infinity or too large a length.")
    if metric == "cosine":
        lengths = points.norm(dim=1, keepdim=True)
        if not bool(lengths.all()):
            row = int(torch.nonzero(lengths == 0)[0, 0])
            raise InputError(f"Expected points other than 0 for the cosine metric, but row {row} is 0.")
        # On the unit sphere ‖a − b‖² = 2 (1 − a·b): the nearest are the same.
        points = points / lengths
    return points


def _squared_distances(points: Tensor, target: Tensor, source: Tensor) -> Tensor:
    size = max(1, _BLOCK // max(1, points.size(1)))
    pairs = zip(torch.split(target, size), torch.split(source, size), strict=True)
    return torch.cat([(points[i] - points[j]).square().sum(1) for i, j in pairs])


def _nearest(distances: Tensor, row: Tensor, num_rows: int, k: int) -> Tensor:
    """Positions of the k smallest distances of every row; candidates come sorted by row, then index."""
    by_distance = torch.argsort(distances, stable=True)
    by_row = by_distance[torch.argsort(row[by_distance], stable=True)]
    starts = torch.searchsorted(row, torch.arange(num_rows, device=row.device))
    return by_row[(starts[:, None] + torch.arange(k, device=row.device)).flatten()]
