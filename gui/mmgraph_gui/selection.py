"""Selected rows, with undo."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Mode = Literal["replace", "add", "remove"]

EMPTY: Rows = np.zeros(0, dtype=np.int64)
EMPTY.flags.writeable = False

UNDO_DEPTH = 100


class Selection:
    """Sorted, unique row numbers and the selections before them."""

    def __init__(self) -> None:
        self.rows: Rows = EMPTY
        self._before: list[Rows] = []
        self._after: list[Rows] = []

    def change(self, rows: Iterable[int] | Rows, mode: Mode = "replace") -> bool:
        """Replace, extend or reduce the selection; whether that made a difference."""
        given = np.unique(np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), dtype=np.int64))
        if mode == "add":
            given = np.union1d(self.rows, given)
        elif mode == "remove":
            given = np.setdiff1d(self.rows, given, assume_unique=True)
        if np.array_equal(given, self.rows):
            return False
        self._before = [*self._before[1 - UNDO_DEPTH :], self.rows]
        self._after = []
        self._set(given)
        return True

    def undo(self) -> bool:
        """Go back one selection; False where there is none before."""
        if not self._before:
            return False
        self._after.append(self.rows)
        self._set(self._before.pop())
        return True

    def redo(self) -> bool:
        """Take back one undo; False where there is none to take back."""
        if not self._after:
            return False
        self._before.append(self.rows)
        self._set(self._after.pop())
        return True

    def _set(self, rows: Rows) -> None:
        rows.flags.writeable = False
        self.rows = rows
