"""Points of a plane and the rows of the item set they stand for, with what drawing them needs worked out once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis import PointGrid
from mmgraph_gui.state.colouring import Colouring
from mmgraph_gui.state.selection import Rows

Mask = npt.NDArray[np.bool_]
Colours = npt.NDArray[np.uint8]


class PointCloud:
    """Made and asked in worker threads where there are many points: everything here takes time that grows with them.

    Attributes:
        rows: row of the item set of each point.
        lost: numbers of the points that are not finite, unless others are given.
        depth: how far behind the plane each point lies, from 0 to 1; None in two dimensions.
        dot_size: how large the points are beside usual ones.

    Attributes:
        corners: left lower and right upper corner of the finite points, (2, 2); (0, 2) where there are none.

    Shapes:
        positions (n, 2), rows (n,), depth (n,).
    """

    dot_size = 1.0

    def __init__(
        self,
        positions: npt.NDArray[np.floating[Any]],
        rows: Rows,
        depth: npt.NDArray[np.floating[Any]] | None = None,
        lost: Rows | None = None,
    ) -> None:
        self.positions, self.rows, self.depth = positions, rows, depth
        finite = np.isfinite(positions[:, 0]) & np.isfinite(positions[:, 1])
        self.lost: Rows = np.flatnonzero(~finite) if lost is None else lost
        some = positions if finite.all() else positions[finite]
        # By NumPy, not by the grid: the UI thread asks, and must not wait for compiled loops to be loaded.
        self.corners: npt.NDArray[np.float64] = (
            np.array([some.min(axis=0), some.max(axis=0)], dtype=np.float64)
            if len(some)
            else np.zeros((0, 2))
        )
        self._point_of_row = np.full(int(rows.max(initial=-1)) + 1, -1, dtype=np.int64)
        self._point_of_row[rows] = np.arange(len(rows))
        self._chosen: tuple[Rows, Mask] | None = None
        self._shown: tuple[Mask, PointGrid] | None = None
        self._hidden: tuple[Colouring, frozenset[int], Mask] | None = None
        self._colours: tuple[Colouring | None, object, Colours] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @functools.cached_property
    def grid(self) -> PointGrid:
        """The points, sorted; those that are not finite have no place in it."""
        return PointGrid(self.positions)

    def point_of(self, row: int | None) -> int | None:
        """The point that stands for a row; None where none does."""
        if row is None or not 0 <= row < len(self._point_of_row) or self._point_of_row[row] < 0:
            return None
        return int(self._point_of_row[row])

    def points_of(self, rows: Rows) -> Rows:
        """The points that stand for rows; those without one are left out."""
        found: Rows = self._point_of_row[rows[rows < len(self._point_of_row)]]
        return found[found >= 0]

    def rows_at(self, point: int) -> Rows:
        """The items that a point stands for."""
        return self.rows[point : point + 1]

    def rows_inside(self, inside: Mask) -> Rows:
        """The items that some points stand for."""
        return self.rows[inside]

    def chosen(self, selection: Rows) -> Mask | None:
        """Which points are selected; None where nothing is."""
        if not len(selection):
            return None
        if self._chosen is None or self._chosen[0] is not selection:
            mask = np.zeros(len(self), dtype=bool)
            mask[self.points_of(selection)] = True
            self._chosen = (selection, mask)
        return self._chosen[1]

    def hidden(self, colouring: Colouring | None, classes: frozenset[int]) -> Mask | None:
        """Which points belong to classes that are not to be shown; None where all are shown."""
        if colouring is None or colouring.codes is None or not classes:
            return None
        if self._hidden is None or self._hidden[0] is not colouring or self._hidden[1] != classes:
            mask = np.isin(self._of_rows(colouring.codes, -1), list(classes))
            self._hidden = (colouring, classes, mask)
        return self._hidden[2]

    def without(self, hidden: Mask | None) -> PointGrid:
        """The points that are not hidden; the numbers of the others stay."""
        if hidden is None:
            return self.grid
        if self._shown is None or self._shown[0] is not hidden:
            left = self.positions.copy()
            left[hidden] = np.nan
            self._shown = (hidden, PointGrid(left))
        return self._shown[1]

    def colours(
        self,
        colouring: Colouring | None,
        paint: Callable[[Colouring], Colours],
        plain: tuple[int, int, int],
        ground: tuple[int, int, int],
    ) -> Colours:
        """A colour for each point, `plain` where nothing is known, mixed with the ground where it lies deep: (n, 3)."""
        key = (plain, ground)
        if self._colours is None or self._colours[0] is not colouring or self._colours[1] != key:
            colours = np.empty((len(self), 3), dtype=np.uint8)
            colours[:] = plain
            if colouring is not None:
                of_items = paint(colouring)
                known = self.rows < len(of_items)
                colours[known] = of_items[self.rows[known]]
            if self.depth is not None:
                share = (0.75 * np.nan_to_num(self.depth))[:, None]
                colours = np.rint((1 - share) * colours + share * np.array(ground)).astype(np.uint8)
            self._colours = (colouring, key, colours)
        return self._colours[2]

    def _of_rows(self, values: npt.NDArray[Any], unknown: int) -> npt.NDArray[Any]:
        found = np.full(len(self), unknown, dtype=values.dtype)
        known = self.rows < len(values)
        found[known] = values[self.rows[known]]
        return found
