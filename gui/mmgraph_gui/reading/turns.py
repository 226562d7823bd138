"""Draws one thing at a time: between two, the window answers to mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from PySide6.QtCore import QObject, QTimer


class Turns(QObject):
    """A line in which views wait for the UI thread.

    When the first items of a run arrive, every view draws; one after the other in the same turn of the event loop,
    they would keep the window from answering for as long as all of them take together.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[Hashable, Callable[[], None]] = {}
        self._timer = QTimer(self, interval=0, singleShot=True)
        self._timer.timeout.connect(self._next)

    def take(self, key: Hashable, draw: Callable[[], None]) -> None:
        """Call `draw` when those that came before have drawn. Of what waits under one key only the latest is called."""
        self._waiting[key] = draw
        if not self._timer.isActive():
            self._timer.start()

    def waits(self, key: Hashable) -> bool:
        """Whether something with that key waits for its turn."""
        return key in self._waiting

    def drop(self, key: Hashable) -> None:
        """What waits under that key is not called any more."""
        self._waiting.pop(key, None)

    def close(self) -> None:
        """Nothing is called any more."""
        self._timer.stop()
        self._waiting.clear()

    def _next(self) -> None:
        if self._waiting:
            draw = self._waiting.pop(next(iter(self._waiting)))
            if self._waiting:
                self._timer.start()
            draw()
