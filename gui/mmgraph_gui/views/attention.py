"""Attention: what a node attends to on the graph, places of an image before each word, or a heat map of queries."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from mmgraph.analysis import scale_tiles
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.accessible import named
from mmgraph_gui.colouring import colouring_of
from mmgraph_gui.follower import Job
from mmgraph_gui.item_card import describe, thumbnail
from mmgraph_gui.raster import Drawing, colour_parts, to_image
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.layerbox import LayerBox
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.neighbourhood import (
    MOST_NEIGHBOURS,
    Neighbour,
    Neighbourhood,
    NeighbourhoodPicture,
    edges_into,
)
from mmgraph_gui.views.picture import Picture
from mmgraph_gui.views.ramp import Ramp
from mmgraph_gui.views.tiles import NOT_FINITE
from mmgraph_gui.views.word_maps import Pixels, WordMaps, WordMapsPicture, word_maps

NARROWEST_BOX = 72


@dataclass(frozen=True, eq=False)
class EdgeAttention:
    """Weights of the edges into one node under every head.

    Shapes:
        sources (k,) strongest first under the chosen head, weights (heads, k), own (heads,) of the self-loop.
    """

    info: SnapshotInfo
    node: int
    head: int | None
    sources: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    own: npt.NDArray[np.float64]

    def shown(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Those of the chosen head, or the mean of all."""
        chosen = values.mean(axis=0) if self.head is None else values[self.head]
        return np.asarray(chosen)


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """Queries against keys, as numbers (queries, keys) and as a picture."""

    info: SnapshotInfo
    head: int | None
    item: int | None
    values: npt.NDArray[np.float32]
    image: QImage
    low: float
    high: float


