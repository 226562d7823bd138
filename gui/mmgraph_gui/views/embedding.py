"""Embedding: the vectors of one layer as points that keep still from step to step."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from mmgraph.analysis import Placement, StableProjector
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.follower import Job
from mmgraph_gui.views import Changed
from mmgraph_gui.views.guest_mark import GuestMark, mean_of_neighbours
from mmgraph_gui.views.layerbox import LayerBox
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.point_cloud import PointCloud
from mmgraph_gui.views.point_image import PointImage
from mmgraph_gui.views.point_view import PointView, caption_count


@dataclass(frozen=True, eq=False)
class Placed:
    """Where the vectors of one snapshot lie."""

    info: SnapshotInfo
    placement: Placement
    cloud: PointCloud


class EmbeddingView(PointView):
    """Principal components of the chosen layer; unchanged vectors stay where they are while the model learns."""

    name: ClassVar[str] = "embedding"
    title: ClassVar[str] = "Embedding"
    kinds: ClassVar[tuple[str, ...]] = ("embedding",)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "snapshots", "step", "items", "selection", "hover", "colour", "layer", "guest"}
    )

    def build(self) -> None:
        self.layers = LayerBox(self.state, "embedding")
        self.controls.addWidget(self.layers)
        super().build()
        self.guest_mark = GuestMark(self.theme, self.plane)
        self._projectors: dict[str, StableProjector] = {}
        self._placed: Placed | None = None
        self._wanted: SnapshotInfo | None = None
        self._amid_neighbours = False

    def render_state(self, changed: Changed) -> None:
        self.layers.refresh()
        if "run" in changed:
            self._projectors, self._placed, self._wanted = {}, None, None
        info = self.state.snapshot_at("embedding")
        if info is None:
            self._wanted = None
            self.cancel("placement")
            say_missing(self, "embedding", "embedding")
            return
        self.render_points(changed)
        if self._wanted != info:
            if self._wanted is None or self._wanted.layer != info.layer:
                self.plane.fitted = True
            self._wanted = info
            projector = self._projectors.setdefault(info.layer, StableProjector())
            self.ask("placement", [info], functools.partial(place, info=info, projector=projector))
        elif changed & {"items", "selection", "guest"}:
            self._mark_guest()
            self._write_caption()

    def receive(self, slot: str, result: Any) -> None:
        if slot == "placement":
            self._placed = result
            self.show_content()
            self.place_points(result.cloud)
            self._mark_guest()
            self._write_caption()
        else:
            super().receive(slot, result)

    def points_drawn(self, image: PointImage) -> None:
        self._write_caption()

    def _mark_guest(self) -> None:
        """A person's own item: on the same axes where the same weights saw it, else amid its nearest neighbours."""
        guest, placed = self.state.guest, self._placed
        place: tuple[float, float] | None = None
        self._amid_neighbours = False
        if guest is not None and placed is not None:
            vector, info = guest.vectors.get(placed.info.layer), placed.info
            if vector is not None and guest.step == info.step:
                found = self._projectors[info.layer].locate(vector[None], info.step)
                if found is not None and np.isfinite(found).all():
                    place = float(found[0, 0]), float(found[0, 1])
            known = info.layer == guest.layer or (bool(guest.found) and info.layer in guest.vectors)
            if place is None and known:
                place = mean_of_neighbours(guest, self.cloud)
                self._amid_neighbours = place is not None
        self.guest_mark.show_guest(guest, place)

    def _write_caption(self) -> None:
        if self._placed is None:
            return
        info, placement = self._placed.info, self._placed.placement
        items = self.state.items
        shown, lost = int(placement.finite.sum()), int((~placement.finite).sum())
        total = max(len(items) if items is not None else 0, len(placement.finite))
        parts = [caption_count(shown, total, items.noun if items is not None else "item")]
        if len(self.state.selection):
            parts.append(f"{len(self.state.selection):,} selected")
        if self.drawn is not None and self.drawn.hidden:
            parts.append(f"{self.drawn.hidden:,} hidden")
        if lost:
            parts.append(f"{lost:,} with NaN or infinity cannot be placed")
        parts += [
            f"{info.layer}, step {info.step:,}",
            f"principal components: {placement.explained:.0%} of the variance of {info.shape[1]} features",
        ]
        guest = self.state.guest
        if guest is not None and self.guest_mark.place is not None:
            amid = (
                f", amid its neighbours by the weights of step {guest.step:,}"
                if self._amid_neighbours
                else ""
            )
            parts.insert(0, f"★ {guest.name}{amid}")
        self.caption.set_parts(parts)


def place(
    _job: Job | None, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo, projector: StableProjector
) -> Placed:
    """Project the vectors of a snapshot; in a worker thread, one at a time for each view."""
    snapshot = snapshots[0]
    vectors: npt.NDArray[Any] = snapshot.array.reshape(len(snapshot.array), -1)
    rows = snapshot.extras.get("rows", np.arange(len(vectors))).astype(np.int64)
    placement = projector.project(vectors, info.step)
    return Placed(info, placement, PointCloud(placement.positions.astype(np.float32), rows))
