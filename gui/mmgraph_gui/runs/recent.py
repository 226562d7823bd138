"""The runs that were opened last, remembered from start to start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMenu

KEPT = 10


class RecentRuns:
    """Fills a menu; choosing an entry calls `open_run`."""

    def __init__(self, menu: QMenu, settings: QSettings, open_run: Callable[[Path], None]) -> None:
        self._menu, self._settings, self._open = menu, settings, open_run
        self._fill()

    def paths(self) -> list[str]:
        """The newest first."""
        stored = self._settings.value("recent")
        return [str(path) for path in stored] if isinstance(stored, list) else [str(stored)] if stored else []

    def add(self, path: Path) -> None:
        """Put a run on top."""
        others = [known for known in self.paths() if known != str(path)]
        self._settings.setValue("recent", [str(path), *others][:KEPT])
        self._fill()

    def _fill(self) -> None:
        self._menu.clear()
        for path in self.paths():
            self._menu.addAction(path).triggered.connect(lambda _=False, path=path: self._open(Path(path)))
        self._menu.setEnabled(bool(self.paths()))
