"""Items as points in a plane: what the embedding and the graph have in common."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
)

from mmgraph.analysis import points_in_polygon
from mmgraph_gui.accessible import named
from mmgraph_gui.colouring import Colouring, colouring_of
from mmgraph_gui.follower import Work
from mmgraph_gui.icon import icon
from mmgraph_gui.item_card import ROW_COLUMNS, describe, row_values, thumbnail
from mmgraph_gui.raster import Drawing, colour_parts
from mmgraph_gui.selection import Mode, Rows
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.legend import Legend
from mmgraph_gui.views.plane import Plane, Stamp, Tool
from mmgraph_gui.views.point_image import PointImage, PointScene, dot_style, draw_points

STAMP_SIDE = 26
VECTOR_LIMIT = 20_000
TOOLS: tuple[tuple[Tool, str, str, str], ...] = (
    ("move", "Move", "M", "Move: drag to move, wheel to zoom; Shift-drag draws a box"),
    ("box", "Box", "B", "Box: drag a box around items; Ctrl adds, Alt removes"),
    ("lasso", "Lasso", "L", "Lasso: draw around items; Ctrl adds, Alt removes"),
)


class PointView(View):
    """Colours, selection, hover, thumbnails and legend of points; subclasses say where the points are."""

    def build(self) -> None:
        self.points = np.zeros((0, 2), dtype=np.float32)
        self.rows: Rows = np.zeros(0, dtype=np.int64)
        self._point_of_row: Rows = np.zeros(0, dtype=np.int64)
        self._colouring: Colouring | None = None
        self._colours = np.zeros((0, 3), dtype=np.uint8)
        self._pictures: dict[int, QImage] = {}
        self._drawing: set[str] = set()
        self._next: dict[str, Work] = {}

        self.plane = named(Plane(self.theme), self.title, "")
        self.plane.hovered.connect(self._hovered)
        self.plane.clicked.connect(self._clicked)
        self.plane.outlined.connect(self._outlined)
        self.plane.viewport_changed.connect(lambda: self.request_render("viewport"))
        self.legend = Legend(self.theme)
        self.legend.chosen.connect(self._choose_class)
        self.caption = Caption()
        body = QHBoxLayout()
        body.setSpacing(6)
        body.addWidget(self.plane, 1)
        body.addWidget(self.legend)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(body, 1)
        layout.addWidget(self.caption)
        self._build_controls()

    def _build_controls(self) -> None:
        self.colour_box = named(QComboBox(), "Colour by", "What colours the points, in every view")
        self.colour_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.colour_box.setMinimumWidth(72)
        self.colour_box.activated.connect(lambda _: self.state.set_colour_by(self.colour_box.currentText()))
        self.controls.addWidget(QLabel("Colour"))
        self.controls.addWidget(self.colour_box)
        self.controls.addStretch(1)
        self.thumbnails = named(QToolButton(), "Thumbnails", "Thumbnails: draw the items' pictures (T)")
        self.thumbnails.setCheckable(True)
        self.thumbnails.toggled.connect(lambda _: self.request_render("viewport"))
        self.controls.addWidget(self.thumbnails)
        self._shortcut("T", self.thumbnails.toggle)
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
        self.everything = named(QToolButton(), "Show all", "Fit everything in (F, or double-click)")
        self.everything.clicked.connect(self.plane.show_all)
        self.controls.addWidget(self.everything)
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

    def place_points(self, points: npt.NDArray[np.floating[Any]], rows: Rows) -> None:
        """Say where the points are and which rows of the item set they stand for."""
        self.points, self.rows = points, rows
        self._point_of_row = np.full(int(rows.max(initial=-1)) + 1, -1, dtype=np.int64)
        self._point_of_row[rows] = np.arange(len(rows))
        self.plane.set_positions(points)
        self._colours = self._point_colours()
        self.draw_points()
        self._mark()

    def render_points(self, changed: Changed) -> None:
        """Follow changes of colour, selection, hover and viewport."""
        if "run" in changed:
            self._drawing.clear()
            self._next.clear()
        if changed & {"run", "items", "colour", "theme", "snapshots"}:
            choices = self.state.colour_choices()
            if [self.colour_box.itemText(i) for i in range(self.colour_box.count())] != choices:
                self.colour_box.clear()
                self.colour_box.addItems(choices)
            self.colour_box.setCurrentText(self.state.colour_by)
            self.colour_box.setEnabled(bool(choices))
        if changed & {"run", "items"}:
            self._pictures.clear()
            items = self.state.items
            self.thumbnails.setVisible(items is not None and items.thumbnails is not None)
        if changed & {"run", "items", "colour", "theme"}:
            self._colouring = colouring_of(self.state)
            self.legend.show_colouring(self._colouring)
            self._colours = self._point_colours()
        if changed & {"colour", "items", "theme", "selection", "viewport"} and len(self.points):
            self.draw_points()
        if changed & {"hover", "colour"}:
            self._mark()

    def draw_points(self) -> None:
        """Ask for a new image of the points."""
        selection = self.state.selection
        chosen = np.isin(self.rows, selection) if len(selection) else None
        everything = self.plane.viewport.around(
            self.points, self.plane.viewport.width, self.plane.viewport.height
        )
        scene = PointScene(
            positions=self.points,
            colours=self._colours,
            selected=chosen,
            viewport=self.plane.viewport,
            ratio=self.plane.ratio,
            zoom=self.plane.viewport.scale / everything.scale,
            rim=colour_parts(self.theme.palette.foreground),
            stamp=STAMP_SIDE * self.plane.ratio if self._wants_stamps() else 0,
        )
        self.draw("points", functools.partial(draw_points, scene=scene))

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
            self.plane.raster = result.raster
            self.plane.set_layer("points", result.image, result.scene.viewport)
            if result.scene.viewport == self.plane.viewport:
                self.plane.stamps = tuple(self._stamps(result))

    def table(self) -> Table | None:
        if not len(self.points):
            return None
        values, points = row_values(self.state, self.rows), self.points
        rows = ((*value, float(x), float(y)) for value, (x, y) in zip(values, points, strict=True))
        return (*ROW_COLUMNS, "x", "y"), rows

    def vector_source(self) -> Any | None:
        if not 0 < len(self.points) <= VECTOR_LIMIT:
            return None
        return Drawing(QSize(self.plane.viewport.width, self.plane.viewport.height), self.paint_vectors)

    def colour_key(self) -> Sequence[tuple[str, str]]:
        return self.theme.legend(self._colouring) if self._colouring is not None else ()

    def paint_vectors(self, painter: QPainter) -> None:
        """Paint what the plane shows as circles."""
        viewport = self.plane.viewport
        painter.fillRect(QRectF(0, 0, viewport.width, viewport.height), QColor(self.theme.palette.background))
        painter.setPen(Qt.PenStyle.NoPen)
        radius = dot_style(len(self.points), 1.0)[0] * self.plane.ratio
        selection = self.state.selection
        chosen = np.isin(self.rows, selection) | (len(selection) == 0)
        pixels = viewport.to_pixels(self.points)
        for point in np.flatnonzero(np.isfinite(pixels).all(axis=1)).tolist():
            colour = QColor(*(int(part) for part in self._colours[point]))
            colour.setAlphaF(0.9 if chosen[point] else 0.2)
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(*pixels[point]), radius, radius)

    # -- what the mouse says -------------------------------------------------------------------------------

    def _hovered(self, point: int | None) -> None:
        self.state.hover(None if point is None or point >= len(self.rows) else int(self.rows[point]))

    def _clicked(self, point: int | None, mode: Mode) -> None:
        if point is not None and point < len(self.rows):
            self.state.select([int(self.rows[point])], mode)
        elif mode == "replace":
            self.state.clear_selection()

    def _outlined(self, corners: npt.NDArray[np.float64], mode: Mode) -> None:
        self.state.select(self.rows[points_in_polygon(self.points, corners)], mode)

    def _choose_class(self, code: int) -> None:
        if self._colouring is not None and self._colouring.codes is not None:
            self.state.select(np.flatnonzero(self._colouring.codes == code))

    def _mark(self) -> None:
        row = self.state.hovered
        if row is None or row >= len(self._point_of_row) or self._point_of_row[row] < 0:
            self.plane.mark(None, None)
            return
        card = (describe(self.state, row), thumbnail(self.state.items, row))
        self.plane.mark(int(self._point_of_row[row]), card)

    # -- colours and thumbnails ----------------------------------------------------------------------------

    def _point_colours(self) -> npt.NDArray[np.uint8]:
        accent = np.array(colour_parts(self.theme.palette.accent), dtype=np.uint8)
        colours = np.tile(accent, (len(self.rows), 1))
        if self._colouring is not None:
            of_items = self.theme.colours(self._colouring)
            known = self.rows < len(of_items)
            colours[known] = of_items[self.rows[known]]
        return colours

    def _wants_stamps(self) -> bool:
        items = self.state.items
        return self.thumbnails.isChecked() and items is not None and items.thumbnails is not None

    def _stamps(self, result: PointImage) -> Iterator[Stamp]:
        for point, (x, y) in zip(result.stamped.tolist(), result.places.tolist(), strict=True):
            row = int(self.rows[point])
            if row not in self._pictures:
                picture = thumbnail(self.state.items, row)
                if picture is None:
                    continue
                self._pictures[row] = picture
            red, green, blue = (int(part) for part in result.scene.colours[point])
            yield Stamp(x, y, result.scene.stamp, self._pictures[row], f"#{red:02x}{green:02x}{blue:02x}")


def caption_count(shown: int, total: int, noun: str) -> str:
    """ "1,797 digits", or "300 of 1,797 digits shown" where not all are."""
    plural = noun if shown == 1 == total else f"{noun}s"
    return f"{total:,} {plural}" if shown == total else f"{shown:,} of {total:,} {plural} shown"
