"""What can be asked of a graph: who is near, how one gets from here to there, who is looked at most; and GraphML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from mmgraph.runs import ItemSet
from mmgraph_gui.state.prediction import Prediction
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.views.item_card import class_name

LINES_AT_ONCE = 1000

Edges = npt.NDArray[np.int64]


def with_neighbours(edges: Edges, nodes: int, selected: Rows) -> Rows:
    """The selected nodes and all that an edge joins to one of them."""
    chosen = np.zeros(nodes, dtype=bool)
    chosen[selected[selected < nodes]] = True
    reached = chosen.copy()
    reached[edges[1, chosen[edges[0]]]] = True
    reached[edges[0, chosen[edges[1]]]] = True
    return np.flatnonzero(reached)


def shortest_path(edges: Edges, nodes: int, start: int, end: int) -> Rows | None:
    """Nodes from one to another along the fewest edges; None where there is no way. Of several ways one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order

    ones = np.ones(edges.shape[1], dtype=np.int8)
    matrix = coo_array((ones, (edges[0], edges[1])), shape=(nodes, nodes)).tocsr()
    before = breadth_first_order(matrix, start, directed=False)[1]
    way = [end]
    while way[-1] != start:
        if before[way[-1]] < 0:
            return None
        way.append(int(before[way[-1]]))
    return np.array(way[::-1], dtype=np.int64)


def degrees(edges: Edges, nodes: int) -> Rows:
    """Number of edges at each node."""
    return np.bincount(edges.ravel(), minlength=nodes)


def attention_received(
    edges: Edges, strength: npt.NDArray[np.floating[Any]], nodes: int
) -> npt.NDArray[np.float64]:
    """Weights of the edges out of each node, added up: how much the others look at it."""
    received: npt.NDArray[np.float64] = np.zeros(nodes)
    np.add.at(received, edges[0], strength)
    return received


def write_graphml(
    path: Path,
    positions: npt.NDArray[np.floating[Any]],
    edges: Edges,
    items: ItemSet | None,
    prediction: Prediction | None,
    progress: Callable[[float], object] = lambda _: None,
) -> None:
    """Write nodes with place, label and prediction, and edges, as Gephi, yEd and networkx read them.

    Args:
        progress: called now and then with the share that is written.
    """
    total = len(positions) + edges.shape[1]
    labels = items.labels if items is not None else None
    ids = items.ids if items is not None else None
    keys = {"x": "double", "y": "double", "id": "long", "label": "string", "prediction": "string"}
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write('<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        for key, kind in keys.items():
            file.write(f'<key id="{key}" for="node" attr.name="{key}" attr.type="{kind}"/>\n')
        file.write('<graph edgedefault="undirected">\n')
        for node, (x, y) in enumerate(positions.tolist()):
            if node % LINES_AT_ONCE == 0:
                progress(node / total)
            data = {"x": f"{x:.6g}", "y": f"{y:.6g}"}
            if ids is not None and node < len(ids):
                data["id"] = str(int(ids[node]))
            if labels is not None and node < len(labels):
                data["label"] = class_name(items, int(labels[node]))
            if prediction is not None and node < len(prediction.classes):
                data["prediction"] = class_name(items, int(prediction.classes[node]))
            parts = "".join(
                f'<data key="{key}">{_text(value)}</data>' for key, value in data.items() if value
            )
            file.write(f'<node id="n{node}">{parts}</node>\n')
        for number, (source, target) in enumerate(edges.T.tolist(), start=len(positions)):
            if number % LINES_AT_ONCE == 0:
                progress(number / total)
            file.write(f'<edge source="n{source}" target="n{target}"/>\n')
        file.write("</graph>\n</graphml>\n")


def _text(value: str) -> str:
    """Without what XML cannot hold."""
    return escape("".join(letter for letter in value if letter >= " " or letter in "\t\n"))
