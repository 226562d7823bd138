"""What the window shows: one run, one step, one selection for every view. No Qt, no disk.

Views read the fields and call the methods; they never assign fields. Every method that changes something
calls the listeners with the topic of what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mmgraph.runs import Event, ItemSet, Series, SnapshotInfo, Status, Update
from mmgraph_gui.state.guest import Guest
from mmgraph_gui.state.prediction import Prediction
from mmgraph_gui.state.selection import EMPTY, History, Look, Mode, Rows, changed_selection
from mmgraph_gui.state.snapshot_index import SnapshotIndex, nearest

Topic = Literal[
    "run",
    "status",
    "scalars",
    "events",
    "snapshots",
    "step",
    "items",
    "selection",
    "hover",
    "colour",
    "layer",
    "guest",
    "others",
    "part",
]
"""What can change.

    run         another run was opened (or none is); everything else may differ too
    status      state, step counter, time left … of the run
    scalars     `series` grew
    events      `events` grew
    snapshots   the index of snapshots changed
    step        `step` or `follow` changed
    items       `items` was read
    selection   `selection` changed
    hover       `hovered` changed
    colour      `colour_by` or `prediction` changed
    layer       the chosen layer of a kind, or `head`, changed
    guest       a person's own item came, went, or more is known of it
    others      `others` or `slot` changed
    part        undo brings back the part that a view showed (`parts`)
