"""What the window writes into files when it is asked: the current view, or a report of the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from mmgraph.errors import UsageError
from mmgraph_gui.asking.progress import Progress, write_in_worker
from mmgraph_gui.export.questions import ask_export, ask_report
from mmgraph_gui.export.view_file import export_view, picture_of

if TYPE_CHECKING:
    from mmgraph_gui.frame.window import MainWindow


class Exports:
    """Asks for files and has them written."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def ask_view(self) -> None:
        """Ask for a file and write the current view into it."""
        window, view = self._window, self._window.area.current_view()
        if view is None:
            return
        run = window.state.path.name if window.state.path else "mmgraph"
        asked = ask_export(window, view, f"{run}-{view.name}-step{window.state.step}")
        if asked is not None:
            self.view(view.name, *asked)

    def view(self, name: str, path: Path, scale: float = 1.0) -> None:
        """Write a view into a file; its ending says how."""
        window = self._window
        try:
            export_view(window.area.views[name], path, window.follower, self._told, scale)
        except UsageError as error:
            window.say(str(error))

    def copy_view(self) -> None:
        """Put a picture of the current view onto the clipboard."""
        view = self._window.area.current_view()
        if view is not None:
            QApplication.clipboard().setImage(picture_of(view))
            self._told(f"Copied {view.title} as a picture.")

    def ask_report(self) -> None:
        """Ask for a file and write a report of the run into it."""
        window = self._window
        if window.state.path is None:
            self._told("Open a run first: a report is about one run.")
            return
        path = ask_report(window, window.state.path.name)
        if path is not None:
            self.report(path)

    def report(self, path: Path) -> None:
        """Write a report: a web page made from the run, or a PDF of what the views show at this step."""
        window, run = self._window, self._window.state.path
        if run is None:
            return
        told = f"Wrote the report to '{path}'."
        if path.suffix.lower() == ".pdf":
            from mmgraph_gui.export.pdf_report import PdfReport

            try:
                PdfReport(window, path, lambda: self._told(told)).begin()
            except UsageError as error:
                window.say(str(error))
        else:
            write_in_worker(
                window,
                window.follower,
                "Writing the report",
                lambda progress: _write_page(run, path, progress),
                lambda: self._told(told),
            )

    def _told(self, text: str) -> None:
        self._window.say(text, "info")


def _write_page(run: Path, path: Path, progress: Progress) -> None:
    from mmgraph.report import write_report
    from mmgraph.runs import RunReader

    with RunReader(run) as reader:
        write_report(reader, path, progress)
