"""How good an embedding is: what a linear classifier makes of it, as the papers measure it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from mmgraph.errors import InputError

FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class FractionScore:
    """Macro- and micro-F1 with a share of the nodes labelled, one of each per repeat, from 0 to 1."""

    fraction: float
    macro: tuple[float, ...]
    micro: tuple[float, ...]


def label_fractions(
    embedding: NDArray[Any],
    labels: NDArray[np.bool_],
    fractions: Sequence[float] = FRACTIONS,
    repeats: int = 10,
    seed: int = 0,
) -> list[FractionScore]:
    """Learn the labels of a random share of the nodes and predict those of all others, several times.

    One logistic regression per label. How many labels a node has is given: that many of the likeliest are predicted.

        macro = mean over labels of 2 TP_l / (2 TP_l + FP_l + FN_l),  micro = 2 TP / (2 TP + FP + FN)

    Args:
        embedding: a vector per node.
        labels: which node has which label.
        fractions: shares of the nodes to learn from.
        repeats: random splits for each share.
        seed: of the splits; those of different shares are drawn independently.

    Shapes:
        embedding (N, d), labels (N, L).

    Raises:
        InputError: shapes do not fit, a share leaves nothing to learn or to predict, or repeats < 1.

    Source: Perozzi, Al-Rfou & Skiena, KDD 2014; Tang & Liu, KDD 2009.
    """
    _check(embedding, labels, 2)
    if repeats < 1:
        raise InputError(f"Expected at least one repeat, but got {repeats}.")
    found = []
    for place, fraction in enumerate(fractions):
        known = int(fraction * len(labels))
        if not 0 < known < len(labels):
            raise InputError(
                f"Expected a fraction that leaves nodes to learn from and nodes to predict, but {fraction} of "
                f"{len(labels)} nodes are {known}."
            )
        scores = []
        for repeat in range(repeats):
            order = np.random.default_rng([seed, place, repeat]).permutation(len(labels))
            train, test = order[:known], order[known:]
            log_odds = _one_versus_rest(embedding[train], labels[train], embedding[test])
            scores.append(f1_scores(labels[test], likeliest(log_odds, labels[test].sum(1))))
        macro, micro = zip(*scores, strict=True)
        found.append(FractionScore(fraction, macro, micro))
    return found


def split_accuracy(
    embedding: NDArray[Any],
    labels: NDArray[np.int64],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
) -> float:
    """Share of the test nodes that a logistic regression learned on the training nodes gets right.

    Shapes:
        embedding (N, d), labels (N,), train and test (N,) bool.

    Raises:
        InputError: shapes do not fit, no node to learn from or to predict, or fewer than two classes.
    """
    _check(embedding, labels, 1)
    for name, mask in (("train", train), ("test", test)):
        if mask.dtype != np.bool_ or mask.shape != labels.shape or not mask.any():
            raise InputError(
                f"Expected {name} as a boolean mask over {len(labels)} nodes with at least one True, but got "
                f"{mask.dtype} of shape {mask.shape}."
            )
    if len(np.unique(labels[train])) < 2:
        raise InputError("Expected training nodes of two classes or more, but they are all of one.")
    model = LogisticRegression(max_iter=1000).fit(embedding[train], labels[train])
    return float((model.predict(embedding[test]) == labels[test]).mean())


def likeliest(log_odds: NDArray[Any], count: NDArray[np.int64]) -> NDArray[np.bool_]:
    """As many labels as each node has, those with the largest log-odds; of equal ones the first.

    Shapes:
        log_odds (N, L), count (N,) → (N, L).
    """
    rank = np.empty(log_odds.shape, np.int64)
    order = np.argsort(-log_odds, axis=1, kind="stable")
    np.put_along_axis(rank, order, np.arange(log_odds.shape[1])[None, :], axis=1)
    return np.asarray(rank < count[:, None])


def f1_scores(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> tuple[float, float]:
    """Macro- and micro-F1; labels that are neither there nor predicted count as 0 in the mean.

    Shapes:
        truth and predicted (N, L).
    """
    hits = (truth & predicted).sum(0)
    named = truth.sum(0) + predicted.sum(0)
    each = np.divide(2 * hits, named, out=np.zeros(len(hits)), where=named > 0)
    return float(each.mean()), float(2 * hits.sum() / max(named.sum(), 1))


def _one_versus_rest(
    known: NDArray[Any], labels: NDArray[np.bool_], asked: NDArray[Any]
) -> NDArray[np.float64]:
    """Log-odds of each label for the nodes that are asked about."""
    # A column of ones as a feature, so that the intercept is penalised too: LIBLINEAR does so, which the published
    # figures were measured with, but is several times slower.
    known, asked = (np.pad(part, ((0, 0), (0, 1)), constant_values=1.0) for part in (known, asked))
    log_odds = np.empty((len(asked), labels.shape[1]))
    for label, truth in enumerate(labels.T):
        if truth.all() or not truth.any():
            log_odds[:, label] = np.inf if truth[0] else -np.inf
            continue
        model = LogisticRegression(fit_intercept=False, max_iter=1000).fit(known, truth)
        log_odds[:, label] = model.decision_function(asked)
    return log_odds


def _check(embedding: NDArray[Any], labels: NDArray[Any], dimensions: int) -> None:
    if embedding.ndim != 2 or labels.ndim != dimensions or len(embedding) != len(labels):
        form = "(N,)" if dimensions == 1 else "(N, L)"
        raise InputError(
            f"Expected an embedding (N, d) and labels {form}, but got {embedding.shape} and {labels.shape}."
        )
    if dimensions == 2 and labels.dtype != np.bool_:
        raise InputError(f"Expected labels as bool, one column per label, but got {labels.dtype}.")
    if not np.isfinite(embedding).all():
        raise InputError("Expected a finite embedding, but it holds infinite numbers or NaN.")