"""

TOPICS: tuple[Topic, ...] = (
    "run", "status", "scalars", "events", "snapshots", "step", "items", "selection", "hover", "colour", "layer",
    "guest",
    "others",
    "part",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class OtherRun:
    """A run whose curves are drawn beside those of the open one, in the colour of its slot."""

    path: Path
    slot: int
    series: dict[str, Series]


Listener = Callable[[Topic], None]


@dataclass(frozen=True, eq=False)
class Groups:
    """What somebody had found about items: groups such as clusters, or a number each.

    Shapes:
        codes (items,) int64, −1 for none; values (items,), in place of codes.
    """

    title: str
    codes: npt.NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    values: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Near:
    """An item and its nearest neighbours.

    Args:
        rows: the item itself, then its neighbours, nearest first.
        distances: of each to the item.
        measure: what these are, in words.
    """

    rows: Rows
    distances: npt.NDArray[np.floating[Any]]
    measure: str


@dataclass
class AppState:
    """The model of the window.

    Args:
        path: folder of the open run, None where no run is open.
        config: its config.toml.
        status: where it stands; None until it was read.
        series: recorded numbers by tag.
        events: its log, oldest first.
        items: what the rows of its embeddings are; None until read, or where the run has none.
        step: the step that every view shows.
        follow: whether `step` moves on to the newest snapshot when one arrives.
        hovered: row of the item set under the mouse.
        colour_by: "label", "prediction", "correct", "loss", "confidence", "split", groups or a column of the items.
        prediction: what the model says of each item at `step`; None where the run recorded none.
        head: attention head; None is the mean of all.
        hidden: classes of what colours the items whose points are not shown.
        guest: a person's own item, and what the model says of it.
        others: runs whose curves are drawn beside those of this one.
        slot: number of this run's colour where there are others.
        groups: clusters, communities … that were found, by name; each can colour the items.
        near: an item and its nearest neighbours while somebody looks at them.
    """

    path: Path | None = None
    config: dict[str, Any] = field(default_factory=dict)
    status: Status | None = None
    series: dict[str, Series] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    items: ItemSet | None = None
    step: int = 0
    follow: bool = True
    hovered: int | None = None
    colour_by: str = "label"
    prediction: Prediction | None = None
    head: int | None = None
    hidden: frozenset[int] = frozenset()
    guest: Guest | None = None
    others: tuple[OtherRun, ...] = ()
    slot: int = 0
    groups: dict[str, Groups] = field(default_factory=dict)
    near: Near | None = None
    _selection: Rows = field(default_factory=lambda: EMPTY)
    _history: History = field(default_factory=History)
    _layers: dict[str, str] = field(default_factory=dict)
    _parts: dict[str, Any] = field(default_factory=dict)
    _index: SnapshotIndex = field(default_factory=SnapshotIndex)
    _listeners: list[Listener] = field(default_factory=list)

    # -- listening ---------------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` at every change; the returned function ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def _notify(self, *topics: Topic) -> None:
        for topic in topics:
            for listener in tuple(self._listeners):
                listener(topic)

    # -- the run -----------------------------------------------------------------------------------------

    def open(self, path: Path | None, config: dict[str, Any] | None = None) -> None:
        """Start afresh with another run, or with none; colour and head stay as they were chosen."""
        self.path, self.config, self.status = path, config or {}, None
        self.series, self.events, self.items, self.prediction = {}, [], None, None
        self.step, self.follow, self.hovered, self.hidden = 0, True, None, frozenset()
        self.guest = None
        self.groups, self.near = {}, None
        self._selection, self._history, self._layers, self._index = EMPTY, History(), {}, SnapshotIndex()
        self._parts = {}
        self._notify(*TOPICS)

    def apply(self, update: Update) -> None:
        """Take in what a poll of the run brought."""
        changed: list[Topic] = []
        if update.rewound_to is not None:
            limit = update.rewound_to
            self.series = {tag: series.before(limit) for tag, series in self.series.items()}
            self._index.forget_after(limit)
            changed += ["scalars", "snapshots"]
        if update.status != self.status:
            self.status = update.status
            changed.append("status")
        if update.scalars:
            for tag, later in update.scalars.items():
                earlier = self.series.get(tag)
                self.series[tag] = later if earlier is None else earlier.joined(later)
            changed.append("scalars")
        if update.events:
            self.events.extend(update.events)
            changed.append("events")
        if update.snapshots:
            self._index.add(update.snapshots)
            changed.append("snapshots")
        self._notify(*dict.fromkeys(changed))
        steps = self.steps()
        newest = steps[-1] if steps else update.status.step
        if self.follow and self.step != newest:
            self.step = newest
            self._notify("step")

    def look_again(self) -> None:
        """What is on disk can be read again: what hangs on snapshots is worked out anew."""
        self._notify("snapshots")

    def set_items(self, items: ItemSet | None) -> None:
        """Say what the rows are."""
        self.items = items
        if self.colour_by not in (choices := self.colour_choices()) and choices:
            self.colour_by = choices[0]
        self._notify("items", "colour")

    def set_prediction(self, prediction: Prediction | None) -> None:
        """Say what the model thinks of each item at the current step."""
        self.prediction = prediction
        self._notify("colour")

    def set_others(self, others: tuple[OtherRun, ...], slot: int) -> None:
        """Say which runs are drawn beside the open one; `slot` is the colour of the open one then."""
        if others or self.others or slot != self.slot:
            self.others, self.slot = others, slot
            self._notify("others")

    # -- snapshots and steps -----------------------------------------------------------------------------

    def steps(self) -> list[int]:
        """Steps that have snapshots, in order: the slider moves over these."""
        return self._index.steps

    def kinds(self) -> list[str]:
        """Kinds of snapshot that the run recorded."""
        return self._index.kinds()

    def layers(self, kind: str) -> list[str]:
        """Layers of which there are snapshots of a kind, in order of recording."""
        return self._index.layers(kind)

    def layer(self, kind: str) -> str | None:
        """The chosen layer of a kind; None where the run recorded none."""
        known, chosen = self.layers(kind), self._layers.get(kind)
        return chosen if chosen in known else self._index.first_layer(kind)

    def snapshot_at(
        self, kind: str, layer: str | None = None, step: int | None = None
    ) -> SnapshotInfo | None:
        """The newest snapshot at or before a step.

        Args:
            layer: by default the chosen layer of that kind.
            step: by default the current step.
        """
        layer = self.layer(kind) if layer is None else layer
        return self._index.at(kind, layer or "", self.step if step is None else step)

    def history(self, kind: str, layer: str | None = None) -> list[SnapshotInfo]:
        """All snapshots of a kind and layer, in order of steps."""
        return self._index.history(kind, (self.layer(kind) if layer is None else layer) or "")

    def set_step(self, step: int) -> None:
        """Show the step nearest to this one that has snapshots; going back from the newest ends following."""
        if steps := self.steps():
            step = nearest(steps, step)
        follow = self.follow and bool(steps) and step == steps[-1]
        if (step, follow) != (self.step, self.follow):
            self.step, self.follow = step, follow
            self._notify("step")

    def set_follow(self, follow: bool) -> None:
        """Follow the newest snapshot, or stay at this step."""
        step = self.steps()[-1] if follow and self.steps() else self.step
        if (step, follow) != (self.step, self.follow):
            self.step, self.follow = step, follow
            self._notify("step")

    def move_step(self, by: int) -> None:
        """Go some snapshots forward or back."""
        if steps := self.steps():
            place = steps.index(nearest(steps, self.step)) + by
            self.set_step(steps[min(max(place, 0), len(steps) - 1)])

    def set_layer(self, kind: str, layer: str) -> None:
        """Choose the layer of which snapshots of a kind are shown."""
        self.set_layers({kind: layer})

    def set_layers(self, layers: Mapping[str, str]) -> None:
        """Choose layers of several kinds at once, which undo takes back at once."""
        if any(layer != self.layer(kind) for kind, layer in layers.items()):
            self._history.remember(self.look())
        if any(self._layers.get(kind) != layer for kind, layer in layers.items()):
            self._layers |= layers
            self._notify("layer")

    def set_head(self, head: int | None) -> None:
        """Choose an attention head; None is the mean of all."""
        if self.head != head:
            self._history.remember(self.look())
            self.head = head
            self._notify("layer")

    # -- undo --------------------------------------------------------------------------------------------

    def look(self) -> Look:
        """What is chosen to be seen now."""
        layers = {kind: layer for kind in self.kinds() if (layer := self.layer(kind)) is not None}
        return Look(self._selection, self.colour_by, layers, self.head, self.hidden, dict(self._parts))

    @property
    def parts(self) -> Mapping[str, Any]:
        """Which part of everything a view shows, by its name, of those that somebody has moved."""
        return self._parts

    def set_part(self, view: str, before: Any, now: Any, *, goes_on: bool = False) -> None:
        """Say that somebody moved, zoomed or turned a view.

        Args:
            goes_on: whether it belongs to what was changed last, as the steps of one drag of the mouse do.
        """
        if goes_on:
            self._history.add_part(view, before)
        else:
            self._parts[view] = before
            self._history.remember(self.look())
        self._parts[view] = now

    def forget_part(self, view: str) -> None:
        """A view is gone: undo passes over how it was moved."""
        self._parts.pop(view, None)

    def undo(self) -> None:
        """Take back the last change of selection, colour, hidden classes, layer, head or part of a view."""
        while (look := self._history.undo(self.look())) is not None and not self._take(look):
            pass

    def redo(self) -> None:
        """Take back an undo."""
        while (look := self._history.redo(self.look())) is not None and not self._take(look):
            pass

    def restore(self, look: Look, step: int | None) -> None:
        """Look at the run as at another time; `step` is None where the newest was followed."""
        look.selection.flags.writeable = False
        self._take(look)
        if step is not None:
            self.set_follow(False)
            self.set_step(step)

    def _take(self, look: Look) -> bool:
        """Look at it so; false where it is looked at so already."""
        changed: list[Topic] = []
        if not np.array_equal(look.selection, self._selection):
            changed.append("selection")
        if (look.colour_by, look.hidden) != (self.colour_by, self.hidden):
            changed.append("colour")
        if look.head != self.head or any(self.layer(kind) != layer for kind, layer in look.layers.items()):
            changed.append("layer")
        parts = {view: part for view, part in look.parts.items() if view in self._parts}
        if any(part is not self._parts[view] for view, part in parts.items()):
            changed.append("part")
        self._selection, self.colour_by, self.head = look.selection, look.colour_by, look.head
        self.hidden = look.hidden
        self._layers |= look.layers
        self._parts |= parts
        self._notify(*changed)
        return bool(changed)

    # -- items -------------------------------------------------------------------------------------------

    @property
    def selection(self) -> Rows:
        """Selected rows of the item set: sorted, each once, int64."""
        return self._selection

    def select(self, rows: Iterable[int] | Rows, mode: Mode = "replace") -> None:
        """Select rows: in place of those selected now, in addition to them, or take them out."""
        chosen = changed_selection(self._selection, rows, mode)
        if not np.array_equal(chosen, self._selection):
            self._history.remember(self.look())
            self._selection = chosen
            self._notify("selection")

    def clear_selection(self) -> None:
        """Select nothing."""
        self.select(EMPTY)

    def hover(self, row: int | None) -> None:
        """Say which row the mouse is on."""
        if self.hovered != row:
            self.hovered = row
            self._notify("hover")

    def set_guest(self, guest: Guest | None) -> None:
        """Say what is known of a person's own item, or that there is none."""
        if guest is not self.guest:
            self.guest = guest
            self._notify("guest")

    def set_colour_by(self, name: str) -> None:
        """Choose what colours the items in every view."""
        if self.colour_by != name:
            self._history.remember(self.look())
            self.colour_by, self.hidden = name, frozenset()
            self._notify("colour")

    def set_hidden(self, classes: Iterable[int]) -> None:
        """Choose the classes of what colours the items whose points are not shown."""
        if self.hidden != (hidden := frozenset(classes)):
            self._history.remember(self.look())
            self.hidden = hidden
            self._notify("colour")

    def set_groups(self, name: str, groups: Groups) -> None:
        """Say which groups were found; they can colour the items from now on."""
        self.groups[name] = groups
        self._notify("colour")

    def set_near(self, near: Near | None) -> None:
        """Say whose neighbours are looked at, or nobody's."""
        if near is not self.near:
            self.near = near
            self._notify("hover")

    def colour_choices(self) -> list[str]:
        """What can colour the items of this run."""
        items = self.items
        if items is None:
            return []
        predicted = bool(self.layers("prediction"))
        choices = {
            "label": items.labels is not None,
            "prediction": predicted,
            "correct": predicted and items.labels is not None,
            "loss": predicted and items.labels is not None,
            "confidence": predicted,
            "split": items.splits is not None,
        }
        there = [name for name, known in choices.items() if known]
        return there + sorted(self.groups) + sorted(set(items.columns) - set(there))
