"""The thread that reads what is new in the open run."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from PySide6.QtCore import QThread, Signal

from mmgraph.errors import MMGraphError
from mmgraph.runs import Cursor, ItemSet, RunReader, is_run

LIVE_SECONDS = 0.25
IDLE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Poller(QThread):
    """Polls one run folder until `stop` is set.

    Signals (the first argument is always the poller's number):
        began(int, dict): the run could be opened; its config, as an object because Qt would sort a dict.
        polled(int, Update, ItemSet | None, bool): what is new; the item set where it changed; whether it is the
            first poll.
        failed(int, str): what could not be read; polling has ended, unless it was only the item set.
    """

    began = Signal(int, object)
    polled = Signal(int, object, object, bool)
    failed = Signal(int, str)

    def __init__(self, number: int, path: Path) -> None:
        super().__init__()
        self.number = number
        self.path = path
        self.stop = threading.Event()

    def run(self) -> None:
        try:
            with RunReader(self.path) as reader:
                self.began.emit(self.number, reader.config)
                self._follow(reader)
        except MMGraphError as error:
            self.failed.emit(self.number, str(error))
        except Exception as error:
            _log.exception("following a run failed")
            self.failed.emit(self.number, f"'{self.path}' could not be followed any further ({error}).")

    def _follow(self, reader: RunReader) -> None:
        cursor, stamp, first = Cursor(), 0, True
        while not self.stop.is_set():
            if not is_run(self.path):
                text = f"'{self.path}' was moved or deleted; what was read of it stays on screen."
                self.failed.emit(self.number, text)
                return
            update = reader.poll(cursor)
            items, stamp = self._changed_items(reader, stamp)
            self.polled.emit(self.number, update, items, first)
            cursor, first = update.cursor, False
            self.stop.wait(LIVE_SECONDS if update.status.is_live else IDLE_SECONDS)

    def _changed_items(self, reader: RunReader, stamp: int) -> tuple[ItemSet | None, int]:
        names = reader.item_names()
        if not names:
            return None, stamp
        name = "items" if "items" in names else names[0]
        try:
            changed = (self.path / "items" / f"{name}.safetensors").stat().st_mtime_ns
            return (reader.items(name), changed) if changed != stamp else (None, stamp)
        except (MMGraphError, OSError) as error:
            if stamp != -1:
                self.failed.emit(self.number, str(error))
            return None, -1
