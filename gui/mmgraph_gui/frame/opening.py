"""What is opened in the window, dropped on it or pasted: runs, files of weights, and a person's own items."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog

from mmgraph.runs.opened import is_model_file
from mmgraph_gui.asking.own_items import is_own_item
from mmgraph_gui.frame.questions import ask_folder, ask_own_item
from mmgraph_gui.runs.runwatch import run_to_open, runs_among

if TYPE_CHECKING:
    from mmgraph_gui.frame.window import MainWindow


class Opening:
    """Finds out what things are, and hands them to the part of the window that shows such."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def open(self, paths: list[Path]) -> None:
        """Open what was dropped or given: a run, any file in one, or a folder of runs; a file of weights; an own item.

        Of a folder its only run, or the newest that is running, is shown where none is yet.
        """
        self._window.follower.do(lambda: runs_among(paths), lambda found: self._show(paths, *found))

    def ask(self) -> None:
        """Ask which folder to open."""
        chosen = ask_folder(self._window, self._window.runs.root)
        if chosen is not None:
            self.open([chosen])

    def ask_model(self) -> None:
        """Ask for a file of weights and what they are of, and open it."""
        from mmgraph_gui.runs.openmodel import OpenModelDialog

        known = (self._window.state.config or {}).get("options", {}).get("file")
        dialog = OpenModelDialog(self._window.theme, self._window, file=str(known or ""))
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.open_model(dialog.file, dialog.recipe, dialog.values, dialog.model)
        dialog.deleteLater()

    def open_model(
        self,
        file: Path,
        recipe: str | None = None,
        values: Mapping[str, bool | int | float | str | None] | None = None,
        model: str | None = None,
    ) -> None:
        """Make a run of a file of weights in a process of its own, and open it when it appears."""
        cancel = self._window.launcher.open_model(file, recipe, values, model)
        self._window.say(f"Opening {file.name} …", "info", cancel)

    def ask_own_item(self) -> None:
        """Ask for a file and have the model look at it."""
        path = ask_own_item(self._window)
        if path is not None:
            self._window.own.bring_file(path)

    def paste(self) -> None:
        """Have the model look at what is on the clipboard: a picture, a file, or a text."""
        # Of a clipboard that nothing was ever put on Qt has no data at all.
        self.take(QApplication.clipboard().mimeData() or QMimeData())

    def can_take(self, data: QMimeData) -> bool:
        """Whether something can be dropped here."""
        return data.hasUrls() or ((data.hasImage() or data.hasText()) and self._window.state.path is not None)

    def take(self, data: QMimeData) -> None:
        """Open files, and have the model look at a picture or a text."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            self.open(paths)
        elif data.hasImage():
            self._window.own.bring_image(QImage(data.imageData()))
        elif data.hasText():
            self._window.own.bring_text(data.text())
        else:
            self._window.say("There is no picture, file or text that could be looked at.", "info")

    def _show(self, paths: list[Path], runs: list[Path], folders: list[Path]) -> None:
        window = self._window
        if folders:
            self._list(folders[0])
            if not runs:
                window.follower.do(lambda: run_to_open(folders[0]), self._show_first)
        if runs:
            window.open_run(runs[0])
        elif not folders and len(paths) == 1 and is_model_file(paths[0]):
            self.open_model(paths[0])
        elif not folders and paths and all(map(is_own_item, paths)):
            self._bring(paths)
        elif not folders:
            named = ", ".join(f"'{path}'" for path in paths)
            window.say(
                f"{named} is neither a run folder nor a folder of runs: a run holds a file run.db.", "error"
            )

    def _show_first(self, run: Path | None) -> None:
        if run is not None and self._window.state.path is None:
            self._window.open_run(run)

    def _list(self, folder: Path) -> None:
        """Whose runs are listed stands above them: those of another machine cannot be steered from here."""
        window = self._window
        window.runs.set_root(folder)
        host = window.remote.host_of(folder)
        window.run_dock.setWindowTitle(f"Runs on {host}, only to be looked at" if host else "Runs")
        window.actions_["run-list"].setText("Run &list")  # Qt gives it the title

    def _bring(self, paths: list[Path]) -> None:
        if len(paths) > 1:
            self._window.say(f"Bring one item at a time: these are {len(paths):,} files.", "info")
        else:
            self._window.own.bring_file(paths[0])
