"""What the window does with a run of the table: notes, resume, stop, delete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog

from mmgraph.runs import delete_run, read_notes, send_command, write_notes
from mmgraph_gui.questions import ask_delete

if TYPE_CHECKING:
    from mmgraph_gui.window import MainWindow


class RunDeeds:
    """Each deed of the menu is a method of its name."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def do(self, name: str, path: Path) -> None:
        """Do a deed by name."""
        getattr(self, name)(path)

    def notes(self, path: Path) -> None:
        """Ask for tags and notes, and write them into the run."""
        from mmgraph_gui.runnotes import NotesDialog

        window = self._window
        known = {tag for entry in window.runs.entries for tag in entry.summary.notes.tags}
        dialog = NotesDialog(path.name, read_notes(path), known, window)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            notes = dialog.notes()
            window.follower.do(lambda: write_notes(path, notes), lambda _: window.runs.refresh())
        dialog.deleteLater()

    def compare(self, path: Path) -> None:
        """Show a run beside the open one; where none is open, it is opened and compared with itself."""
        self._window.compare(path)

    def resume(self, path: Path) -> None:
        """Open a run and go on with it from its last checkpoint."""
        window = self._window
        if path.absolute() != window.state.path:
            window.open_run(path)
        window.say(f"Resuming {path.name} …", "info")
        window.launcher.resume(path)

    def stop(self, path: Path) -> None:
        """Ask the process that trains a run to stop."""
        window = self._window
        window.follower.do(
            lambda: send_command(path, "stop"),
            lambda _: window.say(f"{path.name} stops after this step.", "info"),
        )

    def delete(self, path: Path) -> None:
        """Ask, and delete a run."""
        window = self._window
        if ask_delete(window, path.name):
            if window.state.path == path.absolute():
                window.follower.open(None)
            window.follower.do(lambda: delete_run(path), lambda _: window.runs.refresh())
