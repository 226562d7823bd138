"""The items that the model is most wrong about."""

from __future__ import annotations

import numpy as np

from mmgraph.analysis.outcomes import Outcomes, judge
from mmgraph.report.between import Between, nobody_asks
from mmgraph.report.embedding import items_of
from mmgraph.report.markup import Markup, element
from mmgraph.report.pictures import data_uri, upscaled
from mmgraph.runs import ItemSet, RunReader

MOST_ITEMS = 24
_SIDE = 84
_LETTERS = 160


def most_wrong(reader: RunReader, between: Between = nobody_asks) -> list[Markup]:
    """Items with a known label that were predicted wrongly, the most surprising first."""
    recorded = [info for info in reader.snapshots(kind="prediction") if 0 not in info.shape]
    if not recorded:
        return []
    snapshot = reader.load(recorded[-1])
    items, rows = items_of(reader, snapshot)
    if items is None or items.labels is None:
        return []
    between()
    outcomes = judge(snapshot.array, items.labels[rows])
    order = [int(row) for row in outcomes.most_wrong() if outcomes.wrong[row]]
    known = int((outcomes.labels >= 0).sum())
    if not known:
        return []
    if not order:
        return [element("p", f"All {known:,} {items.noun}s with a known label are predicted rightly.")]
    text = f"{len(order):,} of {known:,} {items.noun}s with a known label are predicted wrongly "
    text += f"at step {recorded[-1].step:,}"
    text += f"; the {MOST_ITEMS} worst of them:" if len(order) > MOST_ITEMS else ":"
    cards = []
    for row in order[:MOST_ITEMS]:
        between()
        cards.append(_card(items, int(rows[row]), row, outcomes))
    return [element("p", text, class_="note"), element("ul", *cards, class_="gallery")]


def _card(items: ItemSet, row: int, place: int, outcomes: Outcomes) -> Markup:
    def name(code: int) -> str:
        return items.class_names[code] if 0 <= code < len(items.class_names) else str(code)

    true = name(int(outcomes.labels[place]))
    confidence = outcomes.confidences[place]
    said = "no finite output" if np.isnan(confidence) else name(int(outcomes.predictions[place]))
    number = row if items.ids is None else int(items.ids[row])
    split = ""
    if items.splits is not None and 0 <= items.splits[row] < len(items.split_names):
        split = items.split_names[int(items.splits[row])]
    picture = None
    if items.thumbnails is not None:
        small = upscaled(items.thumbnails[row], _SIDE)
        alt = f"{items.noun} {number}"
        picture = element("img", src=data_uri(small), width=small.width, height=small.height, alt=alt)
    text = None
    if items.texts is not None:
        whole = items.texts[row]
        text = element("blockquote", whole if len(whole) <= _LETTERS else whole[:_LETTERS].rstrip() + " …")
    return element(
        "li",
        picture,
        text,
        element("div", "says ", element("b", said), None if np.isnan(confidence) else f", {confidence:.0%}"),
        element("div", "is ", element("b", true)),
        element("div", " · ".join(part for part in (f"{items.noun} {number}", split) if part), class_="note"),
        class_="textual" if text is not None else None,
    )
