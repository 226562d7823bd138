"""Answers that any model can give, whatever the recipe."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmgraph.analysis.neighbours import NeighbourIndex
from mmgraph.errors import InputError, UnknownNameError
from mmgraph.inspection.examined import Answer, Examined, Report
from mmgraph.inspection.saliency import grad_cam, occlusion
from mmgraph.inspection.units import activations, maximise, top_items
from mmgraph.questions import (
    AboutItem,
    Activations,
    Attention,
    GradCAM,
    Locate,
    Maximise,
    Occlusion,
    Question,
    TopItems,
)
from mmgraph.runs import Snapshot

LIKELIEST = 5


def answer(question: Question, examined: Examined, report: Report) -> Answer:
    """Answer a question about a model.

    Raises:
        InputError: the model cannot answer that, or not about this item.
        UnknownNameError: there is no such layer.
    """
    if isinstance(question, Locate):
        return locate(question, examined)
    if isinstance(question, Attention):
        return attention(question, examined)
    if isinstance(question, Activations):
        return activations(question, examined)
    if isinstance(question, TopItems):
        return top_items(question, examined, report)
    if isinstance(question, Maximise):
        return maximise(question, examined, report)
    if isinstance(question, GradCAM):
        return grad_cam(question, examined)
    if isinstance(question, Occlusion):
        return occlusion(question, examined, report)
    raise InputError(f"This recipe cannot answer '{question.kind}'.")


def locate(question: Locate, examined: Examined) -> Answer:
    """The vector of an item in each embedding, what is predicted of it, and the recorded items nearest to it.

    Distances are Euclidean, in the space of the layer.
    """
    known = {snapshot.layer: snapshot for snapshot in examined.recorded if snapshot.kind == "embedding"}
    if not known:
        raise InputError("This recipe cannot answer that: its model records no embedding.")
    layer = question.layer or list(known)[-1]
    if layer not in known:
        raise UnknownNameError.of("embedding", layer, known)
    seen, shown = _seen(question, examined)
    vector = next((some for some in seen if some.kind == "embedding" and some.layer == layer), None)
    if vector is None:
        raise InputError(f"'{layer}' gave no vector for this item.")
    facts: dict[str, Any] = {"layer": layer, **_predicted(seen, examined)}
    if question.k:
        facts["neighbours"] = _nearest(vector.array, known[layer], question)
    kept = [some for some in seen if some.kind in ("embedding", "prediction")]
    return Answer(facts, (*kept, *shown))


def attention(question: Attention, examined: Examined) -> Answer:
    """Who attends to whom in an item, in every layer that attends."""
    found, shown = _seen(question, examined)
    seen = [some for some in found if some.kind == "attention"]
    if not seen:
        raise InputError("This recipe cannot answer that: no layer of its model attends to anything.")
    return Answer({"layers": [some.layer for some in seen]}, (*seen, *shown))


def _seen(question: AboutItem, examined: Examined) -> tuple[list[Snapshot], tuple[Snapshot, ...]]:
    """What is seen in one item, of a graph its row of all that is; and the item itself."""
    if examined.is_graph:
        row = examined.row_of(question)
        found = [
            Snapshot(some.kind, some.layer, some.array[row : row + 1], some.axes)
            for some in examined.recorded
            if some.axes[0] == "items" and "rows" not in some.extras
        ]
        return found, ()
    brought = examined.brought(question)
    return examined.look(brought.inputs), brought.shown


def _nearest(vector: np.ndarray[Any, Any], known: Snapshot, question: Locate) -> list[dict[str, Any]]:
    rows = known.extras.get("rows", np.arange(len(known.array)))
    kept = np.flatnonzero(np.isfinite(known.array).all(axis=1) & (rows != question.row))
    if not np.isfinite(vector).all() or not len(kept):
        return []
    found = NeighbourIndex(known.array[kept]).search(vector, min(question.k, len(kept)))
    return [
        {"row": int(rows[kept[place]]), "distance": float(distance)}
        for place, distance in zip(found.indices[0], found.distances[0], strict=True)
    ]


def _predicted(seen: list[Snapshot], examined: Examined) -> dict[str, Any]:
    """The likeliest classes, where the model tells classes apart."""
    found = next((some.array[0] for some in seen if some.kind == "prediction"), None)
    names = examined.classes
    if found is None or not names or len(found) != len(names):
        return {}
    order = np.argsort(-found, kind="stable")[:LIKELIEST]
    return {
        "classes": [
            {"class": names[number], "number": int(number), "probability": float(found[number])}
            for number in order
        ]
    }
