"""Runs on another machine in the window: opened by their address, shown from a copy, only to be looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QInputDialog

from mmgraph.errors import ConfigError
from mmgraph_gui.remote.address import Address
from mmgraph_gui.remote.mirror import Mirror

if TYPE_CHECKING:
    from mmgraph_gui.frame.window import MainWindow


class RemoteRuns:
    """At most one address at a time.

    Args:
        window: what shows them.
        home: the folder for new runs, which can be made on this machine only.
    """

    def __init__(self, window: MainWindow, home: Path) -> None:
        self._window, self._home = window, home
        self._mirror: Mirror | None = None

    @property
    def root(self) -> Path:
        """Where new runs go: the folder that is listed, unless it is a copy."""
        listed = self._window.runs.root
        return self._home if self.host_of(listed) else listed

    def covers(self, path: Path | None) -> bool:
        """Whether a run is only a copy."""
        return self._mirror is not None and self._mirror.covers(path)

    def host_of(self, path: Path | None) -> str:
        """The machine that a run, or a folder of runs, is a copy from; empty where it is none."""
        if self._mirror is None or path is None or not (self.covers(path) or self.covers(path / "run")):
            return ""
        return self._mirror.address.host

    def refuses(self, path: Path | None) -> bool:
        """Say so where a run is only a copy, which cannot be changed."""
        if self._mirror is None or not self.covers(path):
            return False
        self._window.say(
            f"This is a copy of '{self._mirror.address.text}', only to be looked at. Change the run over there.",
            "info",
        )
        return True

    def ask(self) -> None:
        """Ask for an address, and open it."""
        before = str(self._window.settings.value("remote") or "ssh://")
        text, fine = QInputDialog.getText(
            self._window, "Open runs on another machine", "Address: ssh://user@host/path", text=before
        )
        if fine:
            self.open(text.strip())

    def open(self, text: str) -> None:
        """Copy the runs at an address, show them, and keep the copy up to date."""
        window = self._window
        try:
            address = Address.parse(text)
        except ConfigError as error:
            window.say(str(error))
            return
        self.close()
        self._mirror = Mirror(address)
        self._mirror.ready.connect(lambda folder: window.opening.open([folder]))
        self._mirror.failed.connect(lambda told: window.say(told, "warning"))
        self._mirror.recovered.connect(lambda: window.say(f"'{text}' can be read again.", "info"))
        self._mirror.start()
        window.settings.setValue("remote", text)
        window.say(f"Copying from {text} …", "info")

    def close(self) -> None:
        """Copy no more; what has been copied stays."""
        if self._mirror is not None:
            self._mirror.close()
            self._mirror = None
