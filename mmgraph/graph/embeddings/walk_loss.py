"""How well vectors predict neighbours in walks: the objective of skip-gram, measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

PAIRS = 4096
"""Most pairs of neighbours that the loss is measured on."""
PAIRS_AT_ONCE = 256
"""So that measuring takes little memory beside the vectors."""


Table = NDArray[np.float32] | Tensor
"""Vectors of nodes, (N, d); batches train them as a tensor."""


def rows_of(table: Table, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.float32]:
    """Some rows of a table, from whatever device."""
    found: NDArray[np.float32] = (
        table[rows] if isinstance(table, np.ndarray) else table[rows].detach().cpu().numpy()
    )
    return found


def neighbour_loss(x: Table, y: Table, walks: NDArray[np.int32], negatives: int, seed: int) -> float:
    """Mean of −log σ(y_u · x_c) − Σ_k log σ(−y_{n_k} · x_c) over neighbours in walks, n drawn from the walks.

    Shapes:
        x, y (N, d), walks (walks, length).
    """
    if not isinstance(x, np.ndarray):  # read each node once: every look at another device costs time
        nodes = np.unique(walks[walks >= 0]).astype(np.int64)
        walks = np.where(walks < 0, -1, np.searchsorted(nodes, walks)).astype(np.int32)
        x, y = rows_of(x, nodes), rows_of(y, nodes)
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
