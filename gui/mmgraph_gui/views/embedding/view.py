"""Embedding: the vectors of one layer as points that keep still from step to step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QToolButton

from mmgraph.analysis import Alignment, StableProjector
from mmgraph.runs import SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.state import Near
from mmgraph_gui.views import Changed
from mmgraph_gui.views.embedding.clusters import find_clusters
from mmgraph_gui.views.embedding.placing import METHODS, Method, Placed, Placements, lay_out, project
from mmgraph_gui.views.embedding.space import TURN, rotation_of, turned
from mmgraph_gui.views.embedding.trails import MOST_TRAILS, Trails
from mmgraph_gui.views.layerbox import LayerBox
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.points.cloud import PointCloud
from mmgraph_gui.views.points.guest_mark import GuestMark, mean_of_neighbours
from mmgraph_gui.views.points.image import PointImage
from mmgraph_gui.views.points.plane_look import PlaneLook
from mmgraph_gui.views.points.view import PointView, caption_count
from mmgraph_gui.views.shortened import ShortBox


@dataclass(frozen=True, eq=False)
class EmbeddingLook:
    """How one looks at an embedding.

    Args:
        dimensions: 2 or 3.
        rotation: how space is turned, (3, 3).
        plane: which part is shown; None for all.
        aligned: whether it is laid over another embedding, so that a place means the same in both.
    """

    dimensions: int
    rotation: npt.NDArray[np.float64]
    plane: PlaneLook | None
    aligned: bool


class EmbeddingView(PointView):
    """The chosen layer in a plane or in space; unchanged vectors stay where they are while the model learns.

    Attributes:
        aligner: how to lay the points over those of another view, for a comparison.
        placed: where the points lie.

    Signals:
        laid(): the points lie somewhere else now; turning them does not count.
    """

    laid = Signal()

    name: ClassVar[str] = "embedding"
    look_kind: ClassVar[Any] = EmbeddingLook
    title: ClassVar[str] = "Embedding"
    kinds: ClassVar[tuple[str, ...]] = ("embedding",)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "snapshots", "step", "items", "selection", "hover", "colour", "layer", "guest"}
    )

    keys: ClassVar[tuple[tuple[str, str], ...]] = (
        *PointView.keys,
        ("3", "In space, or in the plane; drag to turn it"),
        ("Shift+Arrows", "Turn it in space by 15°"),
        ("R", "Trails of the selected items through the steps"),
    )

    def build(self) -> None:
        self.layers = LayerBox(self.state, "embedding")
        self.controls.addWidget(self.layers)
        self.method_box = named(
            ShortBox(),
            "Projection",
            "Principal components at once, t-SNE and UMAP in a process of their own",
        )
        self.method_box.addItems(METHODS)
        self.method_box.activated.connect(lambda _: self.request_render("projection"))
        self.controls.addWidget(self.method_box)
        self.stop = named(QPushButton("Stop"), "Stop the layout", "Stop laying out and keep what there is")
        self.stop.clicked.connect(self._stop)
        self.stop.hide()
        super().build()
        self.row_below.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignTop)  # above it would widen the view
        self.space = named(
            QToolButton(),
            "Three dimensions",
            "Three dimensions (3): drag or Shift+arrows turn, right-drag moves",
        )
        self.space.setText("3-D")
        self.space.setCheckable(True)
        self.space.toggled.connect(self._space_toggled)
        self.controls.insertWidget(self.controls.indexOf(self.thumbnails), self.space)
        self.trails = self.menu.addAction("&Trails\tR")
        self.trails.setToolTip(
            "The ways of the selected items, or of the one under the mouse, up to this step (R)"
        )
        self.trails.setCheckable(True)
        self.trails.toggled.connect(lambda _: self.request_render("trails"))
        self._shortcut("3", self.space.toggle)
        for key, dx, dy in (("Left", -1, 0), ("Right", 1, 0), ("Up", 0, -1), ("Down", 0, 1)):
            self._shortcut(f"Shift+{key}", functools.partial(self._turn, dx * TURN, dy * TURN))
        self._shortcut("R", self.trails.toggle)
        self.choosers.add("projection", self.method_box)
        self.choosers.add("trails", self.trails)
        for text, method in (("Clusters by &k-means", "k-means"), ("Clusters by &HDBSCAN", "HDBSCAN")):
            self.menu.addAction(text, functools.partial(self._find_clusters, method))
        self.aligner: Callable[[Placed], Alignment | None] | None = None
        self._alignment: Alignment | None = None
        self._told_near: Near | None = None
        self.guest_mark = GuestMark(self.theme, self.plane)
        self._ways = Trails(self.state, self.plane, self._colour_of, self._place_step)
        self._amid_neighbours = False
        self.plane.turned.connect(self._turn)
        self._rotation = np.eye(3)
        self._forget()

    def _forget(self) -> None:
        self._projectors: dict[tuple[str, int], StableProjector] = {}
        self._placements = Placements()
        self.placed: Placed | None = None
        self._wanted: tuple[SnapshotInfo, Method, int] | None = None
        self._ways.forget()
        self._anew, self._begun = False, ""

    @property
    def method(self) -> Method:
        """How vectors are placed."""
        return METHODS[max(self.method_box.currentIndex(), 0)]

    @property
    def is_settling(self) -> bool:
        if not self.isVisible() or self.message:
            return False
        unfinished = self.placed is not None and not self.placed.done
        return self.method != "PCA" and (self.is_pending or bool(self._begun) or unfinished)

    @property
    def dimensions(self) -> int:
        """2, or 3 in space."""
        return 3 if self.space.isChecked() else 2

    def render_state(self, changed: Changed) -> None:
        self.layers.refresh()
        if "run" in changed:
            self._forget()
        info = self.state.snapshot_at("embedding")
        if info is None:
            self._wanted = None
            self.cancel("placement")
            self._laying_out("")
            self.list_colours(changed)
            say_missing(self, "embedding", "embedding")
            return
        self.render_points(changed)
        wanted = (info, self.method, self.dimensions)
        if self._wanted != wanted:
            self._want(*wanted)
        elif changed & {"items", "selection", "guest"} or self.state.near is not self._told_near:
            self._mark_guest()
            self._write_caption()
        if "trails" in changed:
            self._write_caption()
        if changed & {"hover", "selection", "colour", "trails", "theme"}:
            self._draw_trails()

    def _want(self, info: SnapshotInfo, method: Method, dimensions: int) -> None:
        """Show the placement that is known, or ask for it; a layout that follows a live run is let finish."""
        before, self._wanted = self._wanted, (info, method, dimensions)
        other = before is None or before[0].layer != info.layer or before[1:] != (method, dimensions)
        if other:
            self.plane.fitted = True
        known = self._placements.get(info, method, dimensions)
        busy = self.placed is not None and not self.placed.done
        if known is not None:
            self.cancel("placement")
            self._laying_out("")
            self.receive("placement", known)
        elif method == "PCA":
            key = (info.layer, dimensions)
            projector = self._projectors.setdefault(key, StableProjector(dimensions))
            self._laying_out("")
            self.ask("placement", [info], functools.partial(project, info=info, projector=projector))
        elif other or not (busy and self.state.follow):
            self._lay_out(info, method, dimensions)

    def _lay_out(self, info: SnapshotInfo, method: Method, dimensions: int) -> None:
        earlier = self._placements.nearest(info, method, dimensions)
        self._anew = earlier is None
        self._laying_out(f"{method}: finding neighbours …")
        self.ask(
            "placement",
            [info] if earlier is None else [info, earlier.info],
            functools.partial(
                lay_out,
                info=info,
                method=method,
                dimensions=dimensions,
                earlier=earlier,
                processes=self.follower.processes,
            ),
            long=True,
        )

    def _laying_out(self, told: str) -> None:
        """Say of a layout that has begun what it does before the first places are found; with "" that there is none."""
        self._begun = told
        self.stop.setVisible(bool(told))
        if told:
            self._write_caption()

    def receive(self, slot: str, result: Any) -> None:
        if slot == "placement":
            if result is not None:
                self._show(result)
        elif slot == "turned":
            self._drawing.discard(slot)
            super().receive(slot, result)
            self.place_points(result)
            self._mark_guest()
            self._draw_trails()
        elif slot == "trail":
            self._placements.add(result)
            self._draw_trails()
        elif slot == "clusters":
            self.state.set_groups(*result)
            self.state.set_colour_by(result[0])
        else:
            super().receive(slot, result)

    def _show(self, placed: Placed) -> None:
        self.placed, self._begun = placed, ""
        finished_anew = placed.done and self._anew
        if placed.done:
            self._placements.add(placed)
            self.stop.hide()
            self._anew = False
        self.show_content()
        self.plane.turns = placed.dimensions == 3
        self.align()
        if placed.cloud is not None and finished_anew and self.plane.fitted:
            self.plane.show_all()
        self._write_caption()
        self.laid.emit()
        if placed.done and self._wanted is not None and self._wanted[0] != placed.info:
            wanted, self._wanted = self._wanted, (placed.info, *self._wanted[1:])
            if self.state.follow:
                self._want(*wanted)

    def align(self) -> None:
        """Put the points where they belong: the placement, or what `aligner` lays it over, has changed."""
        placed = self.placed
        if placed is None:
            return
        self._alignment = self.aligner(placed) if self.aligner is not None else None
        if placed.cloud is None:
            self._turn_to(self._rotation)
        elif self._alignment is None:
            self.place_points(placed.cloud)
        else:
            self.place_points(
                PointCloud(self._alignment.apply(placed.positions).astype(np.float32), placed.rows)
            )
        self._mark_guest()
        self._draw_trails()

    def _stop(self) -> None:
        self.cancel("placement")
        self._laying_out("")
        placed, wanted = self.placed, self._wanted
        shown = placed and (placed.info.layer, placed.method, placed.dimensions)
        if wanted is not None and shown != (wanted[0].layer, *wanted[1:]):
            self._go_back(wanted[0])
        elif placed is not None and not placed.done:
            told = f"{placed.how}, stopped at {placed.iteration} of {placed.iterations}"
            self.placed = replace(placed, how=told, iterations=placed.iteration)
        self._write_caption()

    def _go_back(self, info: SnapshotInfo) -> None:
        """Nothing has been laid out yet: back to what is on screen, or to principal components of another layer."""
        placed = self.placed
        method: Method = "PCA"
        if placed is not None and placed.info.layer == info.layer:
            method = placed.method
            self._wanted = (placed.info, placed.method, placed.dimensions)
            self.space.setChecked(placed.dimensions == 3)
        self.choosers.choose("projection", method)

    # -- three dimensions ----------------------------------------------------------------------------------

    def _space_toggled(self, on: bool) -> None:
        self._rotation = np.eye(3)
        self.request_render("projection")
        self.looked.emit()

    def look(self) -> EmbeddingLook:
        return EmbeddingLook(self.dimensions, self._rotation, self.plane.look(), self._alignment is not None)

    def look_at(self, look: EmbeddingLook) -> None:
        if look.dimensions != self.dimensions:
            self.space.toggle()
        if look.rotation is not self._rotation:
            self._turn_to(look.rotation)
        if self.placed is not None and self.placed.dimensions == look.dimensions:
            self.plane.look_at(look.plane, same_places=look.aligned or self._alignment is not None)

    def _turn(self, dx: float, dy: float) -> None:
        """Turn by a movement of the mouse, about axes of the screen."""
        if self.placed is None or self.placed.dimensions != 3:
            return
        self._turn_to(rotation_of(dx, dy) @ self._rotation)
        self.looked.emit()

    def _turn_to(self, rotation: npt.NDArray[np.float64]) -> None:
        self._rotation = rotation
        if self.placed is not None and self.placed.dimensions == 3:
            work = functools.partial(turned, placed=self.placed, rotation=rotation, alignment=self._alignment)
            self.draw("turned", work)

    def _draw_trails(self) -> None:
        if self.placed is not None and self.trails.isChecked():
            self._ways.draw(self.placed, self._placements, self._rotation, self._alignment)
        else:
            self._ways.clear()

    def _place_step(self, beside: Placed, info: SnapshotInfo) -> None:
        """Have a step placed as another is; trails are drawn again when it is known."""
        projector = self._projectors[(beside.info.layer, beside.dimensions)]
        self.ask("trail", [info], functools.partial(project, info=info, projector=projector))

    # -- clusters ------------------------------------------------------------------------------------------

    def _find_clusters(self, method: str) -> None:
        info, items = self.state.snapshot_at("embedding"), self.state.items
        if info is None or items is None:
            return
        classes = len(items.class_names) or (
            int(items.labels.max(initial=9)) + 1 if items.labels is not None else 10
        )
        self.caption.setText(f"Finding clusters in {info.layer} by {method} …")
        work = functools.partial(
            find_clusters,
            info=info,
            method=method,
            count=classes,
            items=len(items),
            processes=self.follower.processes,
        )
        self.ask("clusters", [info], work, long=True)

    # -- an item of one's own ------------------------------------------------------------------------------

    def _mark_guest(self) -> None:
        """A person's own item: on the same axes where the same weights saw it, else amid its nearest neighbours."""
        guest, placed = self.state.guest, self.placed
        place: tuple[float, float] | None = None
        self._amid_neighbours = False
        if guest is not None and placed is not None:
            vector, info = guest.vectors.get(placed.info.layer), placed.info
            flat = placed.method == "PCA" and placed.dimensions == 2
            if vector is not None and flat and guest.step == info.step:
                found = self._projectors[(info.layer, 2)].locate(vector[None], info.step)
                if found is not None and self._alignment is not None:
                    found = self._alignment.apply(found)
                if found is not None and np.isfinite(found).all():
                    place = float(found[0, 0]), float(found[0, 1])
            known = info.layer == guest.layer or (bool(guest.found) and info.layer in guest.vectors)
            if place is None and known:
                place = mean_of_neighbours(guest, self.cloud)
                self._amid_neighbours = place is not None
        self.guest_mark.show_guest(guest, place)

    # -- words ---------------------------------------------------------------------------------------------

    def points_drawn(self, image: PointImage) -> None:
        self._write_caption()

    def _write_caption(self) -> None:
        placed = self.placed
        if self._begun:
            self.caption.setText(self._begun)
        if placed is None or self._begun:
            return
        items = self.state.items
        lost = int((~np.isfinite(placed.positions[:, 0])).sum())
        shown, total = len(placed.rows) - lost, len(placed.rows)
        total = max(len(items) if items is not None else 0, total)
        parts = [caption_count(shown, total, items.noun if items is not None else "item")]
        if len(self.state.selection):
            parts.append(f"{len(self.state.selection):,} selected")
        if self.trails.isChecked() and len(self.state.selection) > MOST_TRAILS:
            parts.append(f"trails of {MOST_TRAILS} of them")
        if self.drawn is not None and self.drawn.hidden:
            parts.append(f"{self.drawn.hidden:,} hidden")
        if lost:
            parts.append(f"{lost:,} with NaN or infinity cannot be placed")
        parts += [f"{placed.info.layer}, step {placed.info.step:,}", placed.how]
        near = self._told_near = self.state.near
        if near is not None:
            parts.append(f"at the lines: {near.measure}")
        if not placed.done:
            parts.append(f"laying out: {placed.iteration} of {placed.iterations}")
        guest = self.state.guest
        if guest is not None and self.guest_mark.place is not None:
            amid = (
                f", amid its neighbours by the weights of step {guest.step:,}"
                if self._amid_neighbours
                else ""
            )
            parts.insert(0, f"★ {guest.name}{amid}")
        self.caption.set_parts(parts)
