"""Any number of straight lines as one image: the edges of a graph."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis.raster import in_bands
from mmgraph.errors import InputError

Floats = npt.NDArray[np.float32]

_CHUNK_EDGES = 8192
_FEW_EDGES = 10_000
"""Up to here a second thread costs more than it brings."""


def raster_edges(
    pixels: npt.NDArray[Any],
    edge_index: npt.NDArray[Any],
    shape: tuple[int, int],
    *,
    weights: npt.NDArray[Any] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Floats | None:
    """How much line covers each pixel: anti-aliased straight lines, one pixel wide, added up.

    Along its longer direction a line of weight w has one sample per pixel; each sample is shared by the
    two pixels beside the line in proportion to nearness, so that it adds w in all. Where lines cross, they add.

    Args:
        pixels: position of each node; (0.5, 0.5) is the middle of the top left pixel.
        edge_index: the two ends of each edge. Edges from a node to itself or to a point that is not
            finite are left out; the part of an edge outside the image is cut off.
        shape: height and width of the image.
        weights: strength of each edge, 1 by default.
        cancelled: asked now and then; once it says True the function returns None.

    Shapes:
        pixels (nodes, 2), edge_index (2, edges), weights (edges,) -> (height, width) float32.

    Raises:
        InputError: the shapes do not fit or an edge names a node that is not there.

    Source:
        Wu, An efficient antialiasing technique, 1991. Differs: intensities are summed, not painted.
    """
    pixels, edge_index = np.asarray(pixels, dtype=np.float64), np.asarray(edge_index)
    if pixels.ndim != 2 or pixels.shape[1] != 2 or edge_index.ndim != 2 or len(edge_index) != 2:
        raise InputError(
            f"Edges need (nodes, 2) positions and a (2, edges) index, not {pixels.shape} and {edge_index.shape}."
        )
    if edge_index.size and not (edge_index.min() >= 0 and edge_index.max() < len(pixels)):
        raise InputError(
            f"Edges join nodes 0 to {len(pixels) - 1}; these name {edge_index.min()} to {edge_index.max()}."
        )
    edges = edge_index.shape[1]
    strength = np.ones(edges, dtype=np.float32) if weights is None else np.asarray(weights, dtype=np.float32)
    if strength.shape != (edges,):
        raise InputError(f"{edges} edges need as many weights, not shape {strength.shape}.")
    from mmgraph.analysis.line_kernels import add_lines

    height, width = shape
    # A margin of one pixel before and two after takes the shares that fall outside, and is cut off at the end.
    halves = 1 if edges <= _FEW_EDGES else 2
    totals = np.zeros((halves, height + 3, width + 3), dtype=np.float32)

    def add(first: int, end: int) -> None:
        for start in range(first, end, _CHUNK_EDGES):
            if cancelled is not None and cancelled():
                return
            add_lines(
                totals[int(first > 0)], pixels, edge_index, strength, start, min(start + _CHUNK_EDGES, end)
            )

    in_bands(add, edges, halves)
    if cancelled is not None and cancelled():
        return None
    total: Floats = totals.sum(axis=0) if halves == 2 else totals[0]
    return total[1:-2, 1:-2]


def tint(
    coverage: npt.NDArray[Any], colour: tuple[int, int, int], opacity: float = 0.5
) -> npt.NDArray[np.uint32]:
    """Coverage as an image of one colour: alpha = 1 − (1 − opacity)^coverage.

    Shapes:
        coverage (height, width) -> (height, width) uint32, 0xAARRGGBB, colours multiplied with alpha.
    """
    from mmgraph.analysis.line_kernels import tint_pixels

    image = np.empty(coverage.shape, dtype=np.uint32)
    fade = math.log1p(-min(opacity, 0.9999))
    tint_pixels(np.asarray(coverage, dtype=np.float32), *colour, fade, image)
    return image
