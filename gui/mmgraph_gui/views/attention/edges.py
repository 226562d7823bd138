"""Attention on the edges of a graph: what one node attends to, under every head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.drawing.raster import colour_parts
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state import AppState
from mmgraph_gui.state.colouring import colouring_of
from mmgraph_gui.views.attention.neighbourhood import MOST_NEIGHBOURS, Neighbour, Neighbourhood, edges_into
from mmgraph_gui.views.graph.edges import edges_of
from mmgraph_gui.views.item_card import describe, thumbnail


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

    def rows(self) -> Iterator[tuple[object, ...]]:
        """(target, source, mean, each head …) of each edge."""
        if np.isfinite(self.own).any():
            yield self.node, self.node, float(self.own.mean()), *self.own.tolist()
        for source, weights in zip(self.sources.tolist(), self.weights.T, strict=True):
            yield self.node, source, float(weights.mean()), *weights.tolist()


def edge_attention(
    _job: Job | None, snapshots: tuple[Snapshot, ...], *, info: SnapshotInfo, head: int | None, node: int
) -> EdgeAttention:
    """The edges into one node of attention on a graph."""
    snapshot = snapshots[0]
    edge_index, weights = edges_of(snapshot), snapshot.array
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


def neighbourhood(state: AppState, theme: Theme, edges: EdgeAttention) -> Neighbourhood:
    """The strongest neighbours in the colours and with the pictures of the window."""
    colouring = colouring_of(state)
    colours = theme.colours(colouring) if colouring is not None else np.zeros((0, 3), np.uint8)
    grey = colour_parts(theme.category(-1))

    def neighbour(node: int, weight: float) -> Neighbour:
        red, green, blue = colours[node].tolist() if node < len(colours) else grey
        return Neighbour(
            node,
            weight,
            f"#{red:02x}{green:02x}{blue:02x}",
            describe(state, node, (f"attention {weight:.4f}",)),
            thumbnail(state.items, node),
        )

    weights = edges.shown(edges.weights)
    strongest = zip(edges.sources[:MOST_NEIGHBOURS].tolist(), weights.tolist(), strict=False)
    target = neighbour(edges.node, float(edges.shown(edges.own)))
    return Neighbourhood(target, tuple(neighbour(node, weight) for node, weight in strongest))


def told_edges(state: AppState, edges: EdgeAttention) -> list[str]:
    """The same in words."""
    total, shown = len(edges.sources), min(len(edges.sources), MOST_NEIGHBOURS)
    count = f"{total:,} neighbours" if total <= shown else f"{shown} strongest of {total:,} neighbours"
    parts = [
        f"{edges.info.layer}, step {edges.info.step:,}",
        "mean of all heads" if edges.head is None else f"head {edges.head}",
        f"{describe(state, edges.node).name} attends to {count}",
        "width and colour show the weight",
    ]
    if not len(state.selection):
        parts.append("select an item to see its own")
    return parts
