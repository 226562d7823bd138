"""Losses over a whole batch at once: every item against all others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric.arguments import check_embeddings, check_labels, check_positive
from mmgraph.metric.distances import Distance, unit
from mmgraph.metric.reduction import Reduction, reduce
from mmgraph.metric.selection import no_triplets, same_class


def nt_xent_loss(
    embeddings: Tensor, labels: Tensor, *, temperature: float = 0.07, reduction: Reduction = "mean"
) -> Tensor:
    """For every similar pair, how far it stands out among the dissimilar ones of its anchor.

    −log(exp(s_ap / τ) / (exp(s_ap / τ) + Σₙ exp(s_an / τ))),  s = cosine, n of other classes

    Two views of each of n pictures are 2n items with n labels.

    Args:
        embeddings: of the items.
        labels: of the items.
        temperature: τ.
        reduction: over similar pairs (a, p) in both orders: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        embeddings (n, d), labels (n,): scalar, or one per similar pair.

    Raises:
        EmptyPairsError: no similar or no dissimilar pair.
        InputError: a temperature ≤ 0, or embeddings that are not finite or zero.

    Source: Chen et al., "A simple framework for contrastive learning" (SimCLR), ICML 2020; Sohn, NeurIPS 2016.
    """
    check_positive("a temperature", temperature)
    logits, similar, dissimilar = _compared(embeddings, labels)
    logits = logits / temperature
    others = torch.logsumexp(logits.masked_fill(~dissimilar, -torch.inf), dim=1, keepdim=True)
    # An anchor without dissimilar items has log Σ = −∞ and a loss of 0, as it should.
    losses = F.softplus(others - logits)
    return reduce(losses[similar], reduction)


def info_nce_loss(
    queries: Tensor,
    keys: Tensor,
    *,
    temperature: float = 0.07,
    symmetric: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """Each query finds its own key among all keys.

    −log(exp(s_ii / τ) / Σⱼ exp(s_ij / τ)),  s = cosine;  symmetric: the mean with queries and keys exchanged

    Args:
        queries, keys: row i of one belongs to row i of the other.
        temperature: τ.
        symmetric: whether keys must find their queries too, as in CLIP.
        reduction: over queries: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        queries (n, d), keys (n, d): scalar, or (n,).

    Raises:
        EmptyPairsError: fewer than two pairs, so that there is nothing to tell apart.
        InputError: a temperature ≤ 0, shapes that do not fit, or vectors that are not finite or zero.

    Source: van den Oord, Li & Vinyals, "Representation learning with contrastive predictive coding", 2018; Radford et
        al., ICML 2021.
    """
    check_positive("a temperature", temperature)
    check_embeddings(queries, "queries")
    check_embeddings(keys, "keys")
    if queries.shape != keys.shape:
        raise InputError(
            f"Expected a key for each query, but got {tuple(queries.shape)} and {tuple(keys.shape)}."
        )
    if len(queries) < 2:
        raise EmptyPairsError(f"Expected at least two queries to tell apart, but got {len(queries)}.")
    logits = unit(queries) @ unit(keys).T / temperature
    own = torch.arange(len(logits), device=logits.device)
    losses = F.cross_entropy(logits, own, reduction="none")
    if symmetric:
        losses = (losses + F.cross_entropy(logits.T, own, reduction="none")) / 2
    return reduce(losses, reduction)


def multi_similarity_loss(
    embeddings: Tensor,
    labels: Tensor,
    *,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    reduction: Reduction = "mean",
) -> Tensor:
    """Soft maxima over the similar and over the dissimilar items of each anchor.

    (1/α) log(1 + Σₚ exp(−α (s_ap − λ))) + (1/β) log(1 + Σₙ exp(β (s_an − λ))),  s = cosine

    Args:
        embeddings: of the items.
        labels: of the items.
        alpha, beta: how sharp the maxima over similar and dissimilar items are.
        base: λ.
        reduction: over items: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        embeddings (n, d), labels (n,): scalar, or (n,).

    Raises:
        EmptyPairsError: no similar or no dissimilar pair.
        InputError: alpha or beta ≤ 0, or embeddings that are not finite or zero.

    Source: Wang et al., "Multi-similarity loss with general pair weighting", CVPR 2019. Differs: pairs are mined by a
        miner, or all taken.
    """
    check_positive("alpha", alpha)
    check_positive("beta", beta)
    similarity, similar, dissimilar = _compared(embeddings, labels)
    together = _log_one_plus_sum(-alpha * (similarity - base), similar) / alpha
    apart = _log_one_plus_sum(beta * (similarity - base), dissimilar) / beta
    return reduce(together + apart, reduction)


def prototypes(support: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The mean embedding of each class.

    Shapes:
        support (n, d), labels (n,) from 0 to classes − 1: (classes, d).

    Raises:
        InputError: a label out of range, or a class without items.
    """
    check_embeddings(support, "support embeddings")
    check_labels(labels, len(support))
    if len(labels) and (int(labels.min()) < 0 or int(labels.max()) >= classes):
        raise InputError(
            f"Expected labels from 0 to {classes - 1}, but got {int(labels.min())} to {int(labels.max())}."
        )
    count = torch.bincount(labels, minlength=classes)
    if bool((count == 0).any()):
        raise InputError(
            f"Expected items of every class, but class {int(torch.nonzero(count == 0)[0])} has none."
        )
    return support.new_zeros(classes, support.size(1)).index_add(0, labels, support) / count.unsqueeze(1)


