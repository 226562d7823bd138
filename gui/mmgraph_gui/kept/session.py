"""What was open when the window was closed, and how it was looked at; taken up at the next start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QSettings

from mmgraph.runs import is_run
from mmgraph_gui.kept.view_session import ViewSession
from mmgraph_gui.reading.follower import RunFollower
from mmgraph_gui.state import AppState
from mmgraph_gui.state.selection import Look

KEY = "session"
SELECTED = 10_000
"""A selection of more items than this is not kept."""


class Session(QObject):
    """Writes down run, step, selection, colour, layers, head and how the views are looked at, and brings them back.

    Args:
        settings: where it is kept.
        state: the model of the window.
        follower: what opens runs.
        views: what is chosen in them, and which part they show.
    """

    def __init__(
        self,
        settings: QSettings,
        state: AppState,
        follower: RunFollower,
        views: ViewSession,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._views = views
        self._settings, self._state, self._follower = settings, state, follower
        self._wanted: dict[str, Any] | None = None
        follower.opened.connect(self._opened)

    def keep(self) -> None:
        """Write down what is open now."""
        state = self._state
        look = state.look()
        stored = {
            "run": str(state.path or ""),
            "step": None if state.follow else state.step,
            "selection": look.selection.tolist() if len(look.selection) <= SELECTED else [],
            "colour": look.colour_by,
            "layers": dict(look.layers),
            "head": look.head,
            "hidden": sorted(look.hidden),
            "views": self._views.notes(),
        }
        self._settings.setValue(KEY, json.dumps(stored))

    def last_run(self) -> Path | None:
        """The run that was open; None where it is gone."""
        path = Path(self._stored().get("run") or "")
        return path if path != Path() and is_run(path) else None

    def take_up(self) -> None:
        """Look at the run that is being opened as it was looked at before."""
        self._wanted = self._stored()

    def _opened(self) -> None:
        wanted, self._wanted = self._wanted, None
        self._views.forget()
        if wanted is None or str(self._state.path) != wanted.get("run"):
            return
        state = self._state
        items = len(state.items) if state.items is not None else 0
        selection = np.array([row for row in wanted["selection"] if 0 <= row < items], dtype=np.int64)
        known = {kind: layer for kind, layer in wanted["layers"].items() if layer in state.layers(kind)}
        colour = wanted["colour"] if wanted["colour"] in state.colour_choices() else state.colour_by
        hidden = frozenset(wanted["hidden"]) if colour == wanted["colour"] else frozenset()
        state.restore(Look(selection, colour, known, wanted["head"], hidden), wanted["step"])
        self._views.take_up(wanted["views"])

    def _stored(self) -> dict[str, Any]:
        """What was written down; nothing where it was damaged or by another version."""
        try:
            stored = {"hidden": [], "views": {}} | json.loads(str(self._settings.value(KEY) or "{}"))
            shape = {
                "run": str,
                "selection": list,
                "colour": str,
                "layers": dict,
                "hidden": list,
                "views": dict,
            }
            sound = all(isinstance(stored[name], kind) for name, kind in shape.items())
            sound = sound and all(isinstance(row, int) for row in stored["selection"] + stored["hidden"])
            sound = sound and all(isinstance(stored[name], int | None) for name in ("step", "head"))
        except (ValueError, TypeError, KeyError):
            return {}
        return stored if sound else {}
