"""Which snapshots a run has: by kind, layer and step. No Qt, no disk."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from mmgraph.runs import SnapshotInfo

DEEPEST_FIRST = frozenset({"embedding"})
"""Kinds of which the last recorded layer is shown first; of the others, the first."""

PAIRS, HISTOGRAMS = "pairs", "histograms"
"""Matrices of layers `pairs/…` hold distances of pairs and triplets, of `histograms/…` how weights are spread: here
they are kinds, for they have views of their own."""


class SnapshotIndex:
    """`steps` is the sorted union of the steps of all snapshots; treat it as read-only."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self._infos: dict[tuple[str, str], list[SnapshotInfo]] = {}

    def add(self, infos: Iterable[SnapshotInfo]) -> None:
        """Take in new snapshots, in any order."""
        steps = set(self.steps)
        touched = set()
        for info in infos:
            key = (kind_of(info), info.layer)
            self._infos.setdefault(key, []).append(info)
            touched.add(key)
            steps.add(info.step)
        for key in touched:
            self._infos[key].sort(key=lambda info: (info.step, info.id))
        self.steps = sorted(steps)

    def forget_after(self, step: int) -> None:
        """Drop what was recorded after a step."""
        kept = {key: [info for info in infos if info.step <= step] for key, infos in self._infos.items()}
        self._infos = {key: infos for key, infos in kept.items() if infos}
        self.steps = [known for known in self.steps if known <= step]

    def kinds(self) -> list[str]:
        """Kinds there are, by name."""
        return sorted({kind for kind, _ in self._infos})

    def layers(self, kind: str) -> list[str]:
        """Layers of a kind, in order of recording."""
        return [layer for known, layer in self._infos if known == kind]

    def first_layer(self, kind: str) -> str | None:
        """The layer to show before one was chosen."""
        layers = self.layers(kind)
        return layers[-1 if kind in DEEPEST_FIRST else 0] if layers else None

    def history(self, kind: str, layer: str) -> list[SnapshotInfo]:
        """All snapshots of a kind and layer, in order of steps."""
        return self._infos.get((kind, layer), [])

    def at(self, kind: str, layer: str, step: int) -> SnapshotInfo | None:
        """The newest at or before a step."""
        infos = self.history(kind, layer)
        place = bisect.bisect_right(infos, step, key=lambda info: info.step)
        return infos[place - 1] if place else None


def kind_of(info: SnapshotInfo) -> str:
    """By which kind of snapshot the window knows it."""
    family = info.layer.partition("/")[0]
    return (
        family
        if info.kind == "matrix" and family in (PAIRS, HISTOGRAMS) and family != info.layer
        else info.kind
    )


def nearest(steps: list[int], step: int) -> int:
    """The entry of a sorted, non-empty list that is closest to `step`; the earlier of two."""
    place = bisect.bisect_left(steps, step)
    candidates = steps[max(place - 1, 0) : place + 1]
    return min(candidates, key=lambda known: (abs(known - step), known))
