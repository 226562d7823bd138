"""Where the nodes of a graph are drawn."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmgraph.analysis import force_layout, spectral_layout
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.follower import Job

ITERATIONS = 150
MOST_NODES = 20_000
REPORT_SECONDS = 0.12


@dataclass(frozen=True, eq=False)
class GraphLayout:
    """A graph on its way to its layout.

    Args:
        rows: the items that the edges are; None where nodes are the items.

    Shapes:
        positions (nodes, 2), edges (2, edges) without self-loops and with each pair of nodes once, rows (edges,).
    """

    info: SnapshotInfo
    positions: npt.NDArray[np.float32]
    edges: npt.NDArray[np.int64]
    step: int
    steps: int
    how: str
    rows: npt.NDArray[np.int64] | None = None

    @property
    def done(self) -> bool:
        """Whether nothing moves any more."""
        return self.step >= self.steps


def lay_out(
    job: Job, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo, nodes: int, seed: int
) -> GraphLayout | None:
    """Lay out a graph, reporting on the way; None when cancelled."""
    snapshot = snapshots[0]
    index = snapshot.array.astype(np.int64)
    nodes = max(nodes, int(index.max(initial=-1)) + 1)
    edges, kept = _simple(index, nodes)
    items = snapshot.extras.get("rows")
    made = functools.partial(
        GraphLayout, info, edges=edges, rows=None if items is None else items[kept].astype(np.int64)
    )
    given = snapshot.extras.get("positions")
    if given is not None:
        return made(given.astype(np.float32), step=0, steps=0, how="positions given by the run")
    if nodes > MOST_NODES:
        positions = spectral_layout(edges, nodes, seed=seed).astype(np.float32)
        how = f"laid out by its spectrum alone: springs take too long beyond {MOST_NODES:,} nodes"
        return made(positions, step=0, steps=0, how=how)
    last = time.monotonic()
    step, positions = 0, np.zeros((nodes, 2), dtype=np.float32)
    for step, positions in enumerate(force_layout(edges, nodes, iterations=ITERATIONS, seed=seed), 1):
        if job.cancelled:
            return None
        if time.monotonic() - last > REPORT_SECONDS:
            last = time.monotonic()
            job.report(made(positions, step=step, steps=ITERATIONS, how="springs"))
    return made(positions, step=step, steps=ITERATIONS, how="springs")


def _simple(index: npt.NDArray[np.int64], nodes: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each pair of different nodes once, whichever way its edges point, and the place of its first edge."""
    low, high = index.min(axis=0, initial=nodes), index.max(axis=0, initial=-1)
    apart = np.flatnonzero(low != high)
    keys, first = np.unique((low * nodes + high)[apart], return_index=True)
    pairs = np.stack([keys // nodes, keys % nodes]) if nodes else np.zeros((2, 0), dtype=np.int64)
    return pairs, apart[first]
