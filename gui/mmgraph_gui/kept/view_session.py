"""What was chosen in each view and which part it showed, kept from one start to the next."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer

from mmgraph_gui.kept.look_history import LookHistory
from mmgraph_gui.kept.look_notes import noted, read_look
from mmgraph_gui.views import View
from mmgraph_gui.views.viewarea import ViewArea

LOOK_MILLISECONDS = 50

_log = logging.getLogger(__name__)


@dataclass
class _Wanted:
    """What a view was like.

    Args:
        chosen: whether its choosers were put back already.
        rounds: how often its look may still be put back: with three dimensions it is drawn anew in between.
    """

    note: dict[str, Any]
    chosen: bool = False
    rounds: int = 2


class ViewSession(QObject):
    """Puts back each view once it has drawn: its choosers at once, its part when all that it waits for is there.

    Args:
        area: the views; those that nobody has seen yet keep what was written down of them.
        looks: the history, which starts from what is put back.
    """

    def __init__(self, area: ViewArea, looks: LookHistory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._area, self._looks = area, looks
        self._wanted: dict[str, _Wanted] = {}
        self._settled = QTimer(self, interval=LOOK_MILLISECONDS, singleShot=True)
        self._settled.timeout.connect(self._look)
        area.made.connect(self._made)

    def notes(self) -> dict[str, Any]:
        """What each view is like now, by name."""
        notes = {name: wanted.note for name, wanted in self._wanted.items()}
        for name, view in self._area.views.items():
            if name not in notes:
                look = noted(view.look()) if view.look_kind is not None else None
                notes[name] = {"chosen": view.choosers.values(), "look": look}
        return notes

    def take_up(self, notes: dict[str, Any]) -> None:
        """Make the views like this, those that are not there yet when they are."""
        self._wanted = {name: _Wanted(note) for name, note in notes.items() if isinstance(note, dict)}
        self._settled.start()

    def forget(self) -> None:
        """Another run was opened."""
        self._wanted.clear()
        self._settled.stop()

    def close(self) -> None:
        """The views go."""
        self._settled.stop()

    def _made(self, name: str, view: View) -> None:
        view.drew.connect(self._drew)
        view.looked.connect(lambda: self._wanted.pop(name, None))

    def _drew(self) -> None:
        if self._wanted and not self._settled.isActive():
            self._settled.start()

    def _look(self) -> None:
        waits = False
        for name, wanted in tuple(self._wanted.items()):
            view = self._area.views.get(name)
            if view is None or not view.isVisible():
                continue
            if not wanted.chosen and not view.is_pending:
                wanted.chosen = True
                chosen = wanted.note.get("chosen")
                if isinstance(chosen, dict):
                    view.choosers.restore(chosen)
            if view.is_pending or self._area.context.follower.is_busy:
                waits = True
                continue
            wanted.rounds -= 1
            self._put_back(name, view, wanted)
            if view.is_pending and wanted.rounds:
                self._wanted[name], waits = wanted, True
        if waits:
            self._settled.start()

    def _put_back(self, name: str, view: View, wanted: _Wanted) -> None:
        del self._wanted[name]  # what is looked at from here on was moved by somebody
        if view.look_kind is None:
            return
        try:
            self._looks.restore(name, read_look(view.look_kind, wanted.note.get("look")))
        except (ValueError, TypeError, ArithmeticError, IndexError):
            _log.info("what was kept of the view %s was damaged", name)
