"""The inner loops of UMAP, compiled. Imported only where they run."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mmgraph.compiled import inlined, kernel

Floats = npt.NDArray[np.float64]


@kernel
def fuzzy_weights(distances: Floats) -> Floats:
    """exp(−max(0, d − ρ) / σ) of the k neighbours of each point: ρ the nearest distance, the sum log₂ k."""
    count, near = distances.shape
    weights = np.empty_like(distances)
    wanted = math.log2(near)
    mean_all = distances.mean()
    for i in range(count):
        rho = 0.0
        for j in range(near):
            if distances[i, j] > 0:
                rho = distances[i, j]
                break
        low, high, sigma = 0.0, np.inf, 1.0
        for _ in range(64):
            total = 0.0
            for j in range(near):
                far = distances[i, j] - rho
                total += math.exp(-far / sigma) if far > 0 else 1.0
            if abs(total - wanted) < 1e-5:
                break
            if total > wanted:
                high = sigma
                sigma = (low + high) / 2
            else:
                low = sigma
                sigma = sigma * 2 if high == np.inf else (low + high) / 2
        mean = distances[i].mean() if rho > 0 else mean_all
        sigma = max(sigma, 1e-3 * mean, 1e-300)
        for j in range(near):
            far = distances[i, j] - rho
            weights[i, j] = math.exp(-far / sigma) if far > 0 else 1.0
    return weights


@inlined
def _clipped(value: float) -> float:
    return min(max(value, -4.0), 4.0)


@kernel
def umap_epoch(
    places: Floats,
    held: npt.NDArray[np.bool_],
    heads: npt.NDArray[np.int32],
    tails: npt.NDArray[np.int32],
    every: Floats,
    due: Floats,
    epoch: int,
    rate: float,
    a: float,
    b: float,
    negatives: int,
    state: npt.NDArray[np.uint64],
) -> None:
    """Pull the ends of the edges that are due together, and push each head away from points drawn at random.

    Args:
        every: epochs between two turns of each edge.
        due: epoch of the next turn of each edge; changed.
        state: of the generator (xorshift64*), one number; changed.
    """
    count, dimensions = places.shape
    apart = np.empty(dimensions)
    random = state[0]
    for edge in range(len(heads)):
        if due[edge] > epoch:
            continue
        due[edge] += every[edge]
        i, j = heads[edge], tails[edge]
        squared = 0.0
        for d in range(dimensions):
            apart[d] = places[i, d] - places[j, d]
            squared += apart[d] * apart[d]
        if squared > 0:
            power = squared**b
            factor = -2 * a * b * power / squared / (1 + a * power)
            for d in range(dimensions):
                move = rate * _clipped(factor * apart[d])
                if not held[i]:
                    places[i, d] += move
                if not held[j]:
                    places[j, d] -= move
        if held[i]:
            continue
        for _ in range(negatives):
            random ^= random >> np.uint64(12)
            random ^= random << np.uint64(25)
            random ^= random >> np.uint64(27)
            other = int(((random * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)) % np.uint64(count))
            if other == i:
                continue
            squared = 0.0
            for d in range(dimensions):
                apart[d] = places[i, d] - places[other, d]
                squared += apart[d] * apart[d]
            factor = 2 * b / ((0.001 + squared) * (1 + a * squared**b))
            for d in range(dimensions):
                places[i, d] += rate * _clipped(factor * apart[d])
    state[0] = random
