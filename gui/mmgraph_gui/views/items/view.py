"""Items: the selected ones, those that fit some words, the neighbours of one, or all with the most wrong first."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout

from mmgraph.analysis import judge
from mmgraph.runs import ItemSet, Snapshot, SnapshotInfo, find_items
from mmgraph_gui.accessible import named
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state import Near
from mmgraph_gui.state.guest import Guest
from mmgraph_gui.views import Changed, Table, View
from mmgraph_gui.views.caption import Caption
from mmgraph_gui.views.control_line import Word
from mmgraph_gui.views.item_card import ROW_COLUMNS, describe, row_values
from mmgraph_gui.views.items.detail import ItemDetail, facts_at, read_facts
from mmgraph_gui.views.items.gallery import Gallery
from mmgraph_gui.views.items.search import ItemSearch, Nearest, find_nearest
from mmgraph_gui.views.missing import say_missing
from mmgraph_gui.views.shortened import ShortBox

SHOWN = {
    "selection": ("Selection, else all", "The selected items; all where none is selected"),
    "all": ("All", "All items"),
    "wrong": ("Wrong only", "Items whose prediction differs from their label"),
}
ORDERS = {
    "wrong": ("Most wrong first", "By falling loss −ln p(label)"),
    "right": ("Least wrong first", "By rising loss −ln p(label)"),
    "unsure": ("Least confident first", "By rising probability of the predicted class"),
    "sure": ("Most confident first", "By falling probability of the predicted class"),
    "id": ("By id", "By the number of each item in its data set"),
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
    topics: ClassVar[frozenset[str]] = frozenset(
        {"run", "items", "selection", "colour", "hover", "step", "snapshots", "layer", "guest"}
    )

    keys: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Arrows", "Another item"),
        ("Enter", "Select it; Ctrl adds, Alt takes out"),
        ("Space", "Play its sound or frames"),
        ("Escape", "Empty the search field"),
    )

    def build(self) -> None:
        self.order: Order | None = None
        self.nearest: Nearest | None = None
        self._path: Path | None = None
        self._near: int | None = None
        self._asked: tuple[SnapshotInfo, int, int, str] | None = None
        self._select_found = False
        self._own_selection = False
        self._shows_guest = False
        self.shown_box = named(ShortBox(), "Which items are shown")
        self.order_box = named(ShortBox(), "Order of the items")
        for box, choices in ((self.shown_box, SHOWN), (self.order_box, ORDERS)):
            box.offer(choices)
            box.activated.connect(lambda _: self.request_render("control"))
        self.choosers.add("shown", self.shown_box)
        self.choosers.add("order", self.order_box)
        self.search = ItemSearch()
        self.search.changed.connect(self._search)
        self.search.entered.connect(self._select_fitting)
        self.search.near_wanted.connect(self._toggle_near)
        self.search.meant.connect(self.own.bring_text)
        self.search.field.left.connect(self.setFocus)
        self.choosers.add("search", self.search.field)
        self.choosers.add("neighbours", self.search.k_box)
        self.choosers.add("distance", self.search.metric_box)
        lines, choosers = QVBoxLayout(), QHBoxLayout()
        for widget in (Word("Show"), self.shown_box, Word("Order"), self.order_box):
            choosers.addWidget(widget)
        choosers.addStretch(1)
        lines.addWidget(self.search)
        lines.addLayout(choosers)
        self.controls.addLayout(lines)
        self.gallery = named(Gallery(self.state, self.theme), "Items", "")
        self.gallery.hovered.connect(self.state.hover)
        self.gallery.clicked_row.connect(self._choose)
        self.caption = Caption()
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.gallery.play_wanted.connect(self._play)
        self.detail = named(ItemDetail(self.state, self.theme), "The selected item", "")
        self.detail.said.connect(self.caption.setText)
        self.detail.removed.connect(self.own.leave)
        self.detail.hide()
        self._facts_asked: tuple[Any, ...] | None = None
        self.gallery.setMinimumHeight(120)
        self.setFocusProxy(self.gallery)
        self.parts = QSplitter(Qt.Orientation.Vertical)
        self.parts.addWidget(self.gallery)
        self.parts.addWidget(self.detail)
        self.parts.setStretchFactor(0, 1)
        self.parts.setCollapsible(0, False)
        layout.addWidget(self.parts, 1)
        layout.addWidget(self.caption)

    @property
    def is_pending(self) -> bool:
        return super().is_pending or self.gallery.is_pending

    def finish(self) -> None:
        self.gallery.finish()

    def render_state(self, changed: Changed) -> None:
        items = self.state.items
        if self.state.guest is None:  # also one that left because another run was opened
            self._shows_guest = False
        if "run" in changed:
            self._asked = None
        if changed & {"selection", "hover"} and self.nearest is not None and self.state.near is None:
            self._end_near()  # nothing is selected any more, and nobody wants to see what is near it
            changed |= {"control"}
        if self.state.path != self._path:
            self._path = self.state.path
            self._end_near()
            with QSignalBlocker(self.search.field):  # nobody chose that: undo does not know it
                self.search.field.clear()
        self._show_detail()
        self.search.offer_meaning("similarity" in self.state.layers("matrix"))
        if items is None:
            self.order = None
            self.cancel("order")
            self.gallery.rows.set_rows(np.zeros(0, dtype=np.int64))
            self.show_missing("items")
            return
        if changed & {"hover", "theme", "colour", "selection"}:
            self.gallery.viewport().update()
        guest = self.state.guest
        if changed & {"guest", "control"}:
            # News of it shows the items near it; whatever is typed or chosen later shows others.
            self._shows_guest = "guest" in changed and guest is not None and bool(guest.near)
            changed |= {"control"}
        if self._shows_guest and guest is not None:
            self._show_near_guest(guest)
        elif self._near is not None:
            self._ask_nearest(self._near)
        else:
            self._ask_order(items, changed & {"run", "items", "selection", "colour", "control"})
        if "selection" in changed and not self._shows_guest:
            self._write_caption()

    def receive(self, slot: str, result: Any) -> None:
        if slot == "facts":
            self.detail.show_facts(result)
            return
        if self._shows_guest or (slot == "near") != (self._near is not None):
            return
        if slot == "near":
            self.nearest, rows = result, result.rows
            self.state.set_near(
                Near(rows, result.distances, f"{result.metric.capitalize()} distances in {result.info.layer}")
            )
            self.gallery.rows.set_rows(rows, result.distances)
        else:
            self.order, rows = result, result.rows
            self.gallery.rows.set_rows(rows)
        if len(rows):
            self.show_content()
        else:
            self.show_message(self._nothing(result.judged))
        if self._select_found:
            self._select_found, self._own_selection = False, True
            self.state.select(rows)
        self._write_caption()

    def detach(self) -> None:
        self.detail.close_player()
        super().detach()

    def _show_detail(self) -> None:
        """The item that is selected alone, whole."""
        selection, items, guest = self.state.selection, self.state.items, self.state.guest
        if guest is not None and (guest.waits or len(selection) != 1):
            self.detail.show_guest(guest)
            self.detail.show()
            return
        if len(selection) != 1 or items is None or not selection[0] < len(items):
            self._facts_asked = None
            self.cancel("facts")
            self.detail.hide()
            self.detail.forget()
            return
        row, infos = int(selection[0]), facts_at(self.state)
        self.detail.show_item(row)
        self.detail.show()
        if infos and self._facts_asked != (row, *infos):
            work = functools.partial(read_facts, row=row)
            deliver = functools.partial(self._deliver, "facts")
            self.follower.ask((id(self), "facts"), infos, work, deliver, self.caption.setText)
        self._facts_asked = (row, *infos)

    def _show_near_guest(self, guest: Guest) -> None:
        """The items that fit a person's own, or lie nearest to it."""
        count = len(self.state.items) if self.state.items is not None else 0
        near = [(row, far) for row, far in guest.near if 0 <= row < count]
        rows = np.array([row for row, _ in near], dtype=np.int64)
        self._end_near()
        self.cancel("order")
        self.gallery.rows.set_rows(rows, np.array([far for _, far in near]))
        self.show_content()
        what = "fit it best" if guest.found else f"lie nearest to it in {guest.layer}"
        self.caption.set_parts([f"{guest.name}: the {len(rows):,} items that {what}", f"step {guest.step:,}"])

    def _play(self, row: int) -> None:
        if self.state.selection.tolist() != [row]:
            self._choose(row, "replace")
            self._show_detail()
        self.detail.toggle_play()

    def show_neighbours(self) -> None:
        """Find the neighbours of the selected item, show and select them."""
        if len(self.state.selection) != 1:
            self.search.near.setChecked(self._near is not None)
            self.caption.setText("Select one item to find its nearest neighbours.")
            return
        self.search.field.clear()
        self._path = self.state.path
        self._near, self._asked, self._select_found = int(self.state.selection[0]), None, True
        self.search.near.setChecked(True)
        self.request_render("control")

    def focus_search(self) -> None:
        """Go to the field of the search."""
        self.search.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.field.selectAll()

    def _ask_order(self, items: ItemSet, changed: Changed) -> None:
        own, self._own_selection = self._own_selection, False
        if changed and not (own and changed == {"selection"}):
            prediction = self.state.prediction
            work = functools.partial(
                sort_items,
                probabilities=None if prediction is None else prediction.probabilities,
                labels=items.labels,
                count=len(items),
                selection=self.state.selection,
                shown=str(self.shown_box.currentData()),
                order=str(self.order_box.currentData()),
                words=(items, self.search.words) if self.search.words else None,
                ids=items.ids,
            )
            self.ask("order", [], work)

    def _ask_nearest(self, item: int) -> None:
        info = self.state.snapshot_at("embedding")
        if info is None:
            self._asked = None
            self.cancel("near")
            say_missing(self, "embedding", "embedding to search")
            return
        k, metric = self.search.k_box.value(), self.search.measure
        if self._asked != (info, item, k, metric):
            self._asked = (info, item, k, metric)
            work = functools.partial(find_nearest, info=info, item=item, k=k, metric=metric)
            self.ask("near", [info], work)

    def _search(self) -> None:
        if self.search.words:
            self._end_near()
        self.request_render("control")

    def _toggle_near(self, on: bool) -> None:
        if on:
            self.show_neighbours()
        else:
            self._end_near()
            self.request_render("control")

    def _end_near(self) -> None:
        self._near, self._asked, self.nearest, self._select_found = None, None, None, False
        self.state.set_near(None)
        self.search.near.setChecked(False)
        self.cancel("near")

    def _select_fitting(self) -> None:
        if self.search.words:
            self._select_found = True
            self.request_render("control")

    def _nothing(self, judged: bool) -> str:
        if self.search.words:
            return f"No item fits '{self.search.words}'."
        if judged:
            return "No item is predicted wrongly at this step."
        return "There are no predictions at this step to judge by."

    def table(self) -> Table | None:
        rows, distances = self.gallery.rows.rows, self.gallery.rows.distances
        if not len(rows):
            return None
        values = row_values(self.state, rows)
        if not distances:
            return ROW_COLUMNS, values
        far = [distances[row] for row in rows.tolist()]
        return (*ROW_COLUMNS, "distance"), ((*known, away) for known, away in zip(values, far, strict=True))

    def _choose(self, row: int, mode: Any) -> None:
        """Selecting here leaves the gallery as it is: what one was looking at must not vanish."""
        self._own_selection = True
        self.state.select([row], mode)

    def _write_caption(self) -> None:
        order, items = self.order, self.state.items
        if self.nearest is not None and items is not None:
            self.caption.set_parts(self._told_nearest(self.nearest, items))
            return
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

    def _told_nearest(self, nearest: Nearest, items: ItemSet) -> list[str]:
        item, others = int(nearest.rows[0]), nearest.rows[1:]
        parts = [
            f"the {len(others):,} nearest to {describe(self.state, item).name}",
            f"{nearest.metric} distance in {nearest.info.layer} at step {nearest.info.step:,}",
        ]
        if items.labels is not None and items.labels[item] >= 0:
            same = int((items.labels[others] == items.labels[item]).sum())
            parts.append(f"{same:,} of its class")
        parts.append(f"{len(self.state.selection):,} selected")
        return parts


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
    words: tuple[ItemSet, str] | None = None,
    ids: npt.NDArray[Any] | None = None,
) -> Order:
    """Which rows to show, and in what order; `words` are what they must fit, selected or not."""
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
        elif order == "right":
            known_loss = np.isfinite(outcomes.losses) & recorded
            rows = np.lexsort((np.where(known_loss, outcomes.losses, 0), ~known_loss))
        elif order in ("unsure", "sure"):
            found = outcomes.least_confident()[:: 1 if order == "unsure" else -1]
            rows = np.concatenate([found[recorded[found]], found[~recorded[found]]])
    if order == "id" and ids is not None:
        rows = np.argsort(ids, kind="stable")
    if shown == "wrong":
        rows = rows[wrong[rows]]
    elif shown == "selection" and len(selection) and words is None:
        rows = rows[np.isin(rows, selection)]
    if words is not None:
        rows = rows[np.isin(rows, find_items(*words))]
    return Order(rows.astype(np.int64), count, judged, int(wrong.sum()), int(known.sum()))
