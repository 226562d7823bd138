"""Clusters of vectors and communities of nodes, which colour the items of every view."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.processes.long_process import Processes
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state import Groups
from mmgraph_gui.views.embedding.placing import rows_of, vectors_of

SMALLEST = 5
"""Of a cluster of HDBSCAN."""


def find_clusters(
    job: Job,
    snapshots: tuple[Snapshot, ...],
    *,
    info: SnapshotInfo,
    method: str,
    count: int,
    items: int,
    processes: Processes,
) -> tuple[str, Groups] | None:
    """Clusters of the vectors of a snapshot, in a process of its own; None when cancelled."""
    vectors, rows = vectors_of(snapshots[0]), rows_of(snapshots[0])
    asked = {"method": method, "count": count, "smallest": SMALLEST}
    for message in processes.run("clusters", asked, {"vectors": vectors}, lambda: job.cancelled):
        codes = np.full(items, -1, dtype=np.int64)
        known = rows < items
        codes[rows[known]] = message.arrays["codes"][known]
        return f"cluster ({method})", grouped(codes, f"{method}, {info.layer}, step {info.step:,}")
    return None


def find_communities(
    job: Job, _snapshots: Any, *, edges: npt.NDArray[np.int64], nodes: int, processes: Processes
) -> tuple[str, Groups] | None:
    """Communities of a graph, in a process of its own; None when cancelled."""
    for message in processes.run("communities", {"nodes": nodes}, {"edges": edges}, lambda: job.cancelled):
        return "community", grouped(message.arrays["codes"], "Communities (Louvain)")
    return None


def grouped(codes: npt.NDArray[np.int64], title: str) -> Groups:
    """Groups numbered from the largest on."""
    sizes = np.bincount(codes[codes >= 0])
    place = np.empty(len(sizes) + 1, dtype=np.int64)
    place[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    place[-1] = -1
    ordered = place[codes]
    return Groups(title, ordered, tuple(str(number) for number in range(1, len(sizes) + 1)))
