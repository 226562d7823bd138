"""What the window does with a run of the table: compare, notes, duplicate, resume, stop, delete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QDialog

from mmgraph.options import options_of
from mmgraph.runs import RunReader, is_run, read_config, read_notes, send_command, write_notes
from mmgraph_gui.runs.discard import discard_run, has_trash
from mmgraph_gui.runs.questions import ask_delete, ask_epochs

if TYPE_CHECKING:
    from mmgraph_gui.frame.window import MainWindow


class RunDeeds:
    """Each deed of the menu is a method of its name."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def do(self, name: str, path: Path) -> None:
        """Do a deed by name; none that would change a copy of a run on another machine."""
        if name in ("notes", "resume", "stop", "delete") and self._window.remote.refuses(path):
            return
        getattr(self, name)(path)

    def notes(self, path: Path) -> None:
        """Ask for tags and notes, and write them into the run."""
        from mmgraph_gui.runs.runnotes import NotesDialog

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
        """Open a run and go on with it from its last checkpoint; of one that has finished, ask how far."""
        window = self._window
        if not is_run(path):
            window.say(f"{path.name} cannot be resumed: it was deleted or moved.")
            window.runs.refresh()
        else:
            window.follower.do(lambda: _trained(path), lambda trained: self._resume(path, *trained))

    def _resume(self, path: Path, finished: bool, epochs: int) -> None:
        window, wanted = self._window, None
        if finished:
            wanted = ask_epochs(window, path.name, epochs)
            if wanted is None:
                return
        if path.absolute() != window.state.path:
            window.open_run(path)
        window.say(_resuming(path), "info", window.launcher.resume(path, wanted))

    def resumed(self, path: Path) -> None:
        """A run that was resumed is being trained: the message about it has done its work."""
        if self._window.banner.text == _resuming(path):
            self._window.banner.hide()

    def stop(self, path: Path) -> None:
        """Ask the process that trains a run to stop."""
        window = self._window
        window.follower.do(
            lambda: send_command(path, "stop"),
            lambda _: window.say(f"{path.name} stops after this step.", "info"),
        )

    def duplicate(self, path: Path) -> None:
        """Open the form of a new run with the options of this one."""
        window = self._window

        def show(config: dict[str, Any]) -> None:
            described, options = config.get("run"), config.get("options")
            recipe = str(described.get("recipe", "")) if isinstance(described, dict) else ""
            if recipe not in registry.names():
                window.say(f"'{path.name}' was made by the recipe '{recipe}', which is not there.", "error")
                return
            # TOML has no None: what may be none and is not written down was none.
            none = {
                option.name: None for option in options_of(registry.recipe(recipe).config) if option.optional
            }
            window.new_run(recipe, {**none, **(options if isinstance(options, dict) else {})})

        from mmgraph.recipes import registry

        window.follower.do(lambda: read_config(path), show)

    def cancel(self, path: Path) -> None:
        """Take a run out of the queue."""
        self._window.queue.cancel(path)

    def delete(self, path: Path) -> None:
        """Ask, and move a run to the trash; where there is none, or it does not take it, ask again and delete it."""
        self._discard(path, trash=has_trash())

    def _discard(self, path: Path, *, trash: bool, why: str = "") -> None:
        window = self._window
        if not ask_delete(window, path.name, trash=trash, why=why):
            return
        if window.state.path == path.absolute():
            window.follower.open(None)
        window.others.set(path, False)

        def failed(text: str) -> None:
            if trash and is_run(path) and "trash" in text:
                self._discard(path, trash=False, why=text)
            else:
                window.say(text)

        window.follower.ask(
            object(),
            (),
            lambda _job, _snapshots: discard_run(path, trash=trash),
            lambda _: window.runs.refresh(),
            failed,
        )


def _trained(path: Path) -> tuple[bool, int]:
    """Whether a run has finished, and how many epochs it was trained."""
    with RunReader(path) as reader:
        status = reader.status()
        return status.state == "finished", round(status.epoch or 0)


def _resuming(path: Path) -> str:
    return f"Resuming {path.name} …"
