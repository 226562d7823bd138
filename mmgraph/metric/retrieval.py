"""How well items of one kind are found among others by their embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric.arguments import check_embeddings, check_labels
from mmgraph.metric.distances import Distance

_CHUNK_VALUES = 8_000_000


def retrieval_scores(
    embeddings: Tensor,
    labels: Tensor,
    *,
    queries: Tensor | None = None,
    query_labels: Tensor | None = None,
    distance: Distance | None = None,
    ks: Sequence[int] = (1, 5, 10),
) -> dict[str, float]:
    """Recall at k, mean average precision at R and precision at R of a search for items of one's own class.

    recall@k: share of queries with one of their class among the k nearest
    R-precision: share of the R nearest that are of the query's class, R the number of those there are
    mAP@R: (1/R) Σ_{i ≤ R} precision(i) · [item i is of the class]

    Queries of whose class there is no other item do not count. Equal distances are ordered by row.

    Args:
        embeddings: of what is searched.
        labels: its classes.
        queries: embeddings of the queries; by default every item, which does not find itself.
        query_labels: their classes.
        distance: l2 by default.
        ks: of recall@k.

    Shapes:
        embeddings (n, d), labels (n,), queries (m, d), query_labels (m,).

    Raises:
        EmptyPairsError: no query has an item of its class to find.
        InputError: shapes that do not fit, or k out of range.

    Source: Musgrave, Belongie & Lim, "A metric learning reality check", ECCV 2020.
    """
    check_embeddings(embeddings)
    check_labels(labels, len(embeddings))
    itself = queries is None
    if queries is None or query_labels is None:
        if queries is not query_labels:
            raise InputError("Expected queries and query_labels together, or neither.")
        queries, query_labels = embeddings, labels
    check_embeddings(queries, "queries")
    check_labels(query_labels, len(queries))
    available = len(embeddings) - itself
    if any(not 1 <= k <= available for k in ks):
        raise InputError(f"Expected k from 1 to {available}, the items there are, but got {sorted(ks)}.")
    distance = Distance("l2") if distance is None else distance
    known, count = torch.unique(labels, return_counts=True)
    place = torch.searchsorted(known, query_labels).clamp_max(len(known) - 1)
    relevant = torch.where(known[place] == query_labels, count[place], 0) - int(itself)
    counted = torch.nonzero(relevant > 0).flatten()
    if len(counted) == 0:
        raise EmptyPairsError(
            "Expected a query with another item of its class, but there is none to be found."
        )
    totals = torch.zeros(len(ks) + 2, dtype=torch.float64)
    with torch.no_grad():
        for rows in counted.split(max(1, _CHUNK_VALUES // max(len(embeddings), 1))):
            away = distance.matrix(queries[rows], embeddings)
            if itself:
                away[torch.arange(len(rows), device=rows.device), rows] = torch.inf
            depth = max(int(relevant[rows].max()), *ks)
            nearest = _nearest(away, depth)
            right = (labels[nearest] == query_labels[rows].unsqueeze(1)).double()
            totals += _totals(right, relevant[rows].unsqueeze(1), ks).cpu()
    names = [*(f"recall@{k}" for k in ks), "r-precision", "map@r"]
    return dict(zip(names, (totals / len(counted)).tolist(), strict=True))


def _nearest(away: Tensor, depth: int) -> Tensor:
    """Columns of the smallest values of each row, in order, equal ones by column."""
    if 4 * depth >= away.size(1):
        return away.argsort(dim=1, stable=True)[:, :depth]
    values, columns = away.topk(depth, largest=False, sorted=False)
    columns, order = columns.sort(1)
    return columns.gather(1, values.gather(1, order).argsort(dim=1, stable=True))


def _totals(right: Tensor, relevant: Tensor, ks: Sequence[int]) -> Tensor:
    rank = torch.arange(1, right.size(1) + 1, device=right.device)
    within = right * (rank <= relevant)
    recall = [right[:, :k].amax(1).sum() for k in ks]
    precision = (within.sum(1, keepdim=True) / relevant).sum()
    average = (within.cumsum(1) / rank * within / relevant).sum()
    return torch.stack([*recall, precision, average])


def clustering_score(embeddings: Tensor, labels: Tensor, *, seed: int = 0) -> float:
    """Normalised mutual information of k-means clusters, as many as classes, with the classes.

    Shapes:
        embeddings (n, d), labels (n,).

    Raises:
        InputError: shapes that do not fit, or no items.

    Source: scikit-learn's KMeans and normalized_mutual_info_score.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score

    check_embeddings(embeddings)
    check_labels(labels, len(embeddings))
    if len(labels) == 0:
        raise InputError("Expected items to cluster, but there are none.")
    classes = len(torch.unique(labels))
    found = KMeans(classes, n_init=4, random_state=seed).fit_predict(embeddings.detach().cpu().numpy())
    return float(normalized_mutual_info_score(labels.cpu().numpy(), found))
