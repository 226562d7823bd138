"""One map of attention in the way that was chosen: a heat map, words joined by lines, or laid over a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.raster import Drawing, to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.attention.maps import AttentionMap
from mmgraph_gui.views.attention.patch_overlay import PatchOverlay
from mmgraph_gui.views.attention.token_links import MOST_TOKENS, TokenLinks
from mmgraph_gui.views.attention.word_maps import WordMaps, WordMapsPicture
from mmgraph_gui.views.heat import Heat
from mmgraph_gui.views.heat_picture import Matrix
from mmgraph_gui.views.picture import Picture
from mmgraph_gui.views.ramp import Ramp

MOST_NAMED = 48
"""Tokens along a side whose names are written beside the map."""

WAYS = {
    "map": ("Map", "Queries (rows) on keys (columns)"),
    "words": ("Words", "Lines from each query to the keys it looks at"),
    "frames": ("On the frames", "The frames of a clip, the brighter the more is looked at them"),
    "picture": ("On the picture", "How much is looked at each place, laid over the picture"),
}


class MapPage(QStackedWidget):
    """Shows a map; says in words what is pointed at.

    Signals:
        told(text): about the query or key under the mouse; empty for nothing in particular.
    """

    told = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.map: AttentionMap | None = None
        self.heat = named(Picture(theme), "Attention of queries on keys", "")
        self.heat.pointed.connect(self._tell_pair)
        self.ramp = Ramp()
        heat_page = QWidget()
        beside = QHBoxLayout(heat_page)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.heat, 1)
        beside.addWidget(self.ramp)
        self.named_heat = named(Heat(theme), "Attention of named queries on keys", "")
        self.named_heat.pointed.connect(self._tell_pair)
        self.links = named(TokenLinks(theme), "Which words look at which", "")
        self.links.pointed.connect(self._tell_query)
        self._scroll = named(QScrollArea(), "Map of attention", "")
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(self.links)
        self.overlay = named(PatchOverlay(theme), "Attention over the places of a picture", "")
        self.overlay.pointed.connect(self._tell_place)
        self.overlay.chosen.connect(lambda: self._tell_place(None, None))
        self.strip = named(WordMapsPicture(theme), "Attention over the frames of a clip", "")
        self.strip.pointed.connect(self._tell_frame)
        for page in (heat_page, self.named_heat, self._scroll, self.overlay, self.strip):
            self.addWidget(page)

    def show_map(self, shown: AttentionMap, way: str) -> None:
        """Show a map in one of `ways_of` it."""
        self.map = shown
        if way == "frames":
            weights = shown.values.mean(axis=0)
            words = tuple(
                f"{key} · {float(weight):.3f}" for key, weight in zip(shown.keys, weights, strict=True)
            )
            self.strip.show_maps(
                WordMaps(shown.layer, shown.step, shown.item, words, weights[:, None, None], shown.frames)
            )
            self.setCurrentWidget(self.strip)
        elif way == "picture":
            self.overlay.show_map(shown)
            self.setCurrentWidget(self.overlay)
        elif way == "words":
            self.links.show_map(shown)
            self.setCurrentWidget(self._scroll)
        elif shown.named and max(shown.values.shape) <= MOST_NAMED:
            matrix = Matrix.of(shown.values.astype(np.float64), (), shown.queries, shown.keys)
            self.named_heat.show_matrix(matrix)
            self.setCurrentWidget(self.named_heat)
        else:
            self.heat.set_image(shown.image)
            ramp = self._theme.continuous(np.linspace(1, 0, 256))[:, None]
            self.ramp.show_range(to_image(ramp), f"{shown.high:.4g}", f"{shown.low:.4g}")
            self.setCurrentIndex(0)

    @property
    def shown(self) -> QWidget:
        """The picture that is shown now, which takes the keys."""
        return (self.heat, self.named_heat, self.links, self.overlay, self.strip)[self.currentIndex()]

    def drawing(self) -> Drawing | None:
        """What is shown, as vectors; None where it is pixels."""
        if self.currentWidget() is self.named_heat:
            return self.named_heat.drawing()
        widget: Any = {2: self.links, 3: self.overlay, 4: self.strip}.get(self.currentIndex())
        if widget is None:
            return None
        return Drawing(QSize(widget.width(), widget.height()), widget.paint_all)

    def summary(self) -> list[str]:
        """What is shown, in words."""
        shown = self.map
        if shown is None:
            return []
        if self.currentWidget() is self.overlay:
            return [self.overlay.told_query()]
        if self.currentWidget() is self.strip:
            return [f"{len(shown.keys):,} frames"]
        sides = ("left", "right") if self.currentWidget() is self._scroll else ("rows", "columns")
        queries, keys = shown.values.shape
        return [f"{queries:,} queries ({sides[0]}) on {keys:,} keys ({sides[1]})"]

    def _tell_pair(self, y: int | None, x: int | None) -> None:
        shown = self.map
        if shown is None or y is None or x is None:
            self.told.emit("")
            return
        names = f"“{shown.queries[y]}”", f"“{shown.keys[x]}”"
        query, key = names if shown.named else (f"query {y}", f"key {x}")
        verb = "goes back to" if shown.layers else "attends to"
        self.told.emit(f"{query} {verb} {key}: {float(shown.values[y, x]):.4f}")

    def _tell_query(self, query: int | None) -> None:
        shown = self.map
        if shown is None or query is None or not np.isfinite(shown.values[query]).any():
            self.told.emit("")
            return
        best = np.argsort(-np.nan_to_num(shown.values[query], nan=-np.inf))[:3]
        most = ", ".join(
            f"“{shown.keys[key]}” {float(shown.values[query, key]):.3f}" for key in best.tolist()
        )
        self.told.emit(f"“{shown.queries[query]}” looks most at {most}")

    def _tell_frame(self, frame: int | None) -> None:
        shown = self.map
        if shown is None or frame is None:
            self.told.emit("")
            return
        weights = shown.values.mean(axis=0)
        weight, mean = float(weights[frame]), float(weights.mean())
        times = f", {weight / mean:.2f} times the mean" if mean > 0 else ""
        self.told.emit(f"{shown.keys[frame]}: {weight:.4f}{times}")

    def _tell_place(self, row: int | None, column: int | None) -> None:
        if row is None or column is None:
            self.told.emit("")
            return
        weight = float(self.overlay.weights()[row, column])
        self.told.emit(f"{self.overlay.told_query()} · row {row}, column {column}: {weight:.4f}")


def ways_of(shown: AttentionMap) -> tuple[str, ...]:
    """In which ways a map can be shown, the most telling first."""
    ways = ["map"]
    if max(shown.values.shape, default=0) <= MOST_TOKENS and shown.named:
        ways.insert(0, "words")
    if shown.places is not None:
        ways.insert(0, "picture")
    if shown.frames:
        ways.insert(0, "frames")
    return tuple(ways)
