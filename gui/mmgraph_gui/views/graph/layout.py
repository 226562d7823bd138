"""Where the nodes of a graph are drawn."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.processes.long_process import Processes
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.views.graph.kept_layouts import KeptLayout, keep_layout, kept_layout, layout_key

ITERATIONS = 150
MOST_NODES = 20_000


@dataclass(frozen=True, eq=False)
class GraphLayout:
    """A graph on its way to its layout.

    Args:
        rows: the items that the edges are; None where nodes are the items.
        key: under which its places are kept; empty where the run gives them.
        seconds_left: how long it will take from now on; None where that is not known.
        stopped: whether it was stopped before it was done.

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
    key: str = ""
    seconds_left: float | None = None
    stopped: bool = False

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        return self.step >= self.steps

    @property
    def rests(self) -> bool:
        """Whether nothing moves any more."""
        return self.done or self.stopped

    def keep(self) -> None:
        """Keep it as it is, for the next time the graph is opened. In a worker thread."""
        keep_layout(self.key, KeptLayout(self.positions, self.step, self.steps))


def lay_out(
    job: Job,
    snapshots: tuple[Snapshot, ...],
    *,
    info: SnapshotInfo,
    nodes: int,
    seed: int | None,
    processes: Processes,
) -> GraphLayout | None:
    """Lay out a graph in a process of its own, reporting on the way; None when cancelled.

    Args:
        nodes: at least so many.
        seed: of a layout that is made anew; None to take one that is kept, where there is one.
    """
    snapshot = snapshots[0]
    index = snapshot.array.astype(np.int64)
    if index.ndim != 2 or len(index) != 2 or index.min(initial=0) < 0:
        raise InputError(f"The edges of '{info.layer}' are no two rows of node numbers: {index.shape}.")
    nodes = max(nodes, int(index.max(initial=-1)) + 1)
    given = snapshot.extras.get("positions")
    if given is not None and (given.ndim != 2 or given.shape[1] != 2 or len(given) < nodes):
        raise InputError(f"Places of {nodes:,} nodes have shape ({nodes}, 2), not {given.shape}.")
    edges, kept = _simple(index, nodes)
    items = snapshot.extras.get("rows")
    made = functools.partial(
        GraphLayout, info, edges=edges, rows=None if items is None else items[kept].astype(np.int64)
    )
    if given is not None:
        return made(given.astype(np.float32), step=0, steps=0, how="positions given by the run")
    springs = nodes <= MOST_NODES
    iterations = ITERATIONS if springs else 0
    how = (
        "springs"
        if springs
        else f"laid out by its spectrum alone: springs take too long beyond {MOST_NODES:,} nodes"
    )
    made = functools.partial(made, key=layout_key(edges, nodes), how=how)
    before = kept_layout(made.keywords["key"], nodes) if seed is None else None
    if before is not None:
        stopped = before.step < before.steps
        return made(before.positions, step=before.step, steps=before.steps, stopped=stopped)
    began, asked = time.monotonic(), {"nodes": nodes, "iterations": iterations, "seed": seed or 0}
    for message in processes.run("graph", asked, {"edges": edges}, lambda: job.cancelled):
        step, positions = int(message.facts["iteration"]), message.arrays["places"]
        if not message.facts.get("done"):
            left = (time.monotonic() - began) * (iterations - step) / step if step else None
            job.report(made(positions, step=step, steps=iterations, seconds_left=left))
            continue
        done = made(positions, step=iterations, steps=iterations)
        done.keep()
        return done
    return None


def _simple(index: npt.NDArray[np.int64], nodes: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each pair of different nodes once, whichever way its edges point, and the place of its first edge."""
    low, high = index.min(axis=0, initial=nodes), index.max(axis=0, initial=-1)
    apart = np.flatnonzero(low != high)
    keys, first = np.unique((low * nodes + high)[apart], return_index=True)
    pairs = np.stack([keys // nodes, keys % nodes]) if nodes else np.zeros((2, 0), dtype=np.int64)
    return pairs, apart[first]
