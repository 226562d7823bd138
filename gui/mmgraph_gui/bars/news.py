"""What a run reports while one looks at it, told as messages; what happened before stays in the log."""

from __future__ import annotations

from collections.abc import Callable

from mmgraph_gui.bars.banner import Level
from mmgraph_gui.state import AppState, Topic

TOLD_KINDS = ("command", "nan", "early-stop", "dropped", "growth")
"""Kinds of event that are worth a message; warnings and errors always are."""

ENDINGS = {
    "failed": "The run failed: {message}",
    "interrupted": "The run was interrupted: {message}. Resume goes on from its last checkpoint.",
}


class News:
    """Tells new events and bad endings of the open run, each once.

    Args:
        say: shows a warning or an error.
        mention: shows what is only good to know.
    """

    def __init__(
        self, state: AppState, say: Callable[[str, Level], None], mention: Callable[[str], None]
    ) -> None:
        self._state, self._say, self._mention = state, say, mention
        self._told: int | None = None
        self._ending = ""
        state.subscribe(self._changed)

    def _changed(self, topic: Topic) -> None:
        state = self._state
        if topic == "run":
            self._told, self._ending = None, ""
        if state.status is None:
            return
        if topic == "events" and self._told is not None:
            for event in state.events[self._told :] if self._ending not in ENDINGS else ():
                if event.level in ("warning", "error"):
                    self._say(event.message, "error" if event.level == "error" else "warning")
                elif event.kind in TOLD_KINDS:
                    self._mention(event.message)
            self._told = len(state.events)
        if topic == "status":
            if self._told is None:
                self._told = len(state.events)  # this first status came with what had happened before
            if state.status.state != self._ending and state.status.state in ENDINGS:
                self._say(
                    ENDINGS[state.status.state].format(message=state.status.message.rstrip(".")), "error"
                )
            self._ending = state.status.state
