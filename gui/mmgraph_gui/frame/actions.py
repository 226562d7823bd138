"""Every action of the window: one table gives menu entry, key, icon and accessible name."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QMenu, QWidget

from mmgraph_gui.drawing.icon import icon
from mmgraph_gui.views.registry import view_key

if TYPE_CHECKING:
    from mmgraph_gui.frame.window import MainWindow


@dataclass(frozen=True)
class Entry:
    """One action: `slot` is a method of the window or of one of its parts, such as "state.undo"."""

    name: str
    text: str
    key: str
    slot: str
    tip: str
    icon: str = ""
    checkable: bool = False


MENUS: dict[str, tuple[Entry | None, ...]] = {
    "&File": (
        Entry("new", "&New run…", "Ctrl+N", "new_run", "Choose a recipe and start training", "new"),
        Entry("open", "&Open run…", "Ctrl+O", "opening.ask", "Open the folder of a run, or of many", "open"),
        Entry(
            "open-model",
            "Open mo&del…",
            "Ctrl+M",
            "opening.ask_model",
            "Look inside a trained model: a file of weights, and what computes with them",
        ),
        Entry(
            "open-remote",
            "Open on another &machine…",
            "Ctrl+Shift+O",
            "remote.ask",
            "Watch runs of another machine through ssh",
        ),
        Entry("find-run", "&Find run", "Ctrl+F", "runs.focus_search", "Search the table of runs"),
        None,
        Entry("export", "&Export view…", "Ctrl+E", "exports.ask_view", "Save the view as PNG, SVG or CSV"),
        Entry("copy", "&Copy view", "Ctrl+Shift+C", "exports.copy_view", "Copy the view as a picture"),
        Entry(
            "report",
            "Export &report…",
            "Ctrl+Shift+E",
            "exports.ask_report",
            "Save the run as a web page or as a PDF",
        ),
        None,
        Entry("quit", "&Quit", "Ctrl+Q", "close", "Close the window; training goes on"),
    ),
    "&Edit": (
        Entry(
            "undo",
            "&Undo",
            "Ctrl+Z",
            "state.undo",
            "Take back the last selection, colour, layer or head, what was chosen in a view, or how it was moved",
        ),
        Entry("redo", "&Redo", "Ctrl+Shift+Z", "state.redo", "Take back an undo"),
        Entry("clear", "&Clear selection", "Esc", "clear", "Select nothing"),
        None,
        Entry("search", "&Search items", "/", "search", "Find items by id, label and text"),
        Entry(
            "neighbours",
            "&Nearest neighbours",
            "N",
            "neighbours",
            "Find the items most like the selected one",
        ),
        None,
        Entry(
            "own",
            "Add own &item…",
            "Ctrl+I",
            "opening.ask_own_item",
            "See what the model makes of your own image, text, sound or clip, and where it lands",
        ),
        Entry(
            "paste", "&Paste as own item", "Ctrl+V", "opening.paste", "The same with what is on the clipboard"
        ),
    ),
    "&Run": (
        Entry("pause", "&Pause", "Ctrl+P", "pause", "Pause training after this step", "pause"),
        Entry("resume", "&Resume", "Ctrl+R", "resume", "Go on with training", "play"),
        Entry("stop", "&Stop", "Ctrl+.", "stop", "Stop training with a checkpoint", "stop"),
        None,
        Entry("rate", "Set &learning rate", "Ctrl+L", "focus_rate", "Type another learning rate"),
        Entry("checkpoint", "&Checkpoint now", "Ctrl+S", "checkpoint", "Write a checkpoint", "checkpoint"),
        Entry(
            "explain",
            "&Explain selection",
            "X",
            "explain",
            "Which edges the answer about the selected item hangs on",
        ),
    ),
    "&Step": (
        Entry("previous", "&Previous", "Left", "steps.previous.click", "Previous snapshot"),
        Entry("next", "&Next", "Right", "steps.next.click", "Next snapshot"),
        Entry("first", "&First", "Home", "steps.go_first", "First snapshot"),
        Entry("last", "&Last", "End", "steps.go_last", "Newest snapshot; follows a live run"),
        Entry("play", "P&lay", "Space", "steps.toggle_play", "Play the snapshots one after another"),
    ),
    "&View": (
        Entry("colours", "&Colours of classes…", "", "choose_colours", "Choose or change the palette"),
        Entry(
            "compare", "&Compare…", "Ctrl+D", "compare", "Another run, or another step, beside the open run"
        ),
        Entry(
            "run-table",
            "&Wide table of runs",
            "Shift+F9",
            "show_run_table",
            "The runs in a window of their own, with columns; again to put them back",
        ),
        Entry("layout", "&Reset layout", "Ctrl+0", "reset_layout", "Put all views back to their places"),
    ),
    "&Help": (
        Entry(
            "commands", "&Commands…", "Ctrl+K", "show_commands", "Find anything that can be done by typing"
        ),
        Entry("keys", "&Keys", "F1", "show_keys", "List every key"),
        Entry("about", "&About mmgraph", "", "show_about", "Version and versions of what it stands on"),
    ),
}

THEMES = {"system": "As the system", "light": "Light", "dark": "Dark"}

_SHARED_KEY = "Space"
"""Buttons and lists need it for themselves while they have the focus."""


class Actions(QObject):
    """The actions of a window, by name, in menus."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.by_name: dict[str, QAction] = {}
        self._icons: dict[str, str] = {}
        self._menus: dict[str, QMenu] = {}
        for title, entries in MENUS.items():
            menu = window.menuBar().addMenu(title)
            menu.setToolTipsVisible(True)
            self._menus[title] = menu
            for entry in entries:
                if entry is None:
                    menu.addSeparator()
                else:
                    menu.addAction(self._make(entry, operator.attrgetter(entry.slot)(window)))
        self.recent = QMenu("Open &recent", window)
        self._menus["&File"].insertMenu(self._menus["&File"].actions()[2], self.recent)
        self._add_views(self._menus["&View"])
        window.theme.changed.connect(self.style)
        self.style()
        QApplication.instance().focusChanged.connect(self._focus_moved)  # type: ignore[union-attr]

    def __getitem__(self, name: str) -> QAction:
        return self.by_name[name]

    def style(self) -> None:
        """Draw the icons in the colours of the theme."""
        for name, picture in self._icons.items():
            self.by_name[name].setIcon(icon(picture, self._window.theme.palette))

    def enable(self, name: str, on: bool, why_not: str = "") -> None:
        """Whether an action can be done now; where it cannot, its tip may say why."""
        action = self.by_name[name]
        action.setEnabled(on)
        action.setToolTip(why_not if why_not and not on else _tip(action.whatsThis(), action.data()))

    def key_list(self) -> list[tuple[str, str, str, str]]:
        """(key, action, what it does, menu) of every action that has a key."""
        menus = {
            action: title.replace("&", "") for title, menu in self._menus.items() for action in menu.actions()
        }
        return [
            (
                action.data() or action.shortcut().toString(),
                action.text().replace("&", "").rstrip("…"),
                action.whatsThis(),
                menus.get(action, "View"),
            )
            for action in self.by_name.values()
            if action.data() or not action.shortcut().isEmpty()
        ]

    def detach(self) -> None:
        """Stop listening to the application; call it before the window goes."""
        QApplication.instance().focusChanged.disconnect(self._focus_moved)  # type: ignore[union-attr]

    def _make(self, entry: Entry, slot: Callable[[], object]) -> QAction:
        action = QAction(entry.text, self._window)
        action.setObjectName(entry.name)
        action.setWhatsThis(entry.tip)
        action.setToolTip(_tip(entry.tip, entry.key))
        if entry.key:
            action.setShortcut(QKeySequence(entry.key))
            action.setData(entry.key)
        if entry.icon:
            self._icons[entry.name] = entry.icon
        action.triggered.connect(lambda _=False: slot())
        self.by_name[entry.name] = action
        return action

    def _add_views(self, menu: QMenu) -> None:
        window = self._window
        first = menu.actions()[0]
        for number, spec in enumerate(window.area.specs.values(), start=1):
            text = f"&{number} {spec.title}" if number < 10 else spec.title
            entry = Entry(f"view-{spec.name}", text, view_key(number), "", f"Show {spec.title}")
            menu.insertAction(first, self._make(entry, functools.partial(window.area.show_view, spec.name)))
        menu.insertSeparator(first)
        runs = window.run_dock.toggleViewAction()
        runs.setText("Run &list")
        runs.setShortcut("F9")
        runs.setWhatsThis("Show or hide the list of runs")
        self.by_name["run-list"] = runs
        menu.insertAction(first, runs)
        themes = menu.addMenu("&Theme")
        group = QActionGroup(window)
        for mode, text in THEMES.items():
            action = themes.addAction(text)
            action.setCheckable(True)
            action.setChecked(window.theme.mode == mode)
            action.triggered.connect(lambda _=False, mode=mode: window.theme.set_mode(mode))
            group.addAction(action)
            self.by_name[f"theme-{mode}"] = action

    def _focus_moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        taken = isinstance(new, (QAbstractButton, QAbstractItemView))
        for action in self.by_name.values():
            if action.data() == _SHARED_KEY:
                action.setShortcut(QKeySequence() if taken else QKeySequence(action.data()))


def _tip(text: str, key: str | None) -> str:
    return f"{text} ({key})" if key else text
