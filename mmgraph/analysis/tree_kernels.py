"""Forces between all points of a plane or of space in time n log n, compiled. Imported only where it runs."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mmgraph.compiled import kernel

Floats = npt.NDArray[np.float64]

_DEEPEST = 48
"""Points closer than 2⁻⁴⁸ of the extent share a leaf."""


@kernel
def student_repulsion(points: Floats, theta: float, forces: Floats) -> float:
    """Repulsion of a Student t with one degree of freedom between all points, far groups taken as one.

    forces on i = Σⱼ qᵢⱼ² (yᵢ − yⱼ), qᵢⱼ = 1 / (1 + ‖yᵢ − yⱼ‖²); returns Σ_{i≠j} qᵢⱼ.

    A cell counts as one point where its side is less than theta times its distance.

    Source: Barnes and Hut, A hierarchical O(N log N) force-calculation algorithm, 1986.
    """
    count, dimensions = points.shape
    branches = 1 << dimensions
    low, high = points[0].copy(), points[0].copy()
    for i in range(count):
        for d in range(dimensions):
            low[d], high[d] = min(low[d], points[i, d]), max(high[d], points[i, d])
    side = 1e-12
    for d in range(dimensions):
        side = max(side, high[d] - low[d])
    side *= 1 + 1e-9
    room = 4 * count + 64
    child = np.full((room, branches), -1, dtype=np.int32)
    mass = np.zeros(room)
    sums = np.zeros((room, dimensions))
    leaf = np.full(room, -1, dtype=np.int32)  # a point of a leaf; -2 for a node with children
    sides = np.empty(room)
    sides[0] = side
    used = 1
    corner, moved = np.empty(dimensions), np.empty(dimensions)
    for i in range(count):
        node, depth = 0, 0
        corner[:] = low
        while True:
            mass[node] += 1
            for d in range(dimensions):
                sums[node, d] += points[i, d]
            if mass[node] == 1 and leaf[node] == -1:
                leaf[node] = i
                break
            if depth == _DEEPEST:
                break
            half = sides[node] / 2
            if used + 2 > room:
                room *= 2
                child = _grown_table(child, room)
                mass, sides = _grown(mass, room), _grown(sides, room)
                sums = _grown_rows(sums, room)
                leaf = _grown_numbers(leaf, room)
            if leaf[node] >= 0:  # the point that was alone here moves down
                other = leaf[node]
                leaf[node] = -2
                branch = 0
                for d in range(dimensions):
                    if points[other, d] >= corner[d] + half:
                        branch |= 1 << d
                child[node, branch] = used
                sides[used] = half
                leaf[used] = other
                mass[used] = mass[node] - 1
                for d in range(dimensions):
                    sums[used, d] = points[other, d] * mass[used]
                used += 1
            branch = 0
            for d in range(dimensions):
                moved[d] = corner[d]
                if points[i, d] >= corner[d] + half:
                    branch |= 1 << d
                    moved[d] = corner[d] + half
            if child[node, branch] < 0:
                child[node, branch] = used
                sides[used] = half
                used += 1
            node = child[node, branch]
            corner[:] = moved
            depth += 1
    for node in range(used):
        for d in range(dimensions):
            sums[node, d] /= mass[node]
    total = -float(count)
    stack = np.empty(_DEEPEST * branches + 64, dtype=np.int32)
    apart = np.empty(dimensions)
    for i in range(count):
        forces[i] = 0
        stack[0], top = 0, 1
        while top:
            top -= 1
            node = stack[top]
            squared = 0.0
            for d in range(dimensions):
                apart[d] = points[i, d] - sums[node, d]
                squared += apart[d] * apart[d]
            if leaf[node] != -2 or sides[node] * sides[node] < theta * theta * squared:
                near = 1 / (1 + squared)
                total += mass[node] * near
                for d in range(dimensions):
                    forces[i, d] += mass[node] * near * near * apart[d]
            else:
                for branch in range(branches):
                    if child[node, branch] >= 0:
                        stack[top] = child[node, branch]
                        top += 1
    return total


@kernel
def _grown(values: Floats, room: int) -> Floats:
    larger = np.zeros(room)
    larger[: len(values)] = values
    return larger


@kernel
def _grown_rows(values: Floats, room: int) -> Floats:
    larger = np.zeros((room, values.shape[1]))
    larger[: len(values)] = values
    return larger


@kernel
def _grown_numbers(values: npt.NDArray[np.int32], room: int) -> npt.NDArray[np.int32]:
    larger = np.full(room, -1, dtype=np.int32)
    larger[: len(values)] = values
    return larger


@kernel
def _grown_table(values: npt.NDArray[np.int32], room: int) -> npt.NDArray[np.int32]:
    larger = np.full((room, values.shape[1]), -1, dtype=np.int32)
    larger[: len(values)] = values
    return larger


@kernel
def student_attraction(
    points: Floats,
    starts: npt.NDArray[np.int64],
    others: npt.NDArray[np.int32],
    weights: Floats,
    forces: Floats,
) -> None:
    """Add Σⱼ pᵢⱼ qᵢⱼ (yᵢ − yⱼ) over the neighbours of each point, given in rows."""
    dimensions = points.shape[1]
    apart = np.empty(dimensions)
    for i in range(len(points)):
        for at in range(starts[i], starts[i + 1]):
            j, squared = others[at], 0.0
            for d in range(dimensions):
                apart[d] = points[i, d] - points[j, d]
                squared += apart[d] * apart[d]
            pull = weights[at] / (1 + squared)
            for d in range(dimensions):
                forces[i, d] += pull * apart[d]


@kernel
def affinities(squared: Floats, perplexity: float) -> Floats:
    """Gaussian weights of the neighbours of each point, adding up to 1, as even as `perplexity` equal ones.

    pⱼ|ᵢ ∝ exp(−βᵢ dᵢⱼ²) with the entropy ln(perplexity).
    """
    weights = np.empty_like(squared)
    wanted = math.log(perplexity)
    for i in range(len(squared)):
        nearest = squared[i].min()
        low, high, beta = 0.0, np.inf, 1.0
        spread = squared[i].max() - nearest
        if spread > 0:
            beta = 1 / spread
        for _ in range(64):
            total, mean = 0.0, 0.0
            for j in range(squared.shape[1]):
                far = squared[i, j] - nearest
                weights[i, j] = math.exp(-beta * far)
                total += weights[i, j]
                mean += weights[i, j] * far
            entropy = math.log(total) + beta * mean / total
            if abs(entropy - wanted) < 1e-6 or spread == 0:
                break
            if entropy > wanted:
                low = beta
                beta = beta * 2 if high == np.inf else (beta + high) / 2
            else:
                high = beta
                beta = (beta + low) / 2
        for j in range(squared.shape[1]):
            weights[i, j] /= total
    return weights
