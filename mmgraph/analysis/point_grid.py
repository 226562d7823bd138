"""Points of a plane sorted into cells, so that those near a place are found without looking at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

POINTS_PER_CELL = 8
MOST_CELLS = 512
"""Along each side."""


class PointGrid:
    """Points sorted by the cell of a square grid they lie in, row by row; those that are not finite are left out.

    Building it takes one pass of counting and one of placing; after it, drawing runs through memory in the order of
    the picture, and a search looks at few cells.

    Attributes:
        order: number of each sorted point.
        starts: where each cell begins among the sorted points, row by row, and their end.
        cells: along each side.
        positions: as given.
        low, high: the corners; zero where no point is finite.
        step: side of a cell.

    Shapes:
        positions (n, 2); places (m, 2) float64 and order (m,) int32 of the finite ones; starts (cells² + 1,).

    Raises:
        InputError: positions of another shape.
    """

    def __init__(self, positions: npt.NDArray[Any]) -> None:
        positions = np.asarray(positions)
        if positions.ndim != 2 or positions.shape[1] != 2:
            raise InputError(f"Points are (n, 2) positions, not {positions.shape}.")
        from mmgraph.analysis.point_kernels import extent, sort_into_cells

        if positions.dtype not in (np.float32, np.float64):
            positions = positions.astype(np.float64)
        self.positions: npt.NDArray[Any] = np.ascontiguousarray(positions)
        left, bottom, right, top, finite = extent(self.positions)
        self.cells = min(max(math.isqrt(finite // POINTS_PER_CELL), 1), MOST_CELLS)
        span = max(right - left, top - bottom) if finite else 0.0
        self.low = (left, bottom) if finite else (0.0, 0.0)
        self.high = (right, top) if finite else (0.0, 0.0)
        # A cell that is too small for the numbers would be divided by: one cell holds all then.
        self.step = span / self.cells
        if not (math.isfinite(span) and self.step > 0 and math.isfinite(1 / self.step)):
            self.cells, self.step = 1, 1.0
        self.places, self.order, self.starts = sort_into_cells(
            self.positions, finite, self.low[0], self.low[1], self.step, self.cells
        )
        self._sorted: dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]] = {}

    def __len__(self) -> int:
        return len(self.positions)

    def sorted(
        self,
        name: str,
        values: npt.NDArray[Any],
        prepare: Callable[[npt.NDArray[Any]], npt.NDArray[Any]] | None = None,
    ) -> npt.NDArray[Any]:
        """One value per point in the order of the grid; remembered for as long as the same array is given."""
        known = self._sorted.get(name)
        if known is None or known[0] is not values:
            known = (values, (prepare(values) if prepare else values)[self.order])
            self._sorted[name] = known
        return known[1]

    def pick(self, x: float, y: float, reach: float) -> int | None:
        """The point nearest to a place, at most `reach` away; of those equally near the first. None: there is none."""
        from mmgraph.analysis.point_kernels import nearest

        if not math.isfinite(x + y) or not len(self.order):
            return None
        found = int(
            nearest(self.places, self.order, self.starts, *self.low, self.step, self.cells, x, y, reach)
        )
        return found if found >= 0 else None

    def count_between(self, left: float, bottom: float, right: float, top: float) -> int:
        """How many points lie in the cells that a rectangle touches."""
        corners = (np.array([left, right, bottom, top]) - np.repeat(self.low, 2)) / self.step
        if not len(self.order) or corners[1] < 0 or corners[3] < 0 or (corners[[0, 2]] > self.cells).any():
            return 0
        west, east, south, north = np.clip(corners, 0, self.cells - 1).astype(np.int64).tolist()
        rows = np.arange(south, north + 1) * self.cells
        return int((self.starts[rows + east + 1] - self.starts[rows + west]).sum())
