"""Pairs and triplets as a table."""

from __future__ import annotations

from collections.abc import Iterator

from mmgraph.runs import ItemSet
from mmgraph_gui.state.branches import Branches
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.views.item_card import class_name


def branch_columns(read: Branches) -> list[str]:
    """Names of the columns of a table of pairs or triplets."""
    items = [f"{name} {what}" for name in read.names for what in ("row", "id", "label")]
    further = ("distance", "is similar", "judged similar")
    return items + [f"{name} {what}" for name in read.names[1:] for what in further]


def branch_rows(read: Branches, order: Rows, items: ItemSet | None) -> Iterator[tuple[object, ...]]:
    """The values of those columns, for these rows."""
    ids = None if items is None else items.ids
    labels = None if items is None else items.labels
    judged = read.judged
    for row in order.tolist():
        values: list[object] = []
        for item in read.rows[row].tolist():
            known = items is not None and 0 <= item < len(items)
            values.append(item)
            values.append(int(ids[item]) if known and ids is not None else item)
            values.append(class_name(items, int(labels[item])) if known and labels is not None else "")
        for branch in range(read.distances.shape[1]):
            values += [float(read.distances[row, branch]), bool(read.similar[row, branch])]
            values.append("" if judged is None else bool(judged[row, branch]))
        yield tuple(values)
