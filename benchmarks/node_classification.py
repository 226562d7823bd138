"""One-vs-rest logistic regression on node embeddings, scored as the papers do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score


def multilabel_f1(
    embedding: NDArray[np.float32],
    labels: scipy.sparse.csr_array,
    fraction: float,
    splits: int,
    seed: int = 0,
) -> tuple[float, float]:
    """Mean macro- and micro-F1 in percent, where as many labels are predicted as a node has.

    Shapes:
        embedding (N, d), labels (N, classes) of 0 and 1.
    """
    dense = np.asarray(labels.todense()) > 0
    scores = [_one_split(embedding, dense, fraction, seed + split) for split in range(splits)]
    macro, micro = np.mean(scores, axis=0)
    return 100 * float(macro), 100 * float(micro)


def _one_split(
    embedding: NDArray[np.float32], labels: NDArray[np.bool_], fraction: float, seed: int
) -> tuple[float, float]:
    order = np.random.default_rng(seed).permutation(len(labels))
    cut = int(fraction * len(labels))
    train, test = order[:cut], order[cut:]

    def probability(name: int) -> NDArray[np.float64]:
        truth = labels[train, name]
        if truth.all() or not truth.any():
            return np.full(len(test), float(truth.all()))
        model = LogisticRegression(max_iter=200, solver="liblinear").fit(embedding[train], truth)
        return np.asarray(model.predict_proba(embedding[test])[:, 1])

    with ThreadPoolExecutor(1) as pool:
        scores = np.stack(list(pool.map(probability, range(labels.shape[1]))), 1)
    wanted = labels[test].sum(1)
    rank = np.argsort(np.argsort(-scores, axis=1), axis=1)
    predicted = rank < wanted[:, None]
    truth = labels[test]
    return (
        f1_score(truth, predicted, average="macro", zero_division=0),
        f1_score(truth, predicted, average="micro", zero_division=0),
    )
