"""Filters & feature maps: weights of a convolution, or what it makes of one item."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, ClassVar, cast

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeySequence, QPixmap, QShortcut, QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from mmgraph.analysis.tiling import Scaling
from mmgraph.runs import SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.raster import colour_parts, to_image
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.control_line import Word
from mmgraph_gui.views.filters.display_options import DisplayButton
from mmgraph_gui.views.filters.tiles import Display, Tiles, diverging_map, make_tiles
from mmgraph_gui.views.filters.unit_panel import UnitPanel, UnitPicture
from mmgraph_gui.views.item_card import describe, thumbnail
from mmgraph_gui.views.layerbox import LayerBox
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.picture import PictureLook
from mmgraph_gui.views.ramp import Ramp
from mmgraph_gui.views.shortened import ShortBox

KINDS = {"filters": "Filters", "feature_maps": "Feature maps"}
CHANGE = "change"
"""What is shown of filters apart from their values: how they changed since the first snapshot."""
SCALINGS = {
    "each": ("Each alone", "Every tile uses the whole colour range: weak ones can be read"),
    "joint": ("All together", "One colour range for all tiles: strong ones stand out"),
    "symmetric": ("Around zero", "One range from −max to max: blue is negative, red positive"),
}


class FilterView(View):
    """One tiled picture. Feature maps are those of the first selected item that was recorded."""

    name: ClassVar[str] = "filters"
    look_kind: ClassVar[Any] = PictureLook
    title: ClassVar[str] = "Filters"
    kinds: ClassVar[tuple[str, ...]] = ("filters", "feature_maps")
    topics: ClassVar[frozenset[str]] = frozenset({"run", "snapshots", "step", "items", "selection", "layer"})

    keys: ClassVar[tuple[tuple[str, str], ...]] = (
        ("F", "Fit the picture in"),
        ("Arrows", "Next unit, after a click on one"),
        ("U, O", "Layer before, layer after"),
    )

    def build(self) -> None:
        self.tiles: Tiles | None = None
        self._asked: tuple[Any, ...] | None = None
        self.kind_box = named(ShortBox(), "What is shown", "Weights of a layer, or what it makes of an item")
        self.unit: int | None = None
        for kind, text in {**KINDS, CHANGE: "Change since start"}.items():
            self.kind_box.addItem(text, kind)
        self.kind_box.activated.connect(lambda _: self.request_render("control"))
        self.layer_boxes = {kind: LayerBox(self.state, kind) for kind in KINDS}
        self.scaling_box = named(ShortBox(), "Colour range")
        self.scaling_box.offer(SCALINGS)
        self.scaling_box.activated.connect(lambda _: self.request_render("control"))
        self.item_picture, self._item = QLabel(), ""
        for widget in (self.kind_box, *self.layer_boxes.values()):
            self.controls.addWidget(widget)
        self.controls.addWidget(Word("Colours"))
        self.controls.addWidget(self.scaling_box)
        self.display = DisplayButton()
        self.display.changed.connect(lambda: self.request_render("control"))
        self.choosers.add("shown", self.kind_box)
        self.choosers.add("colours", self.scaling_box)
        for name, field in self.display.fields.items():
            self.choosers.add(name, field)
        self.controls.addWidget(self.display)
        self.controls.addStretch(1)
        self.controls.addWidget(self.item_picture)

        self.picture = named(UnitPicture(self.theme), "Filters and feature maps", "")
        self.setFocusProxy(self.picture)
        self.picture.pointed.connect(self._pointed)
        self.picture.clicked.connect(self._clicked)
        self.picture.moved.connect(self.move_unit)
        for key, by in ((Qt.Key.Key_U, -1), (Qt.Key.Key_O, 1)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(functools.partial(self.move_layer, by))
        self.panel = UnitPanel(self.state, self.theme)
        self.panel.wanted.connect(lambda question: self.ask_model("unit", question))
        self.panel.unwanted.connect(lambda: self.cancel_model("unit"))
        self.panel.hide()
        self.picture.looked.connect(self.looked)
        self.picture.resized.connect(lambda: self.request_render("size"))
        self.ramp = Ramp()
        self.caption = Caption()
        left = QWidget()
        beside = QHBoxLayout(left)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(6)
        beside.addWidget(self.picture, 1)
        beside.addWidget(self.ramp)
        body = QSplitter(Qt.Orientation.Horizontal)
        body.setChildrenCollapsible(False)
        body.addWidget(left)
        body.addWidget(self.panel)
        body.setStretchFactor(0, 3)
        body.setStretchFactor(1, 2)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(body, 1)
        layout.addWidget(self.caption)

    @property
    def kind(self) -> str:
        """ "filters" or "feature_maps"."""
        return "filters" if self.changes else str(self.kind_box.currentData())

    @property
    def changes(self) -> bool:
        """Whether it shows how filters changed."""
        return bool(self.kind_box.currentData() == CHANGE)

    @property
    def scaling(self) -> Scaling:
        """How values become colours."""
        return cast("Scaling", self.scaling_box.currentData())

    def move_unit(self, by: str) -> None:
        """Choose the unit beside, above or below the one that is chosen."""
        tiles = self.tiles
        if tiles is None or self.unit is None:
            return
        steps = {"left": -1, "right": 1, "up": -tiles.grid.columns, "down": tiles.grid.columns}
        place = self.unit + steps[by]
        if 0 <= place < len(tiles.names):
            self.choose_unit(place)

    def move_layer(self, by: int) -> None:
        """Show the layer before or after."""
        layers, now = self.state.layers(self.kind), self.state.layer(self.kind)
        if now in layers:
            place = layers.index(now) + by
            if 0 <= place < len(layers):
                self.state.set_layer(self.kind, layers[place])

    def choose_unit(self, place: int | None) -> None:
        """Frame a tile and say what can be asked of its unit; None lets go of it."""
        self.unit = place
        tiles = self.tiles
        self.picture.takes_arrows = place is not None
        self.panel.setVisible(place is not None)
        if tiles is not None and place is not None:
            self.panel.show_unit(
                tiles.info.layer, int(tiles.units[place]), tiles.names[place], bool(tiles.dead[place])
            )
        self._pointed(None, None)

    def render_state(self, changed: Changed) -> None:
        if "run" in changed:
            self.tiles, self._asked = None, None
            self.choose_unit(None)
        self._offer_kinds()
        kind = self.kind
        for known, box in self.layer_boxes.items():
            box.refresh()
            box.setVisible(known == kind and bool(self.state.layers(known)))
        info = self.state.snapshot_at(kind)
        if info is None:
            self._asked = None
            self.cancel("tiles")
            there = any(self.state.layers(known) for known in KINDS)
            say_missing(self, kind, KINDS[kind].lower() if there else "filters and no feature maps")
            return
        item = int(self.state.selection[0]) if kind == "feature_maps" and len(self.state.selection) else None
        asked = (info, self.scaling, item, round(self._aspect(), 1), self.display.values(), self.changes)
        if asked != self._asked or "theme" in changed:
            self._asked = asked
            self._ask_tiles(info, item)

    def model_progress(self, slot: str, share: float, text: str) -> None:
        self.panel.show_progress(share, text)

    def model_failed(self, slot: str, text: str) -> None:
        self.panel.show_failure(text)

    def receive(self, slot: str, result: Any) -> None:
        if slot == "unit":
            self.panel.show_answer(result)
            return
        before, self.tiles = self.tiles, result
        if before is not None and (before.info.layer, before.names) != (result.info.layer, result.names):
            same = self.unit is not None and self.unit < len(result.names)
            self.choose_unit(self.unit if same else None)
        self.picture.set_image(result.image)
        self.show_content()
        self._show_range(result)
        self._show_item(result.item)
        self._pointed(None, None)

    def table(self) -> Table | None:
        return (("tile", "row", "column", "value"), _rows(self.tiles)) if self.tiles is not None else None

    def look(self) -> Any:
        return self.picture.look()

    def look_at(self, look: Any) -> None:
        self.picture.look_at(look)

    def _ask_tiles(self, info: SnapshotInfo, item: int | None) -> None:
        ramp = (
            diverging_map() if self.scaling == "symmetric" else self.theme.continuous(np.linspace(0, 1, 256))
        )
        # Where the network has grown, the first of this shape: what was not there has not changed.
        first = next(
            known for known in self.state.history(info.kind, info.layer) if known.shape == info.shape
        )
        work = functools.partial(
            make_tiles,
            info=info,
            display=Display(self.scaling, **self.display.values()._asdict()),
            colours=ramp,
            gap=colour_parts(self.theme.palette.grid),
            mark=colour_parts(self.theme.palette.error),
            item=item,
            aspect=self._aspect(),
            since=first.step if self.changes else None,
        )
        self.ask("tiles", [info, first] if self.changes else [info], work)

    def _aspect(self) -> float:
        return max(self.picture.width(), 1) / max(self.picture.height(), 1)

    def _show_range(self, tiles: Tiles) -> None:
        scaling = self.scaling
        self.ramp.setVisible(tiles.values.ndim == 3)
        ramp = diverging_map() if scaling == "symmetric" else self.theme.continuous(np.linspace(0, 1, 256))
        low, high = "lowest", "highest"
        if scaling != "each" and len(tiles.limits):
            low, high = (f"{limit:.4g}" for limit in tiles.limits[0])
        self.ramp.show_range(to_image(np.ascontiguousarray(ramp[::-1, None])), high, low)

    def _show_item(self, item: int | None) -> None:
        self.item_picture.clear()
        self._item = ""
        if item is None:
            return
        known = describe(self.state, item)
        self._item = f"{known.title} · label {known.label}" if known.label else known.title
        named(self.item_picture, self._item)
        picture = thumbnail(self.state.items, item)
        if picture is not None:
            side = round(26 * self.devicePixelRatioF())
            pixmap = QPixmap.fromImage(picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio))
            pixmap.setDevicePixelRatio(self.devicePixelRatioF())
            self.item_picture.setPixmap(pixmap)

    def _pointed(self, y: int | None, x: int | None) -> None:
        tiles = self.tiles
        if tiles is None:
            return
        index = tiles.grid.at(y, x) if y is not None and x is not None else None
        if index is None or y is None or x is None:
            chosen = self.unit if self.unit is not None and self.unit < len(tiles.names) else None
            self.picture.set_frame(None if chosen is None else self._frame(tiles, chosen))
            self.caption.setText(self._whole(tiles) if chosen is None else tiles.summary(chosen))
            return
        self.picture.set_frame(self._frame(tiles, index))
        row, column = tiles.place(index, y, x)
        value = np.asarray(tiles.values[index][row, column])
        here = ", ".join(f"{part:.4g}" for part in value.ravel().tolist())
        self.caption.setText(f"{tiles.summary(index)}  ·  here {here} at row {row}, column {column}")

    def _clicked(self, y: int, x: int) -> None:
        if self.tiles is not None:
            self.choose_unit(self.tiles.grid.at(y, x))

    def _frame(self, tiles: Tiles, index: int) -> QRectF:
        top, left = tiles.grid.corner(index)
        return QRectF(left, top, tiles.grid.width, tiles.grid.height)

    def _whole(self, tiles: Tiles) -> str:
        noun = KINDS[tiles.info.kind].lower()
        shown = len(tiles.names)
        count = f"{shown:,} {noun}" if shown == tiles.total else f"{shown:,} of {tiles.total:,} {noun} shown"
        parts = [
            f"{tiles.info.layer}, step {tiles.info.step:,}",
            f"{count} of {tiles.values.shape[1]} × {tiles.values.shape[2]}",
        ]
        if self._item:
            parts.insert(0, self._item)
        if tiles.since is not None:
            grew = tiles.since > self.state.history(tiles.info.kind, tiles.info.layer)[0].step
            parts.append(f"change since step {tiles.since:,}{', when the layer had grown' if grew else ''}")
        if dead := len(np.unique(tiles.units[tiles.dead])):
            parts.append(f"{dead:,} dead (framed)")
        lost = int((~np.isfinite(tiles.values)).sum())
        if lost:
            parts.append(f"{lost:,} NaN or infinite (magenta)")
        wanted = self._asked[2] if self._asked is not None else None
        if tiles.item is not None and wanted != tiles.item:
            parts.append(
                "select an item to see its maps"
                if wanted is None
                else "no maps were recorded of the selected item"
            )
        return "  ·  ".join(parts)

    def _offer_kinds(self) -> None:
        """Show what there is when what was chosen is missing."""
        there = [kind for kind in KINDS if self.state.layers(kind)]
        changes = self.kind_box.model()
        assert isinstance(changes, QStandardItemModel)
        changes.item(len(KINDS)).setEnabled("filters" in there)
        if there and self.kind not in there:
            self.kind_box.setCurrentIndex(list(KINDS).index(there[0]))
        self.kind_box.setEnabled("filters" in there)


def _rows(tiles: Tiles) -> Iterator[tuple[object, ...]]:
    for name, values in zip(tiles.names, tiles.values, strict=True):
        for place, value in np.ndenumerate(values):
            yield name, place[0], place[1], float(value)
