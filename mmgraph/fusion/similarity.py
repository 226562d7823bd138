"""How alike two vectors of a common space are."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.metric import Distance

SimilarityKind = Literal["dot", "cosine", "correlation", "l2"]


def similarity_matrix(queries: Tensor, gallery: Tensor, kind: SimilarityKind = "cosine") -> Tensor:
    """The similarity of all queries to all vectors of the gallery; larger is more alike.

    dot: x·y, of two class posteriors the probability that both are of one class;  cosine: x·y / (‖x‖ ‖y‖);
    correlation: the cosine of x − mean(x) and y − mean(y);  l2: −‖x − y‖

    Shapes:
        queries (n, d), gallery (m, d): (n, m).

    Raises:
        UnknownNameError: there is no such similarity.
        InputError: vectors that do not fit or are not finite, or a zero vector that has no direction.
    """
    if kind not in get_args(SimilarityKind):
        raise UnknownNameError.of("similarity", kind, get_args(SimilarityKind))
    if queries.dim() != 2 or gallery.dim() != 2 or queries.size(1) != gallery.size(1):
        raise InputError(
            f"Expected vectors of as many features on both sides, but got {tuple(queries.shape)} and "
            f"{tuple(gallery.shape)}."
        )
    if kind == "dot":
        return queries @ gallery.T
    if kind == "correlation":
        queries = queries - queries.mean(1, keepdim=True)
        gallery = gallery - gallery.mean(1, keepdim=True)
    if kind == "l2":
        return -Distance("l2").matrix(queries, gallery)
    return 1 - Distance("cosine").matrix(queries, gallery)
