"""Trails: the ways of items through the steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mmgraph.analysis import Alignment
from mmgraph.runs import SnapshotInfo
from mmgraph_gui.state import AppState
from mmgraph_gui.views.embedding.placing import Placed, Placements
from mmgraph_gui.views.points.plane import Plane, PlanePath

MOST_TRAILS = 50


class Trails:
    """The ways of the selected items, or of the one under the mouse, through the steps up to the one that is shown.

    Args:
        colour_of: the colour of a row, "#rrggbb".
        place: has a step placed by principal components that nobody has looked at yet.
    """

    def __init__(
        self,
        state: AppState,
        plane: Plane,
        colour_of: Callable[[int], str],
        place: Callable[[Placed, SnapshotInfo], None],
    ) -> None:
        self._state, self._plane, self._colour_of, self._place = state, plane, colour_of, place
        self._asked: SnapshotInfo | None = None

    def clear(self) -> None:
        """Draw none."""
        self._plane.set_paths(())

    def forget(self) -> None:
        """Another run has steps of its own."""
        self._asked = None

    def draw(
        self,
        placed: Placed,
        placements: Placements,
        rotation: npt.NDArray[np.float64],
        alignment: Alignment | None,
    ) -> None:
        """Draw them through the steps that are placed, and have the next one placed that is not."""
        rows = self._state.selection[:MOST_TRAILS].tolist()
        if not rows and self._state.hovered is not None:
            rows = [self._state.hovered]
        past = [
            info
            for info in self._state.history("embedding", placed.info.layer)
            if info.step <= placed.info.step
        ]
        known = [placements.get(info, placed.method, placed.dimensions) for info in past]
        missing = [info for info, one in zip(past, known, strict=True) if one is None]
        if rows and placed.method == "PCA" and missing and missing[0] != self._asked:
            self._asked = missing[0]
            self._place(placed, missing[0])
        steps = [one for one in known if one is not None]
        self._plane.set_paths(
            tuple(PlanePath(way(row, steps, rotation, alignment), self._colour_of(row)) for row in rows)
        )


def way(
    row: int, steps: list[Placed], rotation: npt.NDArray[np.float64], alignment: Alignment | None
) -> npt.NDArray[np.float64]:
    """Where an item lies in the plane at each of the steps that have it, (steps, 2)."""
    places = []
    for step in steps:
        at = np.flatnonzero(step.rows == row)
        if len(at):
            place = step.positions[at[0]].astype(np.float64)
            if alignment is not None:
                place = alignment.apply(place[None])[0]
            elif step.dimensions == 3:
                place = step.centred[at[0]]
            if step.dimensions == 3:
                place = (rotation @ place)[:2]
            places.append(place)
    return np.array(places).reshape(-1, 2)
