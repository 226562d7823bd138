"""The window: run list, views, step bar, tool bar, menus; one model behind them all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QDockWidget,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from mmgraph.runs.opened import is_weights_alone
from mmgraph_gui.asking.model_process import ModelProcess
from mmgraph_gui.asking.own_items import OwnItems
from mmgraph_gui.bars.banner import Banner, Level
from mmgraph_gui.bars.news import News
from mmgraph_gui.bars.statusline import StatusLine
from mmgraph_gui.bars.stepbar import StepBar
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.export.exports import Exports
from mmgraph_gui.frame.actions import Actions
from mmgraph_gui.frame.opening import Opening
from mmgraph_gui.frame.toolbar import RunToolBar
from mmgraph_gui.kept.look_history import LookHistory
from mmgraph_gui.kept.session import Session
from mmgraph_gui.kept.view_session import ViewSession
from mmgraph_gui.processes.launcher import Launcher
from mmgraph_gui.reading.follower import RunFollower
from mmgraph_gui.remote.remote_runs import RemoteRuns
from mmgraph_gui.runs.otherruns import OtherRuns
from mmgraph_gui.runs.recent import RecentRuns
from mmgraph_gui.runs.rundeeds import RunDeeds
from mmgraph_gui.runs.runlist import RunList
from mmgraph_gui.runs.runqueue import RunQueue
from mmgraph_gui.state import AppState, Topic
from mmgraph_gui.views import Context
from mmgraph_gui.views.viewarea import ViewArea

if TYPE_CHECKING:
    from mmgraph_gui.comparing.compare import CompareWindow


OWN_PROGRAM = {
    "checkpoint": "This run is trained by its author's own program, and only that can write a checkpoint of it.",
    "explain": "This run is trained by its author's own program: the model cannot be asked from here.",
    "resume": "This run was trained by its author's own program: start that again to go on.",
}
"""Why something cannot be done with a run of `mmgraph.watch`."""


class MainWindow(QMainWindow):
    """Shows one run of a folder of runs.

    Args:
        root: the folder that holds runs, where new ones are made.
        settings: what is remembered from start to start.
        launcher: starts training; by default this Python with `-m mmgraph`.
    """

    def __init__(self, root: Path, settings: QSettings, launcher: Launcher | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.theme = Theme(settings, self)
        self.theme.changed.connect(self._style)
        self._style()
        self.state = AppState()
        self.follower = RunFollower(self.state, self)
        self.launcher = launcher or Launcher(self)
        self.model = ModelProcess(self.state, self.follower, self)
        self.own = OwnItems(self.state, self.model, self)
        self.area = ViewArea(Context(self.state, self.follower, self.theme, self.model, self.own))
        self.looks = LookHistory(self.state, self.area.show_view, self)
        self.area.made.connect(self.looks.add)
        self.banner = Banner(self.theme)
        self.steps = StepBar(self.state, self.theme)
        self.steps.waits = self.area.is_settling
        self.others = OtherRuns(self.state, self)
        self.comparison: CompareWindow | None = None
        self.runs = RunList(root, self.theme, colour_of=self._colour_of, settings=settings)
        self.opening = Opening(self)
        self.deeds = RunDeeds(self)
        self.exports = Exports(self)
        self.remote = RemoteRuns(self, root)
        self.queue = RunQueue(self.launcher, lambda: any(entry.is_live for entry in self.runs.entries), self)
        self.run_dock = QDockWidget("Runs", self)
        self._assemble()
        self.actions_ = Actions(self)
        self.recent = RecentRuns(self.actions_.recent, settings, lambda path: self.opening.open([path]))
        self.bar = RunToolBar(self.actions_, self.state, self)
        self.addToolBar(self.bar)
        self.status = StatusLine(self.statusBar(), self.state, self.theme)
        self.views_as_before = ViewSession(self.area, self.looks, self)
        self.session = Session(settings, self.state, self.follower, self.views_as_before, self)
        self.news = News(self.state, self.say, self.status.tell)
        self._attached = True
        self._last_started: Path | None = None
        self._refusal = ""
        self._connect()
        self._restore()
        self._enable()
        if self.area.left_out:
            self.say(" ".join(self.area.left_out), "warning")

    # -- runs --------------------------------------------------------------------------------------------

    def open_run(self, path: Path) -> None:
        """Show a run."""
        path = path.absolute()
        self.banner.hide()
        self.follower.open(path)
        self.runs.show_run(path)
        self.recent.add(path)

    def take_up_session(self) -> None:
        """Open what was open when the window was closed the last time, as it was looked at."""
        path = self.session.last_run()
        if path is not None:
            self.session.take_up()
            self.open_run(path)

    def new_run(self, recipe: str | None = None, values: Mapping[str, object] | None = None) -> None:
        """Ask what to train, and start it or let it wait for its turn."""
        from mmgraph_gui.runs.newrun import NewRunDialog

        dialog = NewRunDialog(self.theme, self, recipe=recipe, values=values, settings=self.settings)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            if dialog.queued:
                self.queue.add(dialog.recipe.name, dialog.values(), self.remote.root.absolute())
            else:
                self.start(dialog.recipe.name, dialog.values())
        dialog.deleteLater()

    def start(self, recipe: str, values: dict[str, bool | int | float | str | None]) -> None:
        """Train a recipe in a process of its own and open its run when it appears."""
        cancel = self.launcher.start(recipe, values, self.remote.root.absolute())
        self.say(f"Starting {recipe} …", "info", cancel)

    def resume(self) -> None:
        """Go on after a pause, or take up an ended run from its last checkpoint."""
        status, path = self.state.status, self.state.path
        if status is not None and status.is_live:
            self.follower.send("resume")
        elif path is not None:
            self.deeds.resume(path)

    def pause(self) -> None:
        """Ask training to pause."""
        self.follower.send("pause")

    def stop(self) -> None:
        """Ask training to stop."""
        self.follower.send("stop")

    def checkpoint(self) -> None:
        """Ask training to write a checkpoint."""
        self.follower.send("checkpoint")

    def explain(self, item: int | None = None) -> None:
        """Ask what the answer about an item hangs on, the selected one by default."""
        status, path = self.state.status, self.state.path
        if item is None and len(self.state.selection) == 1:
            item = int(self.state.selection[0])
        if path is None or item is None:
            self.say("Select one item first: Explain shows which edges its answer hangs on.", "info")
            return
        self.area.show_view("graph")
        if status is not None and status.is_live:
            self.follower.send("explain", item)
        else:
            self.say(_explaining(item), "info", self.launcher.explain(path, item))

    def _refused(self, text: str) -> None:
        """Say why an item of one's own cannot be looked at."""
        self.say(text)
        self._refusal = self.banner.text

    def _forget_refusal(self) -> None:
        """Another item was answered: what was said of the last one is old."""
        if self.banner.text == self._refusal:
            self.banner.hide()

    def _explained(self, item: int) -> None:
        if self.banner.text == _explaining(item):
            self.banner.hide()

    def search(self) -> None:
        """Go to the field of the search among the items."""
        from mmgraph_gui.views.items.view import ItemsView

        view = self.area.show_view("items")
        if isinstance(view, ItemsView):
            view.focus_search()

    def neighbours(self) -> None:
        """Find the nearest neighbours of the selected item; where not one alone is, of that under the mouse."""
        from mmgraph_gui.views.items.view import ItemsView

        if len(self.state.selection) != 1 and self.state.hovered is not None:
            self.state.select([self.state.hovered])
        if len(self.state.selection) != 1:
            self.say("Select one item, or point at it, first: N finds the items nearest to it.", "info")
            return
        view = self.area.show_view("items")
        if isinstance(view, ItemsView):
            view.show_neighbours()

    def set_rate(self, text: str) -> None:
        """Ask training for another learning rate."""
        try:
            rate = float(text)
        except ValueError:
            rate = math.nan
        if rate > 0 and math.isfinite(rate):
            self.follower.send("set-learning-rate", rate)
        else:
            self.say(f"The learning rate is a positive number such as 0.001, not '{text}'.", "error")

    # -- actions -----------------------------------------------------------------------------------------

    def focus_rate(self) -> None:
        """Go to the field of the learning rate."""
        self.bar.rate.setFocus()
        self.bar.rate.selectAll()

    def clear(self) -> None:
        """Close the message; where there is none, let one's own item go; where there is none, select nothing."""
        if self.banner.text:
            self.banner.dismiss()
        elif self.state.guest is not None:
            self.own.leave()
        else:
            self.state.clear_selection()
            self.state.set_near(None)

    def reset_layout(self) -> None:
        """All views at their first places."""
        self.area.reset_layout()
        self.run_dock.setFloating(False)
        self.run_dock.show()

    def show_run_table(self) -> None:
        """The runs in a window of their own, wide enough for columns, or back beside the views."""
        dock = self.run_dock
        wide = not (dock.isFloating() and dock.isVisible())
        dock.setFloating(wide)
        dock.show()
        if wide:
            place = self.geometry().adjusted(0, self.height() // 5, 0, -self.height() // 5)
            dock.setGeometry(place.adjusted(self.width() // 20, 0, -self.width() // 20, 0))
        self.runs.view.setFocus()

    def choose_colours(self) -> None:
        """Choose the colours of classes."""
        from mmgraph_gui.frame.colours_dialog import ColoursDialog

        dialog = ColoursDialog(self.theme, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def compare(self, path: Path | None = None) -> None:
        """Show another run beside the open one: by default the first that is checked, else another of its steps."""
        own = self.state.path
        if own is None and path is None:
            self.say("Open a run first: Compare shows another one beside it.", "info")
            return
        if own is None and path is not None:
            self.open_run(path)
        if self.comparison is None or not self.comparison.isVisible():
            from mmgraph_gui.comparing.compare import CompareWindow

            self.comparison = CompareWindow(
                self.area.context,
                self.area.specs,
                lambda: [
                    entry.path for entry in self.runs.entries if entry.state not in ("queued", "unreadable")
                ],
                self,
            )
            self.comparison.setWindowFlag(Qt.WindowType.Window)
        checked = sorted(one for one in self.others.paths if one != own)
        chosen = path or (checked[0] if checked else own)
        if chosen is not None:
            self.comparison.compare_with(chosen)
        self.comparison.show()
        self.comparison.raise_()
        self.comparison.activateWindow()

    def show_commands(self) -> None:
        """Find anything that can be done by typing a few letters of it."""
        from mmgraph_gui.frame.window_commands import offer_commands

        offer_commands(self).setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def show_keys(self) -> None:
        """List every key."""
        from mmgraph_gui.comparing.compare import CompareWindow
        from mmgraph_gui.frame.about import KeysDialog

        keys = self.actions_.key_list()
        for spec in self.area.specs.values():
            if spec.name in self.area.docks:
                keys += [(key, "", what, f"In {spec.title}") for key, what in self.area.keys_of(spec.name)]
        keys += [(key, "", what, "In Compare") for key, what in CompareWindow.keys]
        dialog = KeysDialog(keys, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def show_about(self) -> None:
        """Versions."""
        from mmgraph_gui.frame.about import about_box

        about_box(self).open()

    def say(self, text: str, level: Level = "error", cancel: Callable[[], object] | None = None) -> None:
        """A message in place; news go away by themselves, what can be cancelled, warnings and errors stay."""
        self.banner.show_message(text, level, cancel)

    # -- how it works ------------------------------------------------------------------------------------

    def _style(self) -> None:
        self.setStyleSheet(self.theme.style_sheet())

    def _assemble(self) -> None:
        self.setAcceptDrops(True)
        self.resize(1280, 820)
        self.setMinimumSize(840, 540)  # all views have room in it
        middle = QWidget()
        layout = QVBoxLayout(middle)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.area, 1)
        layout.addWidget(self.steps)
        self.banner.lie_over(self.area)
        self.setCentralWidget(middle)
        self.run_dock.setObjectName("runs")
        self.run_dock.setWidget(self.runs)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.run_dock)
        self.resizeDocks([self.run_dock], [250], Qt.Orientation.Horizontal)

    def _connect(self) -> None:
        self.follower.message.connect(self.say)
        self.follower.opened.connect(self._show_weights)
        self.follower.returned.connect(lambda text: self.say(text, "info"))
        self.area.message.connect(self.say)
        self.area.explain_wanted.connect(self.explain)
        self.own.failed.connect(self._refused)
        self.own.answered.connect(self._forget_refusal)
        self.own.arrived.connect(lambda: self.area.show_view("items"))
        self.launcher.failed.connect(self.say)
        self.launcher.appeared.connect(self._appeared)
        self.launcher.began.connect(self._began)
        self.runs.chosen.connect(self.open_run)
        self.runs.wanted.connect(self.deeds.do)
        self.queue.changed.connect(self.runs.show_queue)
        self.launcher.resumed.connect(self.deeds.resumed)
        self.launcher.explained.connect(self._explained)
        self.queue.started.connect(
            lambda recipe, cancel: self.say(f"Starting {recipe} from the queue …", "info", cancel)
        )
        self.runs.checked.connect(self.others.set)
        self.others.changed.connect(lambda: self.runs.show_checked(self.others.paths))
        self.others.failed.connect(lambda text: self.say(text, "warning"))
        self.bar.rate_chosen.connect(self.set_rate)
        self.state.subscribe(self._state_changed)

    def _appeared(self, path: Path) -> None:
        self._last_started = path.absolute()
        self.open_run(path)

    def _began(self, path: Path) -> None:
        """A run from the queue takes the place of the one before it, not of another that is looked at."""
        watched = self.state.path is None or (self.state.path == self._last_started and self.state.follow)
        if watched:
            self._appeared(path)
        else:
            self._last_started = path.absolute()
            self.runs.refresh()
            self.say(f"{path.name} from the queue is being trained now; it is in the table of runs.", "info")

    def _show_weights(self) -> None:
        """Of a file of weights that was just opened there is nothing to see in the other views."""
        if is_weights_alone(self.state.config) and self.state.path == self._last_started:
            for name in ("filters", "model"):
                self.area.show_view(name)

    def _state_changed(self, topic: Topic) -> None:
        if topic in ("run", "status", "snapshots"):
            self._enable()

    def _enable(self) -> None:
        status = self.state.status
        copied = self.remote.covers(self.state.path)  # a run on another machine is only looked at
        live = status is not None and status.is_live and not copied
        own = self.state.config.get("run", {}).get("recipe") == "watch"
        state = status.state if status is not None and not copied else ""
        can = {
            "pause": state == "running",
            "resume": state == "paused" or (state in ("stopped", "failed", "interrupted") and not own),
            "stop": live,
            "rate": live,
            "checkpoint": live and not own,
            "explain": "graph" in self.state.kinds() and not copied and not own,
            "neighbours": "embedding" in self.state.kinds(),
        }
        for name, enabled in can.items():
            self.actions_.enable(name, enabled, OWN_PROGRAM.get(name, "") if own else "")
        self.bar.set_live(live)
        path = self.state.path
        host = self.remote.host_of(path)
        self.setWindowTitle(f"{path.name}{f' on {host}' if host else ''} – mmgraph" if path else "mmgraph")

    def _colour_of(self, path: Path) -> str | None:
        slot = self.others.slot_of(path)
        return None if slot is None else self.theme.run(slot)

    def _restore(self) -> None:
        for name, put in (
            ("geometry", self.restoreGeometry),
            ("window", self.restoreState),
            ("views", self.area.restore),
        ):
            stored = self.settings.value(name)
            if isinstance(stored, QByteArray):
                put(stored)
        if (view := str(self.settings.value("view") or "")) in self.area.docks:
            self.area.docks[view].raise_()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.opening.can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.opening.take(event.mimeData())

    def closeEvent(self, event: QCloseEvent) -> None:
        self.settings.setValue("geometry", self.saveGeometry())
        self.settings.setValue("window", self.saveState())
        self.settings.setValue("views", self.area.saveState())
        self.settings.setValue("view", self.area.current)
        self.session.keep()
        if self._attached:
            self._attached = False
            self.actions_.detach()
        self.views_as_before.close()
        self.looks.close()
        self.area.detach()
        self.own.close()
        self.model.close()
        if self.comparison is not None:
            self.comparison.close()
        self.queue.close()
        self.remote.close()
        self.others.close()
        self.follower.close()
        self.runs.close_worker()
        self.launcher.close()
        super().closeEvent(event)


def _explaining(item: int) -> str:
    return f"Explaining item {item} …"
