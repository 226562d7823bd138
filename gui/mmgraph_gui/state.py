"""What the window shows: one run, one step, one selection for every view. No Qt, no disk.

Views read the fields and call the methods; they never assign fields. Every method that changes something
calls the listeners with the topic of what changed.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmgraph.runs import Event, ItemSet, Series, SnapshotInfo, Status, Update
from mmgraph_gui.prediction import Prediction
from mmgraph_gui.selection import EMPTY, Mode, Rows, Selection

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
"""

TOPICS: tuple[Topic, ...] = (
    "run", "status", "scalars", "events", "snapshots", "step", "items", "selection", "hover", "colour", "layer",
)  # fmt: skip

Listener = Callable[[Topic], None]

DEEPEST_FIRST = frozenset({"embedding"})
"""Kinds of which the last recorded layer is shown first; of the others, the first."""


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
        colour_by: "label", "prediction", "correct", "split" or a column of the item set.
        prediction: what the model says of each item at `step`; None where the run recorded none.
        head: attention head; None is the mean of all.
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
    _selection: Selection = field(default_factory=Selection)
    _layers: dict[str, str] = field(default_factory=dict)
    _index: dict[tuple[str, str], list[SnapshotInfo]] = field(default_factory=dict)
    _steps: list[int] = field(default_factory=list)
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
        self.step, self.follow, self.hovered = 0, True, None
        self._selection, self._layers, self._index, self._steps = Selection(), {}, {}, []
        self._notify(*TOPICS)

    def apply(self, update: Update) -> None:
        """Take in what a poll of the run brought."""
        changed: list[Topic] = []
        if update.rewound_to is not None:
            self._forget_after(update.rewound_to)
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
            self._add_snapshots(update.snapshots)
            changed.append("snapshots")
        self._notify(*dict.fromkeys(changed))
        if self.follow and self._steps and self.step != self._steps[-1]:
            self.step = self._steps[-1]
            self._notify("step")
        elif not self._steps and self.follow and update.status.step != self.step:
            self.step = update.status.step
            self._notify("step")

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

    # -- snapshots and steps -----------------------------------------------------------------------------

    def steps(self) -> list[int]:
        """Steps that have snapshots, in order: the slider moves over these."""
        return self._steps

    def kinds(self) -> list[str]:
        """Kinds of snapshot that the run recorded."""
        return sorted({kind for kind, _ in self._index})

    def layers(self, kind: str) -> list[str]:
        """Layers of which there are snapshots of a kind, in order of recording."""
        return [layer for known, layer in self._index if known == kind]

    def layer(self, kind: str) -> str | None:
        """The chosen layer of a kind; None where the run recorded none."""
        known = self.layers(kind)
        chosen = self._layers.get(kind)
        if chosen in known:
            return chosen
        return None if not known else known[-1 if kind in DEEPEST_FIRST else 0]

    def snapshot_at(
        self, kind: str, layer: str | None = None, step: int | None = None
    ) -> SnapshotInfo | None:
        """The newest snapshot at or before a step.

        Args:
            layer: by default the chosen layer of that kind.
            step: by default the current step.
        """
        layer = self.layer(kind) if layer is None else layer
        infos = self._index.get((kind, layer or ""), [])
        place = bisect.bisect_right(infos, self.step if step is None else step, key=lambda info: info.step)
        return infos[place - 1] if place else None

    def history(self, kind: str, layer: str | None = None) -> list[SnapshotInfo]:
        """All snapshots of a kind and layer, in order of steps."""
        layer = self.layer(kind) if layer is None else layer
        return self._index.get((kind, layer or ""), [])

    def set_step(self, step: int) -> None:
        """Show the step nearest to this one that has snapshots; going back from the newest ends following."""
        if self._steps:
            step = nearest(self._steps, step)
            follow = self.follow and step == self._steps[-1]
        else:
            follow = False
        if (step, follow) != (self.step, self.follow):
            self.step, self.follow = step, follow
            self._notify("step")

    def set_follow(self, follow: bool) -> None:
        """Follow the newest snapshot, or stay at this step."""
        step = self._steps[-1] if follow and self._steps else self.step
        if (step, follow) != (self.step, self.follow):
            self.step, self.follow = step, follow
            self._notify("step")

    def move_step(self, by: int) -> None:
        """Go some snapshots forward or back."""
        if self._steps:
            place = self._steps.index(nearest(self._steps, self.step)) + by
            self.set_step(self._steps[min(max(place, 0), len(self._steps) - 1)])

    def set_layer(self, kind: str, layer: str) -> None:
        """Choose the layer of which snapshots of a kind are shown."""
        if self._layers.get(kind) != layer:
            self._layers[kind] = layer
            self._notify("layer")

    def set_head(self, head: int | None) -> None:
        """Choose an attention head; None is the mean of all."""
        if self.head != head:
            self.head = head
            self._notify("layer")

    # -- items -------------------------------------------------------------------------------------------

    @property
    def selection(self) -> Rows:
        """Selected rows of the item set: sorted, each once, int64."""
        return self._selection.rows

    def select(self, rows: Iterable[int] | Rows, mode: Mode = "replace") -> None:
        """Select rows: in place of those selected now, in addition to them, or take them out."""
        if self._selection.change(rows, mode):
            self._notify("selection")

    def clear_selection(self) -> None:
        """Select nothing."""
        self.select(EMPTY)

    def undo_selection(self) -> None:
        """Go back to the selection before this one."""
        if self._selection.undo():
            self._notify("selection")

    def redo_selection(self) -> None:
        """Take back an undo."""
        if self._selection.redo():
            self._notify("selection")

    def hover(self, row: int | None) -> None:
        """Say which row the mouse is on."""
        if self.hovered != row:
            self.hovered = row
            self._notify("hover")

    def set_colour_by(self, name: str) -> None:
        """Choose what colours the items in every view."""
        if self.colour_by != name:
            self.colour_by = name
            self._notify("colour")

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
            "split": items.splits is not None,
        }
        return [name for name, there in choices.items() if there] + sorted(items.columns)

    # -- keeping the index -------------------------------------------------------------------------------

    def _add_snapshots(self, infos: Iterable[SnapshotInfo]) -> None:
        steps = set(self._steps)
        touched = set()
        for info in infos:
            key = (info.kind, info.layer)
            self._index.setdefault(key, []).append(info)
            touched.add(key)
            steps.add(info.step)
        for key in touched:
            self._index[key].sort(key=lambda info: (info.step, info.id))
        self._steps = sorted(steps)

    def _forget_after(self, step: int) -> None:
        self.series = {tag: series.before(step) for tag, series in self.series.items()}
        kept = {key: [info for info in infos if info.step <= step] for key, infos in self._index.items()}
        self._index = {key: infos for key, infos in kept.items() if infos}
        self._steps = [known for known in self._steps if known <= step]


def nearest(steps: list[int], step: int) -> int:
    """The entry of a sorted, non-empty list that is closest to `step`; the earlier of two."""
    place = int(np.searchsorted(steps, step))
    candidates = steps[max(place - 1, 0) : place + 1]
    return min(candidates, key=lambda known: (abs(known - step), known))
