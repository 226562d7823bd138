"""Small graphs as small pictures, to recognise them by."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis.layout import spectral_layout
from mmgraph.analysis.lines import raster_edges
from mmgraph.errors import InputError

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

SCALED_NODES = 1000
"""Larger graphs are laid out by `spectral_layout`: distances between all pairs would take too long."""

_PAPER, _LINE = 255.0, 120.0


def distance_layout(edge_index: npt.NDArray[Any], nodes: int) -> Floats:
    """A layout in which straight lines are about as long as the paths between their ends: classical scaling.

    B = −½ J D² J, D the lengths of shortest paths, J = I − 1/n;   X = the two leading eigenvectors of B · √λ

    Between nodes that no path joins, D is one more than the longest path.

    Shapes:
        edge_index (2, edges), read as undirected -> (nodes, 2).

    Source:
        Kruskal and Seery, Designing network diagrams, 1980.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    if nodes < 2:
        return np.zeros((nodes, 2))
    ones = np.ones(edge_index.shape[1])
    matrix = coo_array((ones, (edge_index[0], edge_index[1])), shape=(nodes, nodes)).tocsr()
    paths = shortest_path(matrix, directed=False, unweighted=True)
    apart = np.isinf(paths)
    paths[apart] = paths[~apart].max() + 1
    squared = np.square(paths)
    middle = squared.mean(axis=0)
    values, vectors = np.linalg.eigh(-0.5 * (squared - middle - middle[:, None] + middle.mean()))
    positions: Floats = vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0))
    return positions


def graph_pictures(
    edge_index: npt.NDArray[Any],
    node_starts: npt.NDArray[Any],
    colours: npt.NDArray[np.uint8],
    *,
    size: int = 48,
) -> Bytes:
    """One picture of each graph: grey lines on white, a dot in its colour for every node.

    Args:
        edge_index: edges of all graphs, in the order of the graphs, nodes numbered through.
        node_starts: where the nodes of each graph begin, and the end of the last.
        colours: of the nodes.
        size: of a picture.

    Shapes:
        edge_index (2, edges), node_starts (graphs + 1,), colours (nodes, 3) -> (graphs, size, size, 3).

    Units:
        size in pixels, at least 8.

    Raises:
        InputError: the parts do not fit together, or the pictures are too small.
    """
    if size < 8 or colours.shape != (int(node_starts[-1]), 3) or colours.dtype != np.uint8:
        raise InputError(
            f"Expected pictures of at least 8 pixels and uint8 colours ({int(node_starts[-1])}, 3), but got {size} "
            f"pixels and {colours.dtype} {colours.shape}."
        )
    graphs = len(node_starts) - 1
    bounds = np.searchsorted(edge_index[1], node_starts)
    places = np.zeros((len(colours), 2))
    for graph, ((first, end), (left, right)) in enumerate(
        zip(pairwise(node_starts), pairwise(bounds), strict=True)
    ):
        own, nodes = edge_index[:, left:right] - first, int(end - first)
        layout = distance_layout(own, nodes) if nodes <= SCALED_NODES else spectral_layout(own, nodes)
        places[first:end] = _fitted(layout, size) + np.array([0, graph * size])

    # All pictures below each other are one image, so that lines and dots are drawn in one go.
    lines = raster_edges(places, edge_index[:, edge_index[0] < edge_index[1]], (graphs * size, size))
    ink = np.zeros((graphs * size, size)) if lines is None else np.minimum(lines, 1)
    image = np.repeat((_PAPER + (_LINE - _PAPER) * ink)[:, :, None], 3, axis=2)
    column, row = np.floor(places).astype(np.int64).T
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            image[row + down, column + right] = colours
    return np.rint(image).astype(np.uint8).reshape(graphs, size, size, 3)


def _fitted(layout: Floats, size: int) -> Floats:
    """Places inside of a square picture, three pixels away from its borders; the longer side fills it."""
    if len(layout) == 0:
        return layout
    low, high = layout.min(axis=0), layout.max(axis=0)
    span = float((high - low).max())
    scale = (size - 7) / span if span > 0 else 0.0
    fitted: Floats = (layout - (low + high) / 2) * scale + size / 2
    return fitted
