"""Items as points in a plane: what the embedding and the graph have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QImage, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QToolButton,
    QVBoxLayout,
)

from mmgraph.analysis import PointGrid, points_in_polygon
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.icon import icon
from mmgraph_gui.drawing.raster import Drawing, colour_parts
from mmgraph_gui.reading.follower import Work
from mmgraph_gui.state import Near
from mmgraph_gui.state.colouring import Colouring, colouring_of
from mmgraph_gui.state.selection import EMPTY, Mode, Rows
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.control_line import Word
from mmgraph_gui.views.item_card import ROW_COLUMNS, describe, has_pictures, row_values, thumbnail
from mmgraph_gui.views.points.cloud import PointCloud
from mmgraph_gui.views.points.image import PointImage, PointScene, draw_points
from mmgraph_gui.views.points.legend import Legend
from mmgraph_gui.views.points.plane import Plane, Stamp, Tool
from mmgraph_gui.views.points.plane_look import PlaneLook
from mmgraph_gui.views.points.selection_menu import SelectionMenu
from mmgraph_gui.views.points.vectors import paint_points
from mmgraph_gui.views.shortened import ShortBox

STAMP_SIDE = 26
VECTOR_LIMIT = 20_000
FEW_POINTS = 50_000
"""Up to here an outline is compared with all points within a millisecond or two; else in a worker thread."""
REST_MILLISECONDS = 120
TOOLS: tuple[tuple[Tool, str, str, str], ...] = (
    ("move", "Move", "M", "Move: drag to move, wheel to zoom; Shift-drag draws a box"),
    ("box", "Box", "B", "Box: drag a box around items; Ctrl adds, Alt removes"),
    ("lasso", "Lasso", "L", "Lasso: draw around items; Ctrl adds, Alt removes"),
)


class PointView(View):
    """Colours, selection, hover, thumbnails and legend of points; subclasses say where the points are."""

    look_kind: ClassVar[Any] = PlaneLook | None
    keys: ClassVar[tuple[tuple[str, str], ...]] = (
        ("M, B, L", "What dragging does: move, draw a box, draw a lasso; Shift-drag is always a box"),
        ("F", "Fit everything in"),
        ("+, −", "Zoom; the wheel does too"),
        ("T", "Pictures of the items, or dots"),
        ("Ctrl, Alt", "With a click, box or lasso: add to the selection, take out of it"),
    )

    def build(self) -> None:
        self.cloud = PointCloud(np.zeros((0, 2), dtype=np.float32), EMPTY)
        self.drawn: PointImage | None = None
        self._colouring: Colouring | None = None
        self._rests = QTimer(self, singleShot=True, interval=REST_MILLISECONDS)
        self._rests.timeout.connect(lambda: self.request_render("viewport"))
        self._pictures: dict[int, QImage] = {}
        self._drawing: set[str] = set()
        self._next: dict[str, Work] = {}

        self.plane = named(Plane(self.theme), self.title, "")
        self.plane.hovered.connect(self._hovered)
        self.plane.clicked.connect(self._clicked)
        self.plane.outlined.connect(self._outlined)
        self.plane.viewport_changed.connect(self._viewport_moved)
        self.plane.looked.connect(self.looked)
        self.legend = Legend(self.theme)
        self.legend.chosen.connect(self._choose_class)
        self.legend.hidden_changed.connect(self.state.set_hidden)
        self.caption = Caption()
        body = QHBoxLayout()
        body.setSpacing(6)
        body.addWidget(self.plane, 1)
        body.addWidget(self.legend)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.rows_above = QVBoxLayout()
        layout.addLayout(self.rows_above)
        layout.addLayout(body, 1)
        self.row_below = QHBoxLayout()
        self.row_below.addWidget(self.caption, 1)
        layout.addLayout(self.row_below)
        self.setFocusProxy(self.plane)
        self._build_controls()

    def _build_controls(self) -> None:
        self.colour_box = named(ShortBox(), "Colour by", "What colours the points, in every view")
        self.colour_box.activated.connect(lambda _: self.state.set_colour_by(self.colour_box.currentText()))
        self.controls.addWidget(Word("Colour"))
        self.controls.addWidget(self.colour_box)
        self.controls.addStretch(1)
        self.thumbnails = named(
            QToolButton(),
            "Thumbnails",
            "Thumbnails: draw pictures wherever there is room (T); zoomed in they come by themselves",
        )
        self.thumbnails.setCheckable(True)
        self.thumbnails.toggled.connect(lambda _: self.request_render("viewport"))
        self.controls.addWidget(self.thumbnails)
        self._shortcut("T", self.thumbnails.toggle)
        self.choosers.add("thumbnails", self.thumbnails)
        group = QButtonGroup(self)
        self.tools: dict[str, QToolButton] = {}
        for tool, text, key, hint in TOOLS:
            button = named(QToolButton(), f"Tool: {text}", f"{hint} ({key})")
            button.setCheckable(True)
            button.setChecked(tool == "move")
            button.toggled.connect(functools.partial(self._tool_toggled, tool))
            group.addButton(button)
            self.controls.addWidget(button)
            self.tools[tool] = button
            self._shortcut(key, functools.partial(button.setChecked, True))
        self.more = named(QToolButton(), "More", "More: keep the selection, write it to files …")
        self.more.setText("⋯")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = SelectionMenu(self.state, self.follower, self.caption.setText, self)
        self.more.setMenu(self.menu)
        self.everything = named(QToolButton(), "Show all", "Fit everything in (F, or double-click)")
        self.everything.clicked.connect(self.plane.ask_all)
        self.controls.addWidget(self.everything)
        self.controls.addWidget(self.more)
        self.theme.changed.connect(self._draw_icons)
        self._draw_icons()

    def _draw_icons(self) -> None:
        for name, button in {**self.tools, "picture": self.thumbnails, "fit": self.everything}.items():
            button.setIcon(icon(name, self.theme.palette))

    def _shortcut(self, key: str, do: Any) -> None:
        shortcut = QShortcut(QKeySequence(key), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(do)

    def _tool_toggled(self, tool: Tool, on: bool) -> None:
        if on:
            self.plane.tool = tool
            self.plane.setCursor(Qt.CursorShape.ArrowCursor if tool == "move" else Qt.CursorShape.CrossCursor)

    # -- what subclasses call ------------------------------------------------------------------------------

    @property
    def points(self) -> npt.NDArray[Any]:
        """Where the points are: (n, 2)."""
        return self.cloud.positions

    @property
    def rows(self) -> Rows:
        """Row of the item set of each point."""
        return self.cloud.rows

    def place_points(self, cloud: PointCloud) -> None:
        """Say where the points are and which rows of the item set they stand for."""
        self.cloud = cloud
        self.plane.set_points(cloud)
        self.draw_points()
        self._mark()

    def render_points(self, changed: Changed) -> None:
        """Follow changes of colour, selection, hover and viewport."""
        if "run" in changed:
            self._drawing.clear()
            self._next.clear()
            self.menu.refresh()
        self.list_colours(changed)
        if changed & {"run", "items"}:
            self._pictures.clear()
            self.thumbnails.setVisible(has_pictures(self.state.items))
        if changed & {"run", "items", "colour", "theme"}:
            self._colouring = colouring_of(self.state)
            self.legend.show_colouring(self._colouring, self.state.hidden)
        if changed & {"colour", "items", "theme", "selection", "viewport"} and len(self.cloud):
            self.draw_points()
        if changed & {"hover", "colour"}:
            self._mark()

    def list_colours(self, changed: Changed) -> None:
        """Keep the chooser of colours up to date; where there is nothing to colour, too."""
        if changed & {"run", "items", "colour", "theme", "snapshots"}:
            choices = self.state.colour_choices()
            if [self.colour_box.itemText(i) for i in range(self.colour_box.count())] != choices:
                self.colour_box.clear()
                self.colour_box.addItems(choices)
            self.colour_box.setCurrentText(self.state.colour_by)
            self.colour_box.setEnabled(bool(choices))

    def draw_points(self, *, moving: bool = False) -> None:
        """Ask for a new image of the points."""
        self.draw("points", functools.partial(draw_points, scene=self._points_scene(moving=moving)))

    def _points_scene(self, *, moving: bool = False) -> PointScene:
        pictured = has_pictures(self.state.items)
        return PointScene(
            cloud=self.cloud,
            colouring=self._colouring,
            paint=self.theme.colours,
            hidden=self.state.hidden,
            selection=self.state.selection,
            viewport=self.plane.viewport,
            ratio=self.plane.ratio,
            plain=colour_parts(self.theme.palette.accent),
            rim=colour_parts(self.theme.palette.foreground),
            ground=colour_parts(self.theme.palette.background),
            stamp=STAMP_SIDE * self.plane.ratio if pictured else 0,
            stamped=self.thumbnails.isChecked(),
            moving=moving,
        )

    def follow_viewport(self) -> None:
        """Draw at once what moves with the mouse; the best picture follows when it rests."""
        self.draw_points(moving=True)

    def _viewport_moved(self) -> None:
        if len(self.cloud) and self.isVisible():
            self.follow_viewport()
        self._rests.start()

    def draw(self, slot: str, work: Work) -> None:
        """Ask for an image, once the one being drawn is there.

        Where layouts come faster than images can be drawn, replacing the request each time would never let
        one be finished.
        """
        if slot in self._drawing:
            self._next[slot] = work
        else:
            self._drawing.add(slot)
            self.ask(slot, [], work)

    def show_message(self, text: str) -> None:
        self._drawing.clear()
        self._next.clear()
        super().show_message(text)

    def receive(self, slot: str, result: Any) -> None:
        self._drawing.discard(slot)
        if slot in self._next:
            self.draw(slot, self._next.pop(slot))
        if slot == "points" and isinstance(result, PointImage):
            self.drawn = result
            self.plane.grid, self.plane.reach = result.grid, result.reach
            self.plane.set_layer("points", result.image, result.scene.viewport)
            if result.scene.viewport == self.plane.viewport:
                self.plane.stamps = tuple(self._stamps(result))
            self.points_drawn(result)
        elif slot == "outlined":
            rows, mode = result
            self.state.select(rows, mode)

    def look(self) -> object:
        return self.plane.look()

    def look_at(self, look: Any) -> None:
        self.plane.look_at(look, same_places=False)

    def points_drawn(self, image: PointImage) -> None:
        """Another image of the points is on screen."""

    def table(self) -> Table | None:
        if not len(self.cloud):
            return None
        values, points = row_values(self.state, self.rows), self.points
        rows = ((*value, float(x), float(y)) for value, (x, y) in zip(values, points, strict=True))
        return (*ROW_COLUMNS, "x", "y"), rows

    def vector_source(self) -> Any | None:
        if not 0 < len(self.points) <= VECTOR_LIMIT:
            return None
        size = QSize(self.plane.viewport.width, self.plane.viewport.height)
        paint = functools.partial(paint_points, scene=self._points_scene(), under=self.vectors_under())
        return Drawing(size, paint, apart=True)

    def colour_key(self) -> Sequence[tuple[str, str]]:
        return self.theme.legend(self._colouring) if self._colouring is not None else ()

    def vectors_under(self) -> Callable[[QPainter], object]:
        """Paints what lies under the circles, from what does not change: it may be called in a worker thread."""
        return lambda _: None

    # -- what the mouse says -------------------------------------------------------------------------------

    def _hovered(self, point: int | None) -> None:
        row = -1 if point is None or point >= len(self.rows) else int(self.rows[point])
        self.state.hover(row if row >= 0 else None)

    def _clicked(self, point: int | None, mode: Mode) -> None:
        if point is not None and point < len(self.rows):
            self.state.select(self.cloud.rows_at(point), mode)
        elif mode == "replace":
            self.state.clear_selection()

    def _outlined(self, corners: npt.NDArray[np.float64], mode: Mode) -> None:
        if self.plane.grid is None:
            return
        work = functools.partial(
            _rows_inside, cloud=self.cloud, grid=self.plane.grid, corners=corners, mode=mode
        )
        if len(self.cloud) > FEW_POINTS:
            self.ask("outlined", [], work)
        else:
            self.receive("outlined", work(None, ()))

    def _choose_class(self, code: int) -> None:
        if self._colouring is not None and self._colouring.codes is not None:
            self.state.select(np.flatnonzero(self._colouring.codes == code))

    def _mark(self) -> None:
        self._join_near(self.state.near)
        row, point = self.state.hovered, self.cloud.point_of(self.state.hovered)
        if row is None or point is None:
            self.plane.mark(None, None)
            return
        self.plane.mark(point, (describe(self.state, row), thumbnail(self.state.items, row)))

    def _join_near(self, near: Near | None) -> None:
        """Lines from the item whose neighbours are looked at, with their distances."""
        if near is None or self.cloud.point_of(int(near.rows[0])) is None:
            self.plane.set_links(EMPTY)
            return
        there = np.array([self.cloud.point_of(row) is not None for row in near.rows.tolist()])
        texts = [f"{distance:.3g}" for distance in near.distances[there][1:].tolist()]
        self.plane.set_links(self.cloud.points_of(near.rows), texts)

    def _colour_of(self, row: int) -> str:
        """Colour of the point of a row, "#rrggbb"."""
        point = self.cloud.point_of(row)
        if self.drawn is None or point is None or point >= len(self.drawn.colours):
            return self.theme.palette.accent
        red, green, blue = self.drawn.colours[point].tolist()
        return f"#{red:02x}{green:02x}{blue:02x}"

    # -- thumbnails ----------------------------------------------------------------------------------------

    def _stamps(self, result: PointImage) -> Iterator[Stamp]:
        for point, (x, y) in zip(result.stamped.tolist(), result.places.tolist(), strict=True):
            row = int(self.rows[point])
            if row not in self._pictures:
                picture = thumbnail(self.state.items, row)
                if picture is None:
                    continue
                self._pictures[row] = picture
            red, green, blue = (int(part) for part in result.colours[point])
            yield Stamp(x, y, result.scene.stamp, self._pictures[row], f"#{red:02x}{green:02x}{blue:02x}")


def _rows_inside(
    _job: Any,
    _snapshots: Any,
    *,
    cloud: PointCloud,
    grid: PointGrid,
    corners: npt.NDArray[np.float64],
    mode: Mode,
) -> tuple[Rows, Mode]:
    """Rows of the points inside an outline; hidden ones are not among those of the grid."""
    return cloud.rows_inside(points_in_polygon(grid.positions, corners)), mode


def caption_count(shown: int, total: int, noun: str) -> str:
    """ "1,797 digits", or "300 of 1,797 digits shown" where not all are."""
    plural = noun if shown == 1 == total else f"{noun}s"
    return f"{total:,} {plural}" if shown == total else f"{shown:,} of {total:,} {plural} shown"
