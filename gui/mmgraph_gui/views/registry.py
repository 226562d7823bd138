"""Which views there are, and which of them shows a kind of snapshot. Modules are imported when a view is needed."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import cast

from mmgraph import plugins
from mmgraph_gui.views import View


@dataclass(frozen=True)
class ViewSpec:
    """Where a view lives and what menus say before it is imported.

    Args:
        where: module below `mmgraph_gui.views` and class.
        plugin: where the view comes from another package, its entry point.
    """

    name: str
    title: str
    where: str = ""
    kinds: tuple[str, ...] = ()
    plugin: plugins.Plugin | None = None

    def load(self) -> type[View]:
        """Import the view.

        Raises:
            TypeError: what a package registered is no view.
        """
        if self.plugin is None:
            name, class_name = self.where.split(":")
            module = importlib.import_module(f"mmgraph_gui.views.{name}")
            return cast("type[View]", getattr(module, class_name))
        loaded = self.plugin.load()
        if not (isinstance(loaded, type) and issubclass(loaded, View)):
            raise TypeError(f"a view is a subclass of mmgraph_gui.views.View, not {loaded!r}")
        return loaded


VIEW_SPECS = (
    ViewSpec("metrics", "Metrics", "metrics:MetricsView"),
    ViewSpec("embedding", "Embedding", "embedding.view:EmbeddingView", ("embedding",)),
    ViewSpec("filters", "Filters", "filters.view:FilterView", ("filters", "feature_maps")),
    ViewSpec("attention", "Attention", "attention.view:AttentionView", ("attention",)),
    ViewSpec("graph", "Graph", "graph.view:GraphView", ("graph",)),
    ViewSpec("items", "Items", "items.view:ItemsView", ("prediction",)),
    ViewSpec("matrix", "Matrix", "matrix.view:MatrixView", ("matrix",)),
    ViewSpec("pairs", "Pairs", "pairs.view:PairsView", ("pairs",)),
    ViewSpec("log", "Log", "log:LogView"),
    ViewSpec("model", "Model", "model.view:ModelView", ("histograms",)),
)
"""The views, in the order of tabs and keys."""

VIEW_FOR_KIND = {kind: spec.name for spec in VIEW_SPECS for kind in spec.kinds}
"""Name of the view that shows a kind of snapshot, as the window's index knows it (see `snapshot_index`)."""


def view_key(number: int) -> str:
    """The key that shows a view, by its place from 1 on; empty beyond the eighteenth."""
    if number < 10:
        return f"Ctrl+{number}"
    return f"Ctrl+Shift+{number - 9}" if number < 19 else ""


def plugin_specs() -> tuple[list[ViewSpec], list[str]]:
    """Views that other packages add, and a sentence about each that is left out for its name."""
    taken = {spec.name for spec in VIEW_SPECS}
    found, left_out = [], []
    for plugin in plugins.plugins(plugins.VIEWS):
        if plugin.name in taken:
            left_out.append(plugins.failure("view", plugin, f"there is a view '{plugin.name}' already"))
            continue
        taken.add(plugin.name)
        title = plugin.name.replace("-", " ").replace("_", " ")
        found.append(ViewSpec(plugin.name, title[:1].upper() + title[1:], plugin=plugin))
    return found, left_out
