"""Draw a wiring in layers, top to bottom: who feeds whom is seen at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SWEEPS = 8


def layered_layout(count: int, edges: Sequence[tuple[int, int]]) -> npt.NDArray[np.float64]:
    """Places of the nodes of a directed graph: x in units of one node, y the number of the layer, 0 at the top.

    Each node lies below all that feed it (the longest way from a source); edges that close a circle, as seen from the
    first node on, are left out of that. In a layer nodes are put in the order of the middle of their neighbours above
    and below, in turn, which leaves few crossings; then each moves under that middle as far as its neighbours give way.

    Shapes:
        result (count, 2).

    Source: Sugiyama, Tagawa & Toda, "Methods for visual understanding of hierarchical system structures", 1981.
    """
    down: list[list[int]] = [[] for _ in range(count)]
    up: list[list[int]] = [[] for _ in range(count)]
    for source, target in _without_circles(count, edges):
        down[source].append(target)
        up[target].append(source)
    depth = _longest_ways(down, up)
    rows: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for node in range(count):
        rows[depth[node]].append(node)
    x = np.zeros(count)
    for row in rows:
        _spread(row, x)
    for sweep in range(SWEEPS):
        upwards = sweep % 2 == 1
        for row in reversed(rows) if upwards else rows:
            beside = down if upwards else up
            wanted = {
                node: float(np.mean(x[beside[node]])) if beside[node] else float(x[node]) for node in row
            }
            row.sort(key=lambda node: wanted[node])
            _settle(row, wanted, x)
    if count:
        x -= x.min()
    return np.stack([x, np.asarray(depth, dtype=np.float64)], axis=1) if count else np.zeros((0, 2))


def _without_circles(count: int, edges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The edges without those that lead back to a node which is being visited, in order of depth first."""
    follow: list[list[int]] = [[] for _ in range(count)]
    for source, target in dict.fromkeys(edges):
        if source != target:
            follow[source].append(target)
    state = [0] * count
    kept = []
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        path = [(start, iter(follow[start]))]
        while path:
            node, rest = path[-1]
            target = next(rest, -1)
            if target < 0:
                state[node] = 2
                path.pop()
            elif state[target] != 1:
                kept.append((node, target))
                if state[target] == 0:
                    state[target] = 1
                    path.append((target, iter(follow[target])))
    return kept


def _longest_ways(down: list[list[int]], up: list[list[int]]) -> list[int]:
    depth = [0] * len(down)
    waiting = [len(sources) for sources in up]
    ready = [node for node, number in enumerate(waiting) if number == 0]
    for node in ready:
        for target in down[node]:
            depth[target] = max(depth[target], depth[node] + 1)
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return depth


def _spread(row: list[int], x: npt.NDArray[np.float64]) -> None:
    for place, node in enumerate(row):
        x[node] = place - (len(row) - 1) / 2


def _settle(row: list[int], wanted: dict[int, float], x: npt.NDArray[np.float64]) -> None:
    """Each at its wanted place or as near as a distance of one allows: nodes that meet share their middle."""
    groups: list[list[float]] = []  # sum of (wanted − place in the group), members
    for node in row:
        groups.append([wanted[node], 1])
        while (
            len(groups) > 1 and groups[-2][0] / groups[-2][1] + groups[-2][1] > groups[-1][0] / groups[-1][1]
        ):
            total, members = groups.pop()
            groups[-1][0] += total - groups[-1][1] * members
            groups[-1][1] += members
    place = 0
    for total, members in groups:
        first = total / members
        for inside in range(int(members)):
            x[row[place]] = first + inside
            place += 1
