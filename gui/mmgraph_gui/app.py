"""Starts the window."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mmgraph.errors import UsageError
from mmgraph_gui.display import check_display
from mmgraph_gui.remote.address import SCHEME

if TYPE_CHECKING:
    from mmgraph_gui.collector import Collector
    from mmgraph_gui.frame.window import MainWindow

SWITCH_SECONDS = 0.001
"""How long a worker thread may keep the interpreter from the UI thread; Python's own value is 0.005."""


def main(path: Path | str | None = None, *, demo: bool = False, runs: Path | None = None) -> int:
    """Open the window and stay until it is closed; returns the exit code.

    Args:
        path: a run, a file in one, or a folder of runs to open, here or as ssh://host/path; by default what was open
            the last time.
        demo: start the default recipe right away.
        runs: the folder that holds runs.

    Raises:
        UsageError: there is nothing at the path.
        DisplayError: there is no display that Qt can use.
    """
    if path is not None and not str(path).startswith(SCHEME):
        _check_there(path)
    check_display()
    from PySide6.QtCore import QSettings, QTimer
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from mmgraph.runs import runs_root
    from mmgraph_gui.frame.window import MainWindow

    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    app.setApplicationName("mmgraph")
    app.setDesktopFileName("mmgraph")
    app.setStyle("Fusion")
    app.setWindowIcon(QIcon(str(Path(__file__).with_name("icons") / "mmgraph.svg")))
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    window = MainWindow(runs_root(runs), QSettings("mmgraph", "mmgraph"))
    _report_to(window.say)
    if path is not None and str(path).startswith(SCHEME):
        window.remote.open(str(path))
    elif path is not None:
        window.opening.open([Path(path)])
    elif not demo:
        window.take_up_session()
    if demo:
        QTimer.singleShot(0, lambda: _start_demo(window))
    collector = show(window)
    code = app.exec()
    collector.close()
    return code


def show(window: MainWindow) -> Collector:
    """Show the window, with what goes on behind it: compiled loops are loaded, garbage is collected between events.

    Close what is returned when the event loop has ended.
    """
    from PySide6.QtCore import QTimer

    from mmgraph_gui.collector import Collector
    from mmgraph_gui.warm_up import DELAY_MILLISECONDS, WarmUp

    warm_up = WarmUp(window.follower, window)
    warm_up.said.connect(window.status.tell)
    QTimer.singleShot(DELAY_MILLISECONDS, warm_up.start)
    window.show()
    sys.setswitchinterval(SWITCH_SECONDS)
    return Collector()


def _check_there(path: Path | str) -> None:
    """What may not be read, or holds no runs, the window itself tells of."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise UsageError(
            f"There is nothing at '{path}'; give a run, a folder of runs, a file of weights or ssh://host/path."
        ) from error
    except OSError:
        return


def _start_demo(window: MainWindow) -> None:
    from mmgraph.recipes.registry import DEFAULT

    window.start(DEFAULT, {})


def _report_to(say: Callable[[str], None]) -> None:
    """What nobody expected becomes a message; the traceback goes to the terminal."""

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        if not isinstance(error, KeyboardInterrupt):
            say(f"Something went wrong in the window ({kind.__name__}: {error}). Training is not affected.")

    sys.excepthook = report
