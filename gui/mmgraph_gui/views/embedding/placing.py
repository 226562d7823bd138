"""Where the vectors of snapshots lie: by principal components, t-SNE or UMAP, in two dimensions or three."""

from __future__ import annotations

import functools
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mmgraph.analysis import StableProjector
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.processes.long_process import Processes
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.views.points.cloud import PointCloud

Method = Literal["PCA", "t-SNE", "UMAP"]
METHODS: tuple[Method, ...] = ("PCA", "t-SNE", "UMAP")
KEPT_POINTS = 4_000_000
"""Of the placements kept for going back, about 50 bytes each."""


@dataclass(frozen=True, eq=False)
class Placed:
    """Where the vectors of one snapshot lie.

    Args:
        how: what the places mean, in words.
        iteration, iterations: how far a layout is; equal when it is done.
        cloud: ready to be drawn; None in three dimensions, where it depends on how they are turned.

    Shapes:
        positions (n, dimensions), NaN where they have no place; rows (n,).
    """

    info: SnapshotInfo
    method: Method
    positions: npt.NDArray[np.float32]
    rows: Rows
    how: str
    iteration: int = 1
    iterations: int = 1
    cloud: PointCloud | None = None

    @functools.cached_property
    def centred(self) -> npt.NDArray[np.float64]:
        """Places about their middle, as they are turned in space."""
        positions = self.positions.astype(np.float64)
        finite = np.isfinite(positions).all(axis=1)
        return positions - positions[finite].mean(axis=0) if finite.any() else positions

    @property
    def dimensions(self) -> int:
        """2 or 3."""
        return int(self.positions.shape[1])

    @property
    def done(self) -> bool:
        """Whether nothing moves any more."""
        return self.iteration >= self.iterations


class Placements:
    """Placements of one run, the latest used last; those used least leave when there are too many."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str, int], Placed] = OrderedDict()
        self._points = 0

    def add(self, placed: Placed) -> None:
        """Keep one that is done."""
        key = (placed.info.id, placed.method, placed.dimensions)
        if key not in self._kept:
            self._points += len(placed.rows)
        self._kept[key] = placed
        while self._points > KEPT_POINTS and len(self._kept) > 1:
            self._points -= len(self._kept.popitem(last=False)[1].rows)

    def get(self, info: SnapshotInfo, method: str, dimensions: int) -> Placed | None:
        """The placement of a snapshot."""
        key = (info.id, method, dimensions)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def nearest(self, info: SnapshotInfo, method: str, dimensions: int) -> Placed | None:
        """The placement to start from: of the same layer, nearest in steps, earlier rather than later."""
        known = (
            placed
            for placed in self._kept.values()
            if placed.info.layer == info.layer and (placed.method, placed.dimensions) == (method, dimensions)
        )
        return min(
            known,
            key=lambda placed: (abs(placed.info.step - info.step), placed.info.step > info.step),
            default=None,
        )


def rows_of(snapshot: Snapshot) -> Rows:
    """Which rows of the item set the vectors of a snapshot are."""
    return snapshot.extras.get("rows", np.arange(len(snapshot.array))).astype(np.int64)


def vectors_of(snapshot: Snapshot) -> npt.NDArray[Any]:
    """The vectors of a snapshot as a table."""
    shape = snapshot.array.shape
    vectors: npt.NDArray[Any] = snapshot.array.reshape(shape[0], int(np.prod(shape[1:])))
    return vectors


def project(
    _job: Job | None, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo, projector: StableProjector
) -> Placed:
    """Principal components; in a worker thread, one at a time for each projector."""
    vectors, rows = vectors_of(snapshots[0]), rows_of(snapshots[0])
    placement = projector.project(vectors, info.step)
    positions = placement.positions.astype(np.float32)
    shown = f"{placement.explained:.0%} of the variance of {vectors.shape[1]} features"
    cloud = _cloud(positions, rows)
    return Placed(info, "PCA", positions, rows, f"principal components: {shown}", cloud=cloud)


def lay_out(
    job: Job,
    snapshots: tuple[Snapshot, ...],
    *,
    info: SnapshotInfo,
    method: Method,
    dimensions: int,
    earlier: Placed | None,
    processes: Processes,
) -> Placed | None:
    """t-SNE or UMAP in a process of its own, reporting on the way; None when cancelled.

    Args:
        snapshots: the one to lay out, and the one of the earlier placement where there is one.
    """
    vectors, rows = vectors_of(snapshots[0]), rows_of(snapshots[0])
    arrays = {"vectors": vectors}
    if earlier is not None:
        before = vectors_of(snapshots[1])
        arrays["earlier_vectors"] = np.full((len(rows), before.shape[1]), np.nan, dtype=before.dtype)
        arrays["earlier_places"] = np.full((len(rows), dimensions), np.nan)
        order = np.argsort(earlier.rows, kind="stable")
        at = np.searchsorted(earlier.rows[order], rows)
        at = order[np.minimum(at, len(order) - 1)] if len(order) else np.zeros(len(rows), dtype=np.int64)
        known = earlier.rows[at] == rows if len(order) else np.zeros(len(rows), dtype=bool)
        arrays["earlier_vectors"][known] = before[at[known]]
        arrays["earlier_places"][known] = earlier.positions[at[known]]
    asked = {"method": method, "dimensions": dimensions}
    placed = None
    for message in processes.run("layout", asked, arrays, lambda: job.cancelled):
        positions = message.arrays["places"].astype(np.float32)
        done = bool(message.facts.get("done"))
        iterations = int(message.facts["iterations"])
        iteration = iterations if done else min(int(message.facts["iteration"]), iterations - 1)
        laid_out = int(message.facts["laid_out"])
        how = f"{method} of {vectors.shape[1]} features"
        if laid_out < len(rows):
            how += f", {laid_out:,} laid out and the others beside their neighbours"
        placed = Placed(info, method, positions, rows, how, iteration, iterations, _cloud(positions, rows))
        if not done:
            job.report(placed)
    return None if job.cancelled else placed


def _cloud(positions: npt.NDArray[np.float32], rows: Rows) -> PointCloud | None:
    if positions.shape[1] != 2:
        return None
    cloud = PointCloud(positions, rows)
    _ = cloud.grid  # sorted here, not in the UI thread
    return cloud
