"""What is said below a graph."""

from __future__ import annotations

from mmgraph_gui.state import AppState
from mmgraph_gui.views.graph.edges import EdgeStrength
from mmgraph_gui.views.graph.layout import GraphLayout
from mmgraph_gui.views.item_card import describe
from mmgraph_gui.views.points.view import caption_count


def graph_words(
    state: AppState, now: GraphLayout, strength: EdgeStrength | None, kept: tuple[int, int, str] | None
) -> list[str]:
    """Facts in the order of a caption.

    Args:
        strength: what edges weigh, where they do.
        kept: how many nodes and edges a filter by degree lets through, and which nodes those are; None without a
            filter.
    """
    items, links = state.items, now.rows is not None
    nodes, edges = len(now.positions), now.edges.shape[1]
    noun = items.noun if items is not None else ""
    node, edge = ("node", noun or "edge") if links else (noun or "node", "edge")
    shown, shown_edges, which = kept or (nodes, edges, "")
    parts = [caption_count(shown, nodes, node)]
    if kept is not None:
        parts[0] += f", of {which}; {nodes - shown:,} hidden"
    parts.append(
        caption_count(shown_edges, edges, edge) + (", in the colours of the legend" if links else "")
    )
    parts.append(now.how)
    if now.stopped:
        parts.append(f"stopped at {now.step} of {now.steps}")
    elif not now.done:
        left = f", {now.seconds_left:.0f} s left" if now.seconds_left is not None else ""
        parts.append(f"laying out: {now.step} of {now.steps}{left}")
    if len(state.selection):
        parts.append(f"{len(state.selection):,} selected")
    return parts if strength is None else parts + _strength_words(state, strength, links)


def _strength_words(state: AppState, strength: EdgeStrength, links: bool) -> list[str]:
    if strength.answer is None:
        into = " into the selection" if len(state.selection) else ""
        head = "mean of all heads" if strength.head is None else f"head {strength.head}"
        return [f"edges{into} by attention of {strength.info.layer}, {head}"]
    items, (label, probability) = state.items, strength.answer
    if isinstance(label, int):
        names = items.class_names if items is not None else ()
        label = names[label] if label < len(names) else f"class {label}"
    asked = " – ".join(f"node {node}" if links else describe(state, node).name for node in strength.explains)
    return [f"why {asked} is taken for {label} ({probability:.2f})", "wide edges matter most"]
