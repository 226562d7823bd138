"""How well items of one modality are found by items of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError

LEVELS = 11
_CHUNK_VALUES = 8_000_000


@dataclass(frozen=True, eq=False)
class Retrieval:
    """What came of a search in one direction.

    Args:
        average_precision: of each query; NaN where the gallery has nothing of its class.
        recall: share of queries with one of their class among the k nearest, for each k.
        precision: at recall 0, 0.1, … 1, the largest precision at that recall or a larger one, mean over queries.

    Shapes:
        average_precision (queries,) float64, precision (11,) float64.
    """

    average_precision: Tensor
    recall: dict[int, float]
    precision: Tensor

    @property
    def mean_average_precision(self) -> float:
        """Mean over the queries that have something to find."""
        return float(self.average_precision.nanmean())


def retrieve(
    similarity: Tensor,
    query_labels: Tensor,
    gallery_labels: Tensor,
    *,
    ks: Sequence[int] = (1, 5, 10),
) -> Retrieval:
    """Average precision over the whole ranking, recall at k and the precision–recall curve.

    AP = (1/R) Σ_i precision(i) · [item i is of the query's class],  R the number of those there are

    Equal similarities are ordered by row. Where each query looks for its own partner, number the pairs and give the
    numbers as labels.

    Args:
        similarity: of each query (row) to each item of the gallery (column).
        query_labels, gallery_labels: classes.
        ks: of recall@k.

    Shapes:
        similarity (n, m), query_labels (n,), gallery_labels (m,).

    Raises:
        EmptyPairsError: no query has an item of its class to find.
        InputError: shapes that do not fit, NaN, or k out of range.

    Source: Rasiwasia et al., "A new approach to cross-modal multimedia retrieval", ACM Multimedia 2010; interpolated
        precision: Manning, Raghavan & Schütze, "Introduction to information retrieval", 2008, section 8.4.
    """
    expected = (len(query_labels), len(gallery_labels))
    if similarity.dim() != 2 or tuple(similarity.shape) != expected:
        raise InputError(
            f"Expected a similarity for each query and item of the gallery, {expected}, but got "
            f"{tuple(similarity.shape)}."
        )
    if bool(similarity.isnan().any()):
        raise InputError("Expected similarities that are numbers, but some are NaN.")
    if any(not 1 <= k <= expected[1] for k in ks):
        raise InputError(f"Expected k from 1 to {expected[1]}, the items there are, but got {sorted(ks)}.")
    average, found, curve = [], [], []
    for rows in torch.arange(expected[0], device=similarity.device).split(
        max(1, _CHUNK_VALUES // max(expected[1], 1))
    ):
        order = similarity[rows].argsort(dim=1, descending=True, stable=True)
        right = (gallery_labels[order] == query_labels[rows].unsqueeze(1)).double()
        so_far = right.cumsum(1)
        precision = so_far / torch.arange(1, expected[1] + 1, device=right.device)
        total = so_far[:, -1:]
        average.append(((precision * right).sum(1, keepdim=True) / total).flatten())
        some = total.flatten() > 0
        found.append(torch.stack([so_far[some, k - 1] > 0 for k in ks], 1) if ks else right[some, :0] > 0)
        curve.append(_interpolated(precision[some], so_far[some] / total[some]))
    scores = torch.cat(average) if average else torch.zeros(0, dtype=torch.float64)
    if not bool((~scores.isnan()).any()):
        raise EmptyPairsError("Expected a query with an item of its class to find, but there is none.")
    shares = torch.cat(found).double().mean(0).tolist()
    return Retrieval(scores.cpu(), dict(zip(ks, shares, strict=True)), torch.cat(curve).mean(0).cpu())


def _interpolated(precision: Tensor, recall: Tensor) -> Tensor:
    """The largest precision at or beyond each level of recall.

    Shapes:
        precision, recall (n, m): (n, LEVELS).
    """
    beyond = precision.flip(1).cummax(1).values.flip(1)
    levels = torch.linspace(0, 1, LEVELS, dtype=recall.dtype, device=recall.device)
    # Recall is a fraction of counts: three tenths of ten items must count as 0.3.
    place = torch.searchsorted(recall.contiguous(), (levels - 1e-9).expand(len(recall), -1).contiguous())
    return beyond.gather(1, place)


def search_both_ways(
    similarity: Tensor, labels: Tensor, *, ks: Sequence[int] = (1, 5, 10)
) -> tuple[Retrieval, Retrieval]:
    """Images look for texts (rows for columns), and texts for images, where row i and column i belong together.

    Shapes:
        similarity (n, n), labels (n,).
    """
    return (
        retrieve(similarity, labels, labels, ks=ks),
        retrieve(similarity.T, labels, labels, ks=ks),
    )
