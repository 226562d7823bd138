"""How each head shares out its attention over the edges of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.report.between import Between, nobody_asks
from mmgraph.report.embedding import items_of
from mmgraph.report.markup import Markup, element
from mmgraph.runs import RunReader, SnapshotInfo

_BINS = 20
_MOST_HEADS = 16
_WIDTH, _HEIGHT = 150, 76


def attentions(reader: RunReader, between: Between = nobody_asks) -> list[Markup]:
    """The last edge attention of each layer."""
    recorded = [info for info in reader.snapshots(kind="attention") if info.axes == ("heads", "edges")]
    return [_figure(reader, info, between) for info in {info.layer: info for info in recorded}.values()]


def focus(weights: npt.NDArray[Any], targets: npt.NDArray[Any]) -> float:
    """How far attention is from an even share, averaged over nodes with at least two edges.

    1 − (1/n) Σᵢ H(αᵢ) / ln dᵢ,   H(αᵢ) = −Σⱼ αᵢⱼ ln αᵢⱼ

    0: every neighbour counts alike; 1: one neighbour counts alone; NaN where no node has two edges.

    Shapes:
        weights (edges,) that sum to 1 over the edges into a node, targets (edges,) -> number.
    """
    return _focus(weights, *_grouped(targets))


def _grouped(targets: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The place of each edge's target among all targets, and how many edges each has."""
    _, place, degrees = np.unique(targets, return_inverse=True, return_counts=True)
    return place, degrees


def _focus(weights: npt.NDArray[Any], place: npt.NDArray[np.intp], degrees: npt.NDArray[np.intp]) -> float:
    weights = np.asarray(weights, dtype=np.float64)
    logarithms = np.log(weights, where=weights > 0, out=np.zeros(len(weights)))
    entropy = np.bincount(place, weights=-weights * logarithms, minlength=len(degrees))
    several = degrees > 1
    if not several.any():
        return float("nan")
    return float(1 - (entropy[several] / np.log(degrees[several])).mean())


def _figure(reader: RunReader, info: SnapshotInfo, between: Between) -> Markup:
    between()
    snapshot = reader.load(info)
    weights = snapshot.array
    edges = snapshot.extras.get("edge_index")
    items, _ = items_of(reader, snapshot) if "rows" in snapshot.extras else (_items(reader, info), None)
    labels = None if items is None else items.labels
    heads = min(len(weights), _MOST_HEADS)
    small = []
    for head in range(heads):
        between()
        small.append(_histogram(weights[head], head))
    notes = [
        f"{weights.shape[1]:,} edges; bars count edges by weight, on a scale of square roots",
        "focus is 0 where all neighbours count alike and 1 where one counts alone",
    ]
    if heads < len(weights):
        notes.append(f"{heads} of {len(weights)} heads shown")
    table = None
    if edges is not None and edges.shape == (2, weights.shape[1]) and weights.shape[1]:
        table = _table(weights[:heads], edges, labels, between)
    return element(
        "figure",
        element("h3", info.layer, element("small", f" step {info.step:,}")),
        element("div", *small, class_="heads"),
        table,
        element("figcaption", "; ".join(notes), "."),
        class_="panel",
    )


def _items(reader: RunReader, info: SnapshotInfo) -> Any:
    return reader.items(info.items) if info.items in reader.item_names() and info.items else None


def _table(
    weights: npt.NDArray[Any], edges: npt.NDArray[Any], labels: npt.NDArray[Any] | None, between: Between
) -> Markup:
    source, target = edges
    loops = source == target
    place, degrees = _grouped(target)
    nodes = max(len(degrees), 1)
    columns = ["head", "focus"]
    if loops.any():
        columns.append("to the node itself")
    same = None
    if labels is not None and edges.max(initial=-1) < len(labels):
        known = ~loops & (labels[source] >= 0) & (labels[target] >= 0)
        same = known & (labels[source] == labels[target])
        if known.any():
            columns.append(f"to the same class ({same.sum() / known.sum():.0%} of edges)")
        else:
            same = None
    rows = []
    for head, values in enumerate(weights):
        between()
        finite = np.where(np.isfinite(values), values, 0.0)
        value = _focus(finite, place, degrees)
        between()
        cells = [str(head + 1), "–" if np.isnan(value) else f"{value:.2f}"]
        if loops.any():
            cells.append(f"{finite[loops].sum() / nodes:.0%}")
        if same is not None:
            total = float(finite[known].sum())
            cells.append(f"{finite[same].sum() / total:.0%}" if total > 0 else "–")
        rows.append(
            element("tr", element("th", cells[0], scope="row"), *(element("td", c) for c in cells[1:]))
        )
    head_row = element("tr", *(element("th", name, scope="col") for name in columns))
    return element(
        "table",
        element("caption", "Where the attention of each head goes"),
        element("thead", head_row),
        element("tbody", *rows),
        class_="plain",
    )


def _histogram(weights: npt.NDArray[Any], head: int) -> Markup:
    finite = weights[np.isfinite(weights)].astype(np.float64)
    top = max(float(finite.max(initial=0.0)), 1e-12)
    counts, borders = np.histogram(finite, bins=_BINS, range=(min(0.0, float(finite.min(initial=0.0))), top))
    floor, room = _HEIGHT - 16, _HEIGHT - 18
    # Square roots: most edges are weak, and the few strong ones are what matters.
    heights = np.sqrt(counts / max(int(counts.max()), 1)) * room
    width = _WIDTH / _BINS
    bars = [
        element(
            "rect",
            element("title", f"{count:,} edges from {low:.2g} to {high:.2g}"),
            x=f"{index * width:.1f}",
            y=f"{floor - height:.1f}",
            width=f"{width - 1:.1f}",
            height=f"{height:.1f}",
        )
        for index, (count, height, low, high) in enumerate(
            zip(counts.tolist(), heights.tolist(), borders[:-1], borders[1:], strict=True)
        )
        if count
    ]
    middle = float(np.median(finite)) if len(finite) else float("nan")
    text = f"Head {head + 1}: half of the weights are below {middle:.2g}, the largest is {top:.2g}."
    return element(
        "svg",
        element("title", text),
        *bars,
        element("line", x1=0, x2=_WIDTH, y1=floor, y2=floor, class_="axis"),
        element("text", f"head {head + 1}", x=_WIDTH, y=10, text_anchor="end", class_="name"),
        element("text", f"{borders[0]:.2g}", x=0, y=_HEIGHT - 3),
        element("text", f"{top:.2g}", x=_WIDTH, y=_HEIGHT - 3, text_anchor="end"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        class_="histogram",
    )
