"""Attention: what a node attends to on the graph, words on words, places of a picture, all heads of all layers."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLabel, QSlider, QStackedWidget, QVBoxLayout, QWidget

from mmgraph.runs import SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.raster import Drawing
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.attention.edges import EdgeAttention, edge_attention, neighbourhood, told_edges
from mmgraph_gui.views.attention.head_grid import HeadGridPicture
from mmgraph_gui.views.attention.map_page import WAYS, MapPage, ways_of
from mmgraph_gui.views.attention.maps import AttentionMap, HeadGrid, read_guest, read_heads, read_map
from mmgraph_gui.views.attention.neighbourhood import NeighbourhoodPicture
from mmgraph_gui.views.attention.word_maps import WordMaps, WordMapsPicture
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.choosers import Chooser
from mmgraph_gui.views.item_card import describe
from mmgraph_gui.views.layerbox import LayerBox
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.picture import PictureLook
from mmgraph_gui.views.shortened import ShortBox

ALL_HEADS = "heads"
EVERY = {**WAYS, ALL_HEADS: ("All heads", "Every head of every layer, small (G)")}
EDGES, MAP, SENTENCE, HEADS = range(4)


class AttentionView(View):
    """Follows the selected item; clicking a neighbour selects it, so one can walk along the graph."""

    name: ClassVar[str] = "attention"
    look_kind: ClassVar[Any] = PictureLook
    title: ClassVar[str] = "Attention"
    kinds: ClassVar[tuple[str, ...]] = ("attention",)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "snapshots", "step", "items", "selection", "hover", "colour", "layer", "guest"}
    )

    keys: ClassVar[tuple[tuple[str, str], ...]] = (
        ("G", "Every head of every layer, or one"),
        ("Arrows", "Another head, patch, word or step of a sentence; Home and End"),
        ("Enter", "Open the head"),
    )

    def build(self) -> None:
        self._forget()
        self._asked: tuple[Any, ...] | None = None
        self._chosen: str | None = None
        self._rolls_out = False
        self.layers = LayerBox(self.state, "attention")
        self.head_box = named(ShortBox(), "Attention head", "Which head is shown")
        self.head_box.activated.connect(self._choose_head)
        self.way_box = named(ShortBox(), "How attention is shown")
        self.way_box.offer(EVERY)
        self.way_box.activated.connect(lambda _: self._choose_way(self.way_box.currentData()))
        self.opacity = named(QSlider(Qt.Orientation.Horizontal), "Opacity of the weights over the picture")
        self.opacity.setRange(0, 100)
        self.opacity.setValue(55)
        self.opacity.setFixedWidth(70)
        self._way_label = QLabel("Show")
        lead: tuple[QWidget, ...] = (QLabel("Layer"), self.layers, QLabel("Head"), self.head_box)
        for widget in (*lead, self._way_label, self.way_box, self.opacity):
            self.controls.addWidget(widget)
        self.controls.addStretch(1)

        self.around = named(NeighbourhoodPicture(self.theme), "What the selected item attends to", "")
        self.around.hovered.connect(self.state.hover)
        self.around.clicked.connect(lambda node, mode: self.state.select([node], mode))
        self.page = MapPage(self.theme)
        self.page.told.connect(self._tell)
        self.page.heat.looked.connect(self.looked)
        self.opacity.valueChanged.connect(lambda value: self.page.overlay.set_opacity(value / 100))
        self.sentence = named(WordMapsPicture(self.theme), "Where was looked before each word", "")
        self.sentence.pointed.connect(self._pointed_word)
        self.grid = named(HeadGridPicture(self.theme), "All heads of all layers", "")
        self.grid.pointed.connect(self._pointed_head)
        self.grid.opened.connect(self._open_head)
        self.pages = QStackedWidget()
        for page in (self.around, self.page, self.sentence, self.grid):
            self.pages.addWidget(page)
        toggle = QShortcut(QKeySequence("G"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        toggle.activated.connect(self.toggle_heads)
        self.caption = Caption()
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.caption)
        self._offer_ways()
        self.choosers.add("opacity", self.opacity)
        ways = [(text, way) for way, (text, _) in EVERY.items()]
        self.choosers.add_value("way", Chooser("Show", lambda: self._chosen, self._choose_way, lambda: ways))
        self.choosers.add_value(
            "rollout", Chooser("Rollout", lambda: self._rolls_out, self._roll_out, self._rollout_options)
        )

    # -- what is asked for -------------------------------------------------------------------------------

    def render_state(self, changed: Changed) -> None:
        if "run" in changed:
            self._forget()
            self._asked, self._chosen, self._rolls_out = None, None, False
        self.layers.refresh()
        if self._shows_guest(changed):
            return
        info = self.state.snapshot_at("attention")
        if info is None:
            self._asked = None
            self.cancel("attention")
            self.head_box.setEnabled(False)
            say_missing(self, "attention", "attention")
            return
        on_edges = "edges" in info.axes
        through = [] if on_edges else self._square_layers(info)
        heads = info.shape[info.axes.index("heads")]
        self._offer_heads(heads, rollout=len(through) > 1)
        head = self.state.head if self.state.head is not None and self.state.head < heads else None
        selected = int(self.state.selection[0]) if len(self.state.selection) else None
        items = self.state.items
        pictures, clips = (None, None) if items is None else (items.thumbnails, items.clips)
        shows_all = self._chosen == ALL_HEADS and not on_edges
        rolls_out = self._rolls_out and len(through) > 1
        asked = (info, head, selected, items is None, shows_all, rolls_out, self._chosen)
        if asked != self._asked or ("theme" in changed and not on_edges):
            self._asked = asked
            ramp = self.theme.continuous(np.linspace(0, 1, 256))
            if on_edges:
                self.ask(
                    "attention",
                    [info],
                    functools.partial(edge_attention, info=info, head=head, node=selected or 0),
                )
            elif shows_all:
                infos = self._maps()
                self.ask(
                    "attention",
                    [],
                    functools.partial(read_heads, infos=infos, item=selected, colours=ramp),
                )
            else:
                work = functools.partial(
                    read_map,
                    info=info,
                    head=head,
                    item=selected,
                    colours=ramp,
                    pictures=pictures,
                    clips=clips,
                )
                self.ask("attention", [], functools.partial(work, through=through) if rolls_out else work)
        elif changed & {"colour", "items", "theme"} and self.edges is not None:
            self._show_edges(self.edges)
        if "hover" in changed:
            self.around.mark(self.state.hovered)

    def _shows_guest(self, changed: Changed) -> bool:
        """Whether the maps of a person's own item are shown; those of an item that is selected alone go first."""
        guest, layer = self.state.guest, self.state.layer("attention")
        seen = None if guest is None else guest.attention_of(layer)
        if guest is None or seen is None or (len(self.state.selection) == 1 and not guest.waits):
            return False
        if self._chosen == ALL_HEADS:
            self._chosen = None
        self._offer_heads(seen.array.shape[-3], rollout=False)
        asked = (guest, layer, self.state.head, self._chosen)
        if asked != self._asked or "theme" in changed:
            self._asked = asked
            ramp = self.theme.continuous(np.linspace(0, 1, 256))
            work = functools.partial(read_guest, guest=guest, layer=layer, head=self.state.head, colours=ramp)
            self.ask("attention", [], work)
        return True

    def _maps(self) -> list[SnapshotInfo]:
        """Attention of queries on keys of every layer at this step."""
        found = (self.state.snapshot_at("attention", layer) for layer in self.state.layers("attention"))
        return [info for info in found if info is not None and "edges" not in info.axes]

    def _square_layers(self, last: SnapshotInfo) -> list[SnapshotInfo]:
        """Layers up to one, of the same tokens on themselves: what a rollout multiplies."""
        if last.shape[-1] != last.shape[-2]:
            return []
        same = [info for info in self._maps() if info.shape[-2:] == last.shape[-2:]]
        places = [place for place, info in enumerate(same) if info.layer == last.layer]
        return same[: places[0] + 1] if places else []

    # -- what comes back ---------------------------------------------------------------------------------

    def _forget(self) -> None:
        self.edges: EdgeAttention | None = None
        self.map: AttentionMap | None = None
        self.words: WordMaps | None = None
        self.heads: HeadGrid | None = None

    def receive(self, slot: str, result: Any) -> None:
        if result is None:
            self.show_message("Nothing was said of your own item.")
            return
        self.show_content()
        self._forget()
        if isinstance(result, EdgeAttention):
            self.edges = result
            self.pages.setCurrentIndex(EDGES)
            self._show_edges(result)
        elif isinstance(result, WordMaps):
            self.words = result
            self.pages.setCurrentIndex(SENTENCE)
            self.sentence.show_maps(result)
            self._pointed_word(None)
        elif isinstance(result, HeadGrid):
            self.heads = result
            self.pages.setCurrentIndex(HEADS)
            self.grid.show_grid(result)
            self._pointed_head(None)
        else:
            self.map = result
            self.pages.setCurrentIndex(MAP)
            ways = ways_of(result)
            self.page.show_map(result, self._chosen if self._chosen in ways else ways[0])
            self._tell("")
        shown = self.pages.currentWidget() or self.pages
        self.hand_keys_to(self.page.shown if shown is self.page else shown)
        self._offer_ways()

    def table(self) -> Table | None:
        if self.edges is not None:
            heads = [f"head {head}" for head in range(len(self.edges.weights))]
            return ("target", "source", "mean", *heads), self.edges.rows()
        if self.map is not None:
            shown = self.map
            return ("query", "key", "weight"), (
                (shown.queries[q], shown.keys[k], float(weight))
                for q, row in enumerate(shown.values)
                for k, weight in enumerate(row.tolist())
            )
        if self.words is not None:
            columns = self.words.weights.shape[2]
            words = enumerate(zip(self.words.words, self.words.weights, strict=True))
            return ("position", "word", "row", "column", "weight"), (
                (position, word, place // columns, place % columns, float(weight))
                for position, (word, weights) in words
                for place, weight in enumerate(weights.flat)
            )
        return None

    def vector_source(self) -> Drawing | None:
        if self.map is not None:
            return self.page.drawing()
        shown: Any = (
            self.around if self.edges is not None else self.sentence if self.words is not None else None
        )
        if self.heads is not None:
            shown = self.grid
        return None if shown is None else Drawing(QSize(shown.width(), shown.height()), shown.paint_all)

    def look(self) -> Any:
        return self.page.heat.look()

    def look_at(self, look: Any) -> None:
        self.page.heat.look_at(look)

    # -- choosers ----------------------------------------------------------------------------------------

    def toggle_heads(self) -> None:
        """All heads of all layers, or back to one."""
        if self.edges is None and self.state.layers("attention"):
            self._choose_way(None if self._chosen == ALL_HEADS else ALL_HEADS)

    def _choose_way(self, way: str | None) -> None:
        self._chosen = way if way in EVERY else None
        self.request_render("control")
        self.choosers.note("way")

    def _roll_out(self, on: bool) -> None:
        self._rolls_out = on
        self.request_render("control")

    def _rollout_options(self) -> list[tuple[str, bool]]:
        there = self._rolls_out or self.head_box.findData("rollout") >= 0
        return [("off" if self._rolls_out else "on", not self._rolls_out)] if there else []

    def _choose_head(self, index: int) -> None:
        self._rolls_out = index == self.head_box.findData("rollout")
        if self._chosen == ALL_HEADS:
            self._chosen = None
        if not self._rolls_out:
            self.state.set_head(index - 1 if index else None)
        self.request_render("control")
        for name in ("way", "rollout"):
            self.choosers.note(name)

    def _open_head(self, layer: int, head: int) -> None:
        if self.heads is not None:
            self._chosen, self._rolls_out = None, False
            self.state.set_layer("attention", self.heads.layers[layer])
            self.state.set_head(head)
            self.request_render("control")
            for name in ("way", "rollout"):
                self.choosers.note(name)

    def _offer_heads(self, heads: int, *, rollout: bool) -> None:
        wanted = ["Mean of all", *(str(head) for head in range(heads)), *(["Rollout"] if rollout else [])]
        if [self.head_box.itemText(place) for place in range(self.head_box.count())] != wanted:
            self.head_box.clear()
            self.head_box.addItems(wanted[: heads + 1])
            if rollout:
                hint = "Layers up to this one multiplied, residual connections included (Abnar, Zuidema 2020)"
                self.head_box.offer({"rollout": (wanted[-1], hint)})
        head = self.state.head
        place = head + 1 if head is not None and head < heads else 0
        self.head_box.setCurrentIndex(len(wanted) - 1 if self._rolls_out and rollout else place)
        self.head_box.setEnabled(len(wanted) > 2)

    def _offer_ways(self) -> None:
        """Of the ways to show attention those that fit what there is."""
        ways = ways_of(self.map) if self.map is not None else ()
        fitting = {*ways, ALL_HEADS} if self.edges is None else set()
        if self.words is not None:
            fitting.add("picture")
        shown = ALL_HEADS if self.heads is not None else "picture" if self.words is not None else None
        if self.map is not None:
            shown = self._chosen if self._chosen in ways else ways[0]
        model: Any = self.way_box.model()
        for place in range(self.way_box.count()):
            way = self.way_box.itemData(place)
            # From all heads one can go to any way; what does not fit falls back to what does.
            model.item(place).setEnabled(way in fitting or (self.heads is not None))
            if way == shown:
                self.way_box.setCurrentIndex(place)
        for widget in (self._way_label, self.way_box):
            widget.setVisible(self.edges is None)
        self.opacity.setVisible(self.map is not None and shown == "picture" and self.map.picture is not None)

    # -- words about it ----------------------------------------------------------------------------------

    def _show_edges(self, edges: EdgeAttention) -> None:
        self.around.show_neighbourhood(neighbourhood(self.state, self.theme, edges))
        self.caption.set_parts(told_edges(self.state, edges))

    def _told_item(self, item: int | None) -> list[str]:
        if item is None:
            return []
        selected = self.state.selection
        other = len(selected) > 0 and int(selected[0]) != item
        return [describe(self.state, item).name, *(["the selected item has no maps"] if other else [])]

    def _tell(self, text: str) -> None:
        shown = self.map
        if shown is None:
            return
        if text:
            self.caption.setText(text)
            return
        whose = [shown.name] if shown.name else self._told_item(shown.item)
        guest = self.state.guest
        said = (
            [f"“{' '.join(guest.sentence)}”"] if shown.name and guest is not None and guest.sentence else []
        )
        parts = [f"{shown.layer}, step {shown.step:,}", *whose, *said]
        self.caption.set_parts([*parts, shown.told_head, *self.page.summary()])

    def _pointed_word(self, index: int | None) -> None:
        shown = self.words
        if shown is None:
            return
        if index is not None:
            weights: npt.NDArray[np.float32] = shown.weights[index]
            row, column = divmod(int(np.argmax(weights)), weights.shape[1])
            self.caption.setText(
                f"before “{shown.words[index]}”: most at row {row}, column {column}: {float(weights.max()):.4f}"
            )
            return
        whose = [shown.name] if shown.name else self._told_item(shown.item)
        self.caption.set_parts([f"{shown.layer}, step {shown.step:,}", *whose, " ".join(shown.words)])

    def _pointed_head(self, cell: tuple[int, int] | None) -> None:
        shown = self.heads
        if shown is None:
            return
        if cell is not None:
            layer, head = cell
            self.caption.setText(f"{shown.layers[layer]}, head {head}: click or Enter shows it large")
            return
        count = sum(len(row) for row in shown.cells)
        parts = [f"step {shown.step:,}", *self._told_item(shown.item)]
        parts += [
            f"{count:,} heads of {len(shown.cells):,} layers",
            "each from its lowest to its highest weight",
        ]
        self.caption.set_parts([*parts, *([] if shown.complete else ["reading …"])])
