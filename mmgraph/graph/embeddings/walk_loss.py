"""How well vectors predict neighbours in walks: the objective of skip-gram, measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAIRS = 4096
"""Most pairs of neighbours that the loss is measured on."""
PAIRS_AT_ONCE = 256
"""So that measuring takes little memory beside the vectors."""


def neighbour_loss(
    x: NDArray[np.float32], y: NDArray[np.float32], walks: NDArray[np.int32], negatives: int, seed: int
) -> float:
    """Mean of −log σ(y_u · x_c) − Σ_k log σ(−y_{n_k} · x_c) over neighbours in walks, n drawn from the walks.

    Shapes:
        x, y (N, d), walks (walks, length).
    """
    random = np.random.default_rng(seed)
    pairs = np.stack([walks[:, 1:].ravel(), walks[:, :-1].ravel()])
    pairs = pairs[:, (pairs >= 0).all(0)]
    if pairs.shape[1] == 0:
        return 0.0
    target, context = pairs[:, random.integers(pairs.shape[1], size=min(pairs.shape[1], PAIRS))]
    other = random.choice(pairs[0], size=(negatives, len(target)))
    loss = np.empty(len(target), np.float32)
    for first in range(0, len(target), PAIRS_AT_ONCE):
        some = slice(first, first + PAIRS_AT_ONCE)
        vectors = x[context[some]]
        near = np.einsum("pd,pd->p", y[target[some]], vectors)
        far = np.einsum("kpd,pd->kp", y[other[:, some]], vectors)
        # Vectors that are no longer finite give a loss that is not: this is for the caller to see.
        with np.errstate(invalid="ignore"):
            loss[some] = np.logaddexp(0, -near) + np.logaddexp(0, far).sum(0)
    return float(loss.mean(dtype=np.float64))
