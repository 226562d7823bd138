"""Layouts of graphs: where to draw each node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

Floats = npt.NDArray[np.float64]

EXACT_NODES = 1000
_MESH_CELLS = 192


def spectral_layout(
    edge_index: npt.NDArray[Any], nodes: int, *, dimensions: int = 2, iterations: int = 60, seed: int = 0
) -> Floats:
    """Smooth functions on the graph as coordinates: a few steps of subspace iteration, started at random.

    M = ½ (I + D^−½ A D^−½);   X ← orthonormal basis of M X, without the constant direction;   y = D^−½ X

    The walk is not taken to convergence: it is a start for `force_layout`, in which neighbours already lie
    near each other. Isolated nodes, and graphs without edges, keep their random places.

    Shapes:
        edge_index (2, edges), read as undirected -> (nodes, dimensions), scaled to a root mean square of 1.

    Source:
        Koren, On spectral graph drawing, 2003.
    """
    source, target = _undirected(edge_index, nodes)
    generator = np.random.default_rng(seed)
    positions = generator.standard_normal((nodes, dimensions))
    degree = np.bincount(source, minlength=nodes) + np.bincount(target, minlength=nodes)
    joined = degree > 0
    if nodes <= dimensions or not joined.any():
        return positions
    weight = np.zeros(nodes)
    weight[joined] = degree[joined] ** -0.5
    constant = np.sqrt(degree) / np.sqrt(degree.sum())
    walk = positions * joined[:, None]
    for _ in range(iterations):
        scaled = walk * weight[:, None]
        moved = _gather(target, scaled[source], nodes) + _gather(source, scaled[target], nodes)
        walk = 0.5 * (walk + moved * weight[:, None])
        walk -= constant[:, None] * (constant @ walk)
        walk = np.linalg.qr(walk)[0]
    walk = walk * weight[:, None]
    spread = np.sqrt(np.square(walk[joined]).mean(axis=0))
    positions[joined] = walk[joined] / np.where(spread > 0, spread, 1)
    # Components collapse to a point each: a little noise gives the forces a direction.
    return positions + 0.02 * generator.standard_normal(positions.shape)


def force_layout(
    edge_index: npt.NDArray[Any],
    nodes: int,
    *,
    iterations: int = 150,
    seed: int = 0,
    initial: npt.NDArray[Any] | None = None,
    gravity: float = 0.4,
    exact_nodes: int = EXACT_NODES,
) -> Iterator[npt.NDArray[np.float32]]:
    """Springs along edges, repulsion between all nodes, and a weak pull to the middle, cooled step by step.

    force on i = Σⱼ k² (xᵢ − xⱼ) / ‖xᵢ − xⱼ‖²  −  Σ_{j ~ i} ‖xᵢ − xⱼ‖ (xᵢ − xⱼ) / k  −  gravity · k · xᵢ

    with k = 1. A node moves along its force, at most as far as a temperature that falls linearly to 0.

    Yields the layout after each step, so that a caller draws it as it forms; whoever stops iterating has
    cancelled it. Equal arguments give equal layouts. Run it in a worker thread.

    Up to `exact_nodes` nodes repulsion is summed over all pairs: time nodes² a step (20 ms for 1,000).
    Above, the nodes are shared out on a square mesh of 192 × 192 cells and the field is found by fast
    Fourier transform: time nodes + cells · log cells (about 30 ms a step for 20,000 nodes with 100,000 edges).
    The mesh does not resolve distances under a cell: nodes that share one hardly repel each other.

    Args:
        edge_index: read as undirected; self-loops are ignored, repeated edges pull repeatedly.
        nodes: number of nodes.
        iterations: steps.
        seed: of the first positions.
        initial: first positions; by default `spectral_layout`.
        gravity: pull to the middle; with 0.4 a node without edges comes to rest at 1.6 √nodes from it.

    Shapes:
        edge_index (2, edges), initial (nodes, 2) -> each (nodes, 2) float32.

    Raises:
        InputError: an edge names a node that is not there, or `initial` has another shape or is not finite.

    Source:
        Fruchterman and Reingold, Graph drawing by force-directed placement, 1991; the mesh is that of Hockney and
        Eastwood, Computer simulation using particles, 1981. Differs: gravity.
    """
    source, target = _undirected(edge_index, nodes)
    if initial is None:
        positions = spectral_layout(edge_index, nodes, seed=seed)
    else:
        positions = np.array(initial, dtype=np.float64)
        if positions.shape != (nodes, 2) or not np.isfinite(positions).all():
            raise InputError(
                f"First positions are finite numbers of shape ({nodes}, 2), "
                f"not of shape {positions.shape}{' with NaN' if positions.shape == (nodes, 2) else ''}."
            )
    return _cool(positions, source, target, iterations, gravity, exact_nodes)


def _cool(
    positions: Floats,
    source: npt.NDArray[np.intp],
    target: npt.NDArray[np.intp],
    iterations: int,
    gravity: float,
    exact_nodes: int,
) -> Iterator[npt.NDArray[np.float32]]:
    nodes = len(positions)
    if nodes < 2:
        for _ in range(iterations):
            yield np.zeros((nodes, 2), dtype=np.float32)
        return
    # Springs and repulsion balance at an area of about k² per node.
    size = np.sqrt(nodes)
    positions = positions - positions.mean(axis=0)
    extent = np.sqrt(np.square(positions).sum(axis=1).mean())
    positions *= 0.5 * size / (extent if extent > 0 else 1)
    repel = _repulsion_exact if nodes <= exact_nodes else _repulsion_mesh
    for step in range(iterations):
        force = repel(positions)
        delta = positions[source] - positions[target]
        pull = delta * np.linalg.norm(delta, axis=1, keepdims=True)
        force += _gather(target, pull, nodes) - _gather(source, pull, nodes)
        force -= gravity * positions
        length = np.linalg.norm(force, axis=1, keepdims=True)
        temperature = 0.15 * size * (1 - step / iterations)
        positions = positions + force * np.minimum(1, temperature / np.maximum(length, 1e-12))
        positions -= positions.mean(axis=0)
        yield positions.astype(np.float32)


def _repulsion_exact(positions: Floats) -> Floats:
    x, y = positions[:, 0], positions[:, 1]
    dx, dy = x[:, None] - x, y[:, None] - y
    inverse = 1 / np.maximum(dx * dx + dy * dy, 1e-4)
    return np.stack([(dx * inverse).sum(axis=1), (dy * inverse).sum(axis=1)], axis=1)


def _repulsion_mesh(positions: Floats) -> Floats:
    """Particle–mesh: share each node among four cells, convolve with the force law, read back the same way."""
    from scipy.fft import irfft2, rfft2

    cells = _MESH_CELLS
    low = positions.min(axis=0)
    cell = max(float((positions.max(axis=0) - low).max()) / (cells - 2), 1e-9)
    place = (positions - low) / cell
    corner = np.minimum(place.astype(np.intp), cells - 2)
    right, down = (place - corner).T
    first = corner[:, 1] * cells + corner[:, 0]
    shares = (
        (first, (1 - right) * (1 - down)),
        (first + 1, right * (1 - down)),
        (first + cells, (1 - right) * down),
        (first + cells + 1, right * down),
    )
    mass = np.zeros(cells * cells)
    for where, share in shares:
        mass += np.bincount(where, weights=share, minlength=cells * cells)
    # Twice the size, so that the picture does not repel its own periodic image.
    offset = np.fft.fftfreq(2 * cells, d=1 / (2 * cells))
    dx, dy = offset[None, :], offset[:, None]
    squared = dx * dx + dy * dy
    squared[0, 0] = 1
    spectrum = rfft2(mass.reshape(cells, cells), s=(2 * cells, 2 * cells))
    force = np.empty_like(positions)
    for axis, kernel in enumerate((dx / squared, dy / squared)):
        field = irfft2(spectrum * rfft2(kernel), s=(2 * cells, 2 * cells))[:cells, :cells].ravel() / cell
        force[:, axis] = sum(field[where] * share for where, share in shares)
    return force


def _gather(index: npt.NDArray[np.intp], values: Floats, nodes: int) -> Floats:
    """Sum the rows of `values` that go to the same node."""
    columns = [np.bincount(index, weights=column, minlength=nodes) for column in values.T]
    return np.stack(columns, axis=1)


def _undirected(
    edge_index: npt.NDArray[Any], nodes: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    edge_index = np.asarray(edge_index)
    if edge_index.ndim != 2 or len(edge_index) != 2:
        raise InputError(f"An edge index has shape (2, edges), not {edge_index.shape}.")
    if edge_index.size and not (edge_index.min() >= 0 and edge_index.max() < nodes):
        raise InputError(
            f"Edges join nodes 0 to {nodes - 1}; these name {edge_index.min()} to {edge_index.max()}."
        )
    source, target = edge_index.astype(np.intp)
    loops = source == target
    return source[~loops], target[~loops]
