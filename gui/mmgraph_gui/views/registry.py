"""Which views there are, and which of them shows a kind of snapshot. Modules are imported when a view is needed."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import cast

from mmgraph_gui.views import View


@dataclass(frozen=True)
class ViewSpec:
    """Where a view lives and what menus say before it is imported."""

    name: str
    title: str
    class_name: str
    kinds: tuple[str, ...] = ()

    def load(self) -> type[View]:
        """Import the view."""
        module = importlib.import_module(f"mmgraph_gui.views.{self.name}")
        return cast("type[View]", getattr(module, self.class_name))


VIEW_SPECS = (
    ViewSpec("metrics", "Metrics", "MetricsView"),
    ViewSpec("embedding", "Embedding", "EmbeddingView", ("embedding",)),
    ViewSpec("filters", "Filters", "FilterView", ("filters", "feature_maps")),
    ViewSpec("attention", "Attention", "AttentionView", ("attention",)),
    ViewSpec("graph", "Graph", "GraphView", ("graph",)),
    ViewSpec("items", "Items", "ItemsView", ("prediction",)),
    ViewSpec("matrix", "Matrix", "MatrixView", ("matrix",)),
    ViewSpec("pairs", "Pairs", "PairsView", ("pairs",)),
    ViewSpec("log", "Log", "LogView"),
)
"""The views, in the order of tabs and keys."""

VIEW_FOR_KIND = {kind: spec.name for spec in VIEW_SPECS for kind in spec.kinds}
"""Name of the view that shows a kind of snapshot, as the window's index knows it (see `snapshot_index`)."""