def prototypical_loss(
    support: Tensor,
    support_labels: Tensor,
    queries: Tensor,
    query_labels: Tensor,
    *,
    distance: Distance | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Queries near the mean of their class and far from the means of others.

    −log softmax_k(−d(q, c_k))[y],  c_k the mean of class k's support

    Args:
        support: embeddings the means are taken of.
        support_labels: their classes, from 0 on without gaps.
        queries: embeddings that are classified.
        query_labels: their classes.
        distance: squared by default.
        reduction: over queries: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        support (n, d), support_labels (n,), queries (m, d), query_labels (m,): scalar, or (m,).

    Raises:
        EmptyPairsError: no query, or one class only.
        InputError: labels without support, or embeddings that are not finite.

    Source: Snell, Swersky & Zemel, "Prototypical networks for few-shot learning", NeurIPS 2017.
    """
    check_labels(query_labels, len(queries))
    classes = int(support_labels.max()) + 1 if len(support_labels) else 0
    if classes < 2 or len(queries) == 0:
        raise EmptyPairsError(
            f"Expected queries and at least two classes, but got {len(queries)} and {classes}."
        )
    if int(query_labels.max()) >= classes or int(query_labels.min()) < 0:
        raise InputError(f"Expected queries of classes 0 to {classes - 1}, which have support.")
    distance = Distance("squared") if distance is None else distance
    away = distance.matrix(queries, prototypes(support, support_labels, classes))
    return reduce(F.cross_entropy(-away, query_labels, reduction="none"), reduction)


def _compared(embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cosines of all pairs, and which are of similar and of dissimilar items."""
    check_embeddings(embeddings)
    check_labels(labels, len(embeddings))
    similar, dissimilar = same_class(labels), labels.unsqueeze(0) != labels.unsqueeze(1)
    if not (bool(similar.any()) and bool(dissimilar.any())):
        raise no_triplets(labels)
    vectors = unit(embeddings)
    return vectors @ vectors.T, similar, dissimilar


def _log_one_plus_sum(values: Tensor, kept: Tensor) -> Tensor:
    values = values.masked_fill(~kept, -torch.inf)
    one = values.new_zeros(len(values), 1)
    return torch.logsumexp(torch.cat([values, one], dim=1), dim=1)
