"""The thread that reads what is new in the open run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QThread, Signal

from mmgraph.errors import MMGraphError
from mmgraph.runs import Cursor, ItemSet, RunReader
from mmgraph.runs.schema import DATABASE_FILE

LIVE_SECONDS = 0.25
IDLE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Poller(QThread):
    """Polls one run folder until `stop` is set.

    Signals (the first argument is always the poller's number):
        began(int, dict): the run could be opened; its config, as an object because Qt would sort a dict.
        polled(int, Update, ItemSet | None, bool): what is new; the item set where it changed; whether it is the
            first poll.
        failed(int, str): what could not be read; a run that could be opened is looked for until it is there again.
        returned(int): it is there again.
    """

    began = Signal(int, object)
    polled = Signal(int, object, object, bool)
    failed = Signal(int, str)
    returned = Signal(int)

    def __init__(self, number: int, path: Path) -> None:
        super().__init__()
        self.number = number
        self.path = path
        self.stop = threading.Event()
        self._config: dict[str, Any] | None = None
        self._cursor, self._stamp, self._first = Cursor(), 0, True
        self._told = ""

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self._read()
            except MMGraphError as error:
                self._tell(str(error))
            except Exception as error:
                _log.exception("following a run failed")
                self._tell(f"'{self.path}' could not be followed any further ({error}).")
            if self._config is None:
                return
            self.stop.wait(IDLE_SECONDS)

    def _read(self) -> None:
        """Follow the run while it can be read."""
        if self._config is not None and (gone := _why_gone(self.path)):
            self._tell(gone)
            return
        with RunReader(self.path) as reader:
            if self._config is None:
                self.began.emit(self.number, reader.config)
            elif _created(reader.config) != _created(self._config):
                self._tell(f"'{self.path}' is another run now: open it again.")
                return
            self._config = reader.config
            self._follow(reader)

    def _follow(self, reader: RunReader) -> None:
        while not self.stop.is_set():
            if gone := _why_gone(self.path):
                self._tell(gone)
                return
            update = reader.poll(self._cursor)
            items = self._changed_items(reader)
            self.polled.emit(self.number, update, items, self._first)
            self._cursor, self._first = update.cursor, False
            if self._told:
                self._told = ""
                self.returned.emit(self.number)
            self.stop.wait(LIVE_SECONDS if update.status.is_live else IDLE_SECONDS)

    def _tell(self, text: str) -> None:
        """Once, not every two seconds."""
        if text != self._told:
            self._told = text
            self.failed.emit(self.number, text)

    def _changed_items(self, reader: RunReader) -> ItemSet | None:
        names = reader.item_names()
        if not names:
            return None
        name = "items" if "items" in names else names[0]
        before = self._stamp
        try:
            self._stamp = (self.path / "items" / f"{name}.safetensors").stat().st_mtime_ns
            return reader.items(name) if self._stamp != before else None
        except (MMGraphError, OSError) as error:
            self._stamp = -1
            if before != -1:
                self.failed.emit(self.number, str(error))
            return None


def _created(config: Mapping[str, Any]) -> object:
    described = config.get("run")
    return described.get("created") if isinstance(described, dict) else None


def _why_gone(path: Path) -> str:
    """Why a run that was open is not there any more; empty where it is."""
    try:
        (path / DATABASE_FILE).stat()
    except (FileNotFoundError, NotADirectoryError):
        return f"'{path}' was moved or deleted; what was read of it stays on screen."
    except OSError as error:
        return (
            f"'{path}' cannot be read any more ({error.strerror or error}); what was read of it stays on screen, "
            "and it goes on when it can be read again."
        )
    return ""