class AttentionView(View):
    """Follows the selected item; clicking a neighbour selects it, so one can walk along the graph."""

    name: ClassVar[str] = "attention"
    title: ClassVar[str] = "Attention"
    kinds: ClassVar[tuple[str, ...]] = ("attention",)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "snapshots", "step", "items", "selection", "hover", "colour", "layer"}
    )

    def build(self) -> None:
        self.edges: EdgeAttention | None = None
        self.map: AttentionMap | None = None
        self.words: WordMaps | None = None
        self._asked: tuple[Any, ...] | None = None
        self.layers = LayerBox(self.state, "attention")
        self.head_box = named(QComboBox(), "Attention head", "Which head is shown")
        self.head_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.head_box.activated.connect(lambda index: self.state.set_head(index - 1 if index else None))
        for box in (self.layers, self.head_box):
            box.setMinimumWidth(NARROWEST_BOX)
        for widget in (QLabel("Layer"), self.layers, QLabel("Head"), self.head_box):
            self.controls.addWidget(widget)
        self.controls.addStretch(1)

        self.around = named(NeighbourhoodPicture(self.theme), "What the selected item attends to", "")
        self.around.hovered.connect(self.state.hover)
        self.around.clicked.connect(lambda node, mode: self.state.select([node], mode))
        self.heat = named(Picture(self.theme), "Attention of queries on keys", "")
        self.heat.pointed.connect(self._pointed)
        self.ramp = Ramp()
        heat_page = QWidget()
        beside = QHBoxLayout(heat_page)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.heat, 1)
        beside.addWidget(self.ramp)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.around)
        self.pages.addWidget(heat_page)
        self.sentence = named(WordMapsPicture(self.theme), "Where was looked before each word", "")
        self.sentence.pointed.connect(self._pointed_word)
        self.pages.addWidget(self.sentence)
        self.caption = Caption()
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.caption)

    def render_state(self, changed: Changed) -> None:
        if "run" in changed:
            self.edges, self.map, self.words, self._asked = None, None, None, None
        self.layers.refresh()
        info = self.state.snapshot_at("attention")
        if info is None:
            self._asked = None
            self.cancel("attention")
            self.head_box.setEnabled(False)
            say_missing(self, "attention", "attention")
            return
        heads = info.shape[info.axes.index("heads")]
        self._offer_heads(heads)
        head = self.state.head if self.state.head is not None and self.state.head < heads else None
        selected = int(self.state.selection[0]) if len(self.state.selection) else None
        pictures = None if self.state.items is None else self.state.items.thumbnails
        asked = (info, head, selected, pictures is None)
        if asked != self._asked or ("theme" in changed and "edges" not in info.axes):
            self._asked = asked
            if "edges" in info.axes:
                work: Any = functools.partial(edge_attention, info=info, head=head, node=selected or 0)
            else:
                ramp = self.theme.continuous(np.linspace(0, 1, 256))
                work = functools.partial(
                    attention_map, info=info, head=head, item=selected, colours=ramp, pictures=pictures
                )
            self.ask("attention", [info], work)
        elif changed & {"colour", "items", "theme"} and self.edges is not None:
            self._show_edges(self.edges)
        if "hover" in changed:
            self.around.mark(self.state.hovered)

    def receive(self, slot: str, result: Any) -> None:
        self.show_content()
        if isinstance(result, EdgeAttention):
            self.edges, self.map, self.words = result, None, None
            self.pages.setCurrentIndex(0)
            self._show_edges(result)
        elif isinstance(result, WordMaps):
            self.edges, self.map, self.words = None, None, result
            self.pages.setCurrentIndex(2)
            self.sentence.show_maps(result)
            self._pointed_word(None)
        else:
            self.edges, self.map, self.words = None, result, None
            self.pages.setCurrentIndex(1)
            self.heat.set_image(result.image)
            ramp = self.theme.continuous(np.linspace(1, 0, 256))[:, None]
            self.ramp.show_range(to_image(ramp), f"{result.high:.4g}", f"{result.low:.4g}")
            self._pointed(None, None)

    def table(self) -> Table | None:
        if self.edges is not None:
            heads = [f"head {head}" for head in range(len(self.edges.weights))]
            return ("target", "source", "mean", *heads), _edge_rows(self.edges)
        if self.map is not None:
            values = self.map.values
            rows = [(q, k, float(values[q, k])) for q in range(len(values)) for k in range(values.shape[1])]
            return ("query", "key", "weight"), rows
        if self.words is not None:
            columns = self.words.weights.shape[2]
            words = enumerate(zip(self.words.words, self.words.weights, strict=True))
            return ("position", "word", "row", "column", "weight"), (
                (position, word, place // columns, place % columns, float(weight))
                for position, (word, weights) in words
                for place, weight in enumerate(weights.flat)
            )
        return None

    def vector_source(self) -> Any | None:
        shown = self.around if self.edges is not None else self.sentence if self.words is not None else None
        return None if shown is None else Drawing(QSize(shown.width(), shown.height()), shown.paint_all)

    def _offer_heads(self, heads: int) -> None:
        if self.head_box.count() != heads + 1:
            self.head_box.clear()
            self.head_box.addItems(["Mean of all", *(str(head) for head in range(heads))])
        head = self.state.head
        self.head_box.setCurrentIndex(head + 1 if head is not None and head < heads else 0)
        self.head_box.setEnabled(heads > 1)

    def _show_edges(self, edges: EdgeAttention) -> None:
        colouring = colouring_of(self.state)
        colours = self.theme.colours(colouring) if colouring is not None else np.zeros((0, 3), np.uint8)
        grey = colour_parts(self.theme.category(-1))

        def neighbour(node: int, weight: float) -> Neighbour:
            red, green, blue = colours[node].tolist() if node < len(colours) else grey
            return Neighbour(
                node,
                weight,
                f"#{red:02x}{green:02x}{blue:02x}",
                describe(self.state, node, (f"attention {weight:.4f}",)),
                thumbnail(self.state.items, node),
            )

        weights, sources = edges.shown(edges.weights), edges.sources
        shown = [
            neighbour(int(node), float(weight))
            for node, weight in zip(sources[:MOST_NEIGHBOURS], weights, strict=False)
        ]
        target = neighbour(edges.node, float(edges.shown(edges.own)))
        self.around.show_neighbourhood(Neighbourhood(target, tuple(shown)))
        known = describe(self.state, edges.node)
        total = len(sources)
        count = (
            f"{total:,} neighbours"
            if total <= len(shown)
            else f"{len(shown)} strongest of {total:,} neighbours"
        )
        parts = [
            f"{edges.info.layer}, step {edges.info.step:,}",
            "mean of all heads" if edges.head is None else f"head {edges.head}",
            f"{known.name} attends to {count}",
            "width and colour show the weight",
        ]
        if not len(self.state.selection):
            parts.append("select an item to see its own")
        self.caption.set_parts(parts)

    def _pointed(self, y: int | None, x: int | None) -> None:
        shown = self.map
        if shown is None:
            return
        if y is not None and x is not None:
            self.caption.setText(f"query {y} attends to key {x}: {float(shown.values[y, x]):.4f}")
            return
        parts = [
            f"{shown.info.layer}, step {shown.info.step:,}",
            "mean of all heads" if shown.head is None else f"head {shown.head}",
            f"{shown.values.shape[0]:,} queries (rows) on {shown.values.shape[1]:,} keys (columns)",
        ]
        if shown.item is not None:
            parts.insert(1, describe(self.state, shown.item).title)
        self.caption.set_parts(parts)

    def _pointed_word(self, index: int | None) -> None:
        shown = self.words
        if shown is None:
            return
        if index is not None:
            weights = shown.weights[index]
            row, column = divmod(int(np.argmax(weights)), weights.shape[1])
            self.caption.setText(
                f"before “{shown.words[index]}”: most at row {row}, column {column}: {float(weights.max()):.4f}"
            )
            return
        parts = [f"{shown.info.layer}, step {shown.info.step:,}", describe(self.state, shown.item).name]
        selected = self.state.selection
        if len(selected) and int(selected[0]) != shown.item:
            parts.append("the selected item has no maps")
        parts.append(" ".join(shown.words))
        self.caption.set_parts(parts)


def edge_attention(
    _job: Job | None, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo, head: int | None, node: int
) -> EdgeAttention:
    """The edges into one node of attention on a graph."""
    snapshot = snapshots[0]
    edge_index, weights = snapshot.extras["edge_index"], snapshot.array
    chosen = weights.mean(axis=0) if head is None else weights[head]
    into = np.flatnonzero(edge_index[1] == node)
    sources, _, _ = edges_into(edge_index[:, into], chosen[into], node)
    places = {int(source): int(edge) for source, edge in zip(edge_index[0, into], into, strict=True)}
    columns = [places[source] for source in sources.tolist()]
    loops = into[edge_index[0, into] == node]
    own = weights[:, loops].sum(axis=1) if len(loops) else np.full(len(weights), np.nan)
    return EdgeAttention(
        info, node, head, sources, weights[:, columns].astype(np.float64), own.astype(np.float64)
    )


def attention_map(
    _job: Job | None,
    snapshots: tuple[Snapshot, ...],
    *,
    info: SnapshotInfo,
    head: int | None,
    item: int | None,
    colours: npt.NDArray[np.uint8],
    pictures: Pixels | None = None,
) -> AttentionMap | WordMaps:
    """Attention of queries on keys: of one item where there are several, of one head or the mean of all."""
    snapshot = snapshots[0]
    if {"grid", "words"} <= set(snapshot.notes):
        return word_maps(snapshot, info, item, head, pictures)
    array, shown = snapshot.array, None
    if array.ndim == 4:
        rows = snapshot.extras.get("rows", np.arange(len(array)))
        place = int(np.flatnonzero(rows == item)[0]) if item is not None and (rows == item).any() else 0
        array, shown = array[place], int(rows[place])
    values = (array.mean(axis=0) if head is None else array[head]).astype(np.float32)
    scaled, limits = scale_tiles(values[None], "each")
    pixels = colours[np.rint(np.nan_to_num(scaled[0]) * 255).astype(np.intp)]
    pixels[np.isnan(scaled[0])] = NOT_FINITE
    return AttentionMap(info, head, shown, values, to_image(pixels), *limits[0].tolist())


def _edge_rows(edges: EdgeAttention) -> Iterator[tuple[object, ...]]:
    if np.isfinite(edges.own).any():
        yield edges.node, edges.node, float(edges.own.mean()), *edges.own.tolist()
    for source, weights in zip(edges.sources.tolist(), edges.weights.T, strict=True):
        yield edges.node, source, float(weights.mean()), *weights.tolist()
