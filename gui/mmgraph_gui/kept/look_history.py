"""Lets undo take back how views were moved, zoomed and turned, and what was chosen in them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication

from mmgraph_gui.state import AppState, Topic
from mmgraph_gui.views import View

TYPING_SECONDS = 2.0
"""What is typed or dragged in the same field within so long is one change."""
MOVEMENT_SECONDS = 0.7
"""What follows sooner is the same movement: turns of the wheel, a key that is held down."""
CLICK_SECONDS = 0.1


OF_VIEW = "/"
"""Between the name of a view and that of one of its choosers."""


class LookHistory(QObject):
    """Notes in the state which part views show, and shows again what undo brings back.

    Args:
        state: whose undo it is.
        show: brings a view to the front, by name, so that one sees what undo does.
    """

    def __init__(self, state: AppState, show: Callable[[str], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._show = state, show
        self._views: dict[str, View] = {}
        self._seen: dict[str, Any] = {}
        self._applied: dict[str, Any] = {}
        self._moved = ("", 0.0)
        self._busy = False
        self._unsubscribe = state.subscribe(self._changed)

    def add(self, name: str, view: View) -> None:
        """Take in another view."""
        self._views[name] = view
        self._seen[name] = view.look()
        view.drew.connect(lambda: self._drew(name))
        view.looked.connect(lambda: self._looked(name))
        view.choosers.chosen.connect(lambda chooser, before, now: self._chose(name, chooser, before, now))

    def close(self) -> None:
        """The views go."""
        self._unsubscribe()
        for part in tuple(self._state.parts):
            if part.split(OF_VIEW)[0] in self._views:
                self._state.forget_part(part)
        self._views.clear()

    def restore(self, name: str, look: Any) -> None:
        """Look at a view as at the last start; undo does not go back before that."""
        self._busy = True
        try:
            self._views[name].look_at(look)
        finally:
            self._busy = False
            self._seen[name] = self._views[name].look()

    def _drew(self, name: str) -> None:
        """What is fitted in anew, such as the filters of another layer, is looked at from there."""
        if name in self._views:
            self._seen[name] = self._views[name].look()
            self._views[name].choosers.look_again()

    def _chose(self, name: str, chooser: str, before: Any, now: Any) -> None:
        if self._busy or name not in self._views:
            return
        part = f"{name}{OF_VIEW}{chooser}"
        seconds = TYPING_SECONDS if self._views[name].choosers[chooser].typed else MOVEMENT_SECONDS
        self._state.set_part(part, before, now, goes_on=self._goes_on(part, seconds))
        self._moved = (part, time.monotonic())

    def _looked(self, name: str) -> None:
        if self._busy or name not in self._views:
            return
        look = self._views[name].look()
        self._state.set_part(name, self._seen[name], look, goes_on=self._goes_on(name, MOVEMENT_SECONDS))
        self._moved = (name, time.monotonic())
        self._seen[name] = self._applied[name] = look

    def _goes_on(self, name: str, seconds: float) -> bool:
        what, when = self._moved
        since = time.monotonic() - when
        if what == "layer":  # a click on a layer chooses it everywhere and shows it here
            return since < CLICK_SECONDS
        held = QApplication.mouseButtons() != Qt.MouseButton.NoButton
        return what == name and name in self._state.parts and (held or since < seconds)

    def _changed(self, topic: Topic) -> None:
        if topic in ("selection", "layer", "run"):
            self._moved = (topic, time.monotonic())
        if topic != "part":
            return
        if self._busy:
            return
        self._busy = True
        try:
            for name, look in tuple(self._state.parts.items()):
                if OF_VIEW in name:
                    self._put_back(name, look)
                    continue
                view = self._views.get(name)
                if view is not None and look is not self._applied.get(name):
                    self._show(name)
                    view.look_at(look)
                    view.looked.emit()  # for a view that is locked to it
                    self._seen[name] = self._applied[name] = look
        finally:
            self._busy = False
            self._moved = ("", 0.0)

    def _put_back(self, part: str, value: Any) -> None:
        name, chooser = part.split(OF_VIEW, 1)
        view = self._views.get(name)
        if view is not None and view.choosers[chooser].get() != value:
            self._show(name)
            view.choosers.restore({chooser: value})
            view.looked.emit()  # for a view that is locked to it
