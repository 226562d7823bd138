"""Items: the selected ones, or all with the most wrong first."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout

from mmgraph.analysis import judge
from mmgraph.runs import Snapshot
from mmgraph_gui.accessible import named
from mmgraph_gui.follower import Job
from mmgraph_gui.item_card import ROW_COLUMNS, row_values
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.gallery import Gallery

SHOWN = {
    "selection": ("Selection, else all", "The selected items; all where none is selected"),
    "all": ("All", "All items"),
    "wrong": ("Wrong only", "Items whose prediction differs from their label"),
}
ORDERS = {
    "wrong": ("Most wrong first", "By falling loss −ln p(label)"),
    "unsure": ("Least confident first", "By rising probability of the predicted class"),
    "row": ("As in the data set", "By row number"),
}


@dataclass(frozen=True, eq=False)
class Order:
    """Rows in the order in which they are shown.

    Args:
        of: how many items there are to choose from.
        judged: whether predictions were there to sort by.
        n_wrong: how many of all items are predicted wrongly; n_known: how many could be judged.
    """

    rows: npt.NDArray[np.int64]
    of: int
    judged: bool
    n_wrong: int
    n_known: int


class ItemsView(View):
    """A gallery; clicking selects for every view."""

    name: ClassVar[str] = "items"
    title: ClassVar[str] = "Items"
    kinds: ClassVar[tuple[str, ...]] = ("prediction",)
    topics: ClassVar[frozenset[str]] = frozenset({"run", "items", "selection", "colour", "hover"})

    def build(self) -> None:
        self.order: Order | None = None
        self._own_selection = False
        self.shown_box = named(QComboBox(), "Which items are shown")
        self.order_box = named(QComboBox(), "Order of the items")
        for box, choices in ((self.shown_box, SHOWN), (self.order_box, ORDERS)):
            for key, (text, hint) in choices.items():
                box.addItem(text, key)
                box.setItemData(box.count() - 1, hint, Qt.ItemDataRole.ToolTipRole)
            box.setMinimumWidth(72)
            box.activated.connect(lambda _: self.request_render("control"))
        for widget in (QLabel("Show"), self.shown_box, QLabel("Order"), self.order_box):
            self.controls.addWidget(widget)
        self.controls.addStretch(1)
        self.gallery = named(Gallery(self.state, self.theme), "Items", "")
        self.gallery.hovered.connect(self.state.hover)
        self.gallery.clicked_row.connect(self._choose)
        self.caption = Caption()
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.gallery, 1)
        layout.addWidget(self.caption)

    def render_state(self, changed: Changed) -> None:
        items = self.state.items
        if items is None:
            self.order = None
            self.cancel("order")
            self.gallery.rows.set_rows(np.zeros(0, dtype=np.int64))
            self.show_missing("items")
            return
        if changed & {"hover", "theme", "colour", "selection"}:
            self.gallery.viewport().update()
        own, self._own_selection = self._own_selection, False
        if changed - {"hover", "theme"} and not (own and changed <= {"selection", "hover"}):
            prediction = self.state.prediction
            work = functools.partial(
                sort_items,
                probabilities=None if prediction is None else prediction.probabilities,
                labels=items.labels,
                count=len(items),
                selection=self.state.selection,
                shown=str(self.shown_box.currentData()),
                order=str(self.order_box.currentData()),
            )
            self.ask("order", [], work)
        elif "selection" in changed:
            self._write_caption()

    def receive(self, slot: str, result: Any) -> None:
        self.order = result
        if not len(result.rows):
            self.show_message(
                "No item is predicted wrongly at this step."
                if result.judged
                else "There are no predictions at this step to judge by."
            )
        else:
            self.gallery.rows.set_rows(result.rows)
            self.show_content()
        self._write_caption()

    def table(self) -> Table | None:
        rows = self.gallery.rows.rows
        return (ROW_COLUMNS, row_values(self.state, rows)) if len(rows) else None

    def _choose(self, row: int, mode: Any) -> None:
        """Selecting here leaves the gallery as it is: what one was looking at must not vanish."""
        self._own_selection = True
        self.state.select([row], mode)

    def _write_caption(self) -> None:
        order, items = self.order, self.state.items
        if order is None or items is None:
            return
        shown = len(order.rows)
        count = (
            f"{shown:,} {items.noun}s"
            if shown == order.of
            else f"{shown:,} of {order.of:,} {items.noun}s shown"
        )
        parts = [count]
        if order.n_known:
            right = 1 - order.n_wrong / order.n_known
            parts.append(
                f"{order.n_wrong:,} of {order.n_known:,} with a label are wrong ({right:.1%} correct)"
            )
        if not order.judged:
            parts.append("no predictions at this step, so the order is that of the data set")
        if len(self.state.selection):
            parts.append(f"{len(self.state.selection):,} selected")
        self.caption.set_parts(parts)


def sort_items(
    _job: Job | None,
    _snapshots: tuple[Snapshot, ...],
    *,
    probabilities: npt.NDArray[np.float32] | None,
    labels: npt.NDArray[Any] | None,
    count: int,
    selection: npt.NDArray[np.int64],
    shown: str,
    order: str,
) -> Order:
    """Which rows to show, and in what order."""
    rows = np.arange(count)
    wrong = known = np.zeros(count, dtype=bool)
    judged = probabilities is not None
    if probabilities is not None:
        classes = probabilities.shape[1]
        fitting = None if labels is None else np.where((labels >= 0) & (labels < classes), labels, -1)
        outcomes = judge(probabilities, fitting)
        recorded = outcomes.predictions >= 0
        wrong, known = outcomes.wrong & recorded, recorded & (outcomes.labels >= 0)
        if order == "wrong":
            # What was not recorded is neither right nor wrong: it comes last.
            found = outcomes.most_wrong()
            rows = np.concatenate([found[recorded[found]], found[~recorded[found]]])
        elif order == "unsure":
            found = outcomes.least_confident()
            rows = np.concatenate([found[recorded[found]], found[~recorded[found]]])
    if shown == "wrong":
        rows = rows[wrong[rows]]
    elif shown == "selection" and len(selection):
        rows = rows[np.isin(rows, selection)]
    return Order(rows.astype(np.int64), count, judged, int(wrong.sum()), int(known.sum()))
