"""What the palette offers: the menus, what can be done and chosen in each view, and what there is in the open run."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QMenu, QToolButton, QWidget
from shiboken6 import isValid

from mmgraph.runs import Snapshot
from mmgraph_gui.frame.commands import Command, CommandPalette
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.views import View
from mmgraph_gui.views.registry import VIEW_FOR_KIND, ViewSpec

if TYPE_CHECKING:
    from mmgraph_gui.frame.window import MainWindow


def offer_commands(window: MainWindow) -> CommandPalette:
    """Open the palette; what views offer that nobody has seen yet comes a moment later.

    They are imported in a worker thread and made one after the other, each in two turns of the event loop, so that one
    can type meanwhile.
    """
    palette = CommandPalette(window_commands(window), window)
    later = QTimer(palette, interval=0)

    def make_next() -> None:
        if unmade := window.area.unmade():
            prepared = window.area.is_prepared(unmade[0])
            (window.area.make if prepared else window.area.prepare)(unmade[0])
        else:
            later.stop()
            palette.set_commands(window_commands(window))

    def begin(_: None) -> None:
        if isValid(later):  # the palette is still open
            later.start()

    later.timeout.connect(make_next)
    palette.show_over(window)
    if unmade := [window.area.specs[name] for name in window.area.unmade()]:
        work = functools.partial(_import_all, specs=unmade)
        window.follower.ask("commands", (), work, begin, long=True)
    return palette


def _import_all(_job: Job, _snapshots: tuple[Snapshot, ...], *, specs: Sequence[ViewSpec]) -> None:
    """Views of other packages are imported where they are made: who knows what they do meanwhile."""
    for spec in specs:
        if spec.plugin is None:
            with contextlib.suppress(Exception):  # told of when it is made
                spec.load()


def window_commands(window: MainWindow) -> list[Command]:
    """What can be done in a window now."""
    commands: list[Command] = []
    for top in window.menuBar().actions():
        commands += _menu_commands(top, "", QAction.trigger)
    for name, view in window.area.views.items():
        if name in window.area.docks:
            show = functools.partial(window.area.show_view, name)
            near = name == window.area.current
            commands += (replace(command, near=near) for command in _view_commands(view, show))
    state = window.state
    for name in state.colour_choices():
        commands.append(Command(f"Colour: by {name}", functools.partial(_colour, window, name)))
    for kind in state.kinds():
        for layer in state.layers(kind):
            text = f"Layer: {kind.replace('_', ' ')} of {layer}"
            commands.append(Command(text, functools.partial(_show_layer, window, kind, layer)))
    for entry in window.runs.entries:
        text, do = f"Open run: {entry.path.name}", functools.partial(window.open_run, entry.path)
        commands.append(Command(text, do, hint=f"{entry.recipe}, {entry.state} {entry.metric}".strip()))
    return commands


def _colour(window: MainWindow, name: str) -> None:
    view = window.area.current_view()
    if view is None or "colour" not in view.topics:
        window.area.show_view("embedding")
    window.state.set_colour_by(name)


def _show_layer(window: MainWindow, kind: str, layer: str) -> None:
    if kind in VIEW_FOR_KIND:
        window.area.show_view(VIEW_FOR_KIND[kind])
    window.state.set_layer(kind, layer)


def _view_commands(view: View, show: Callable[[], object]) -> Iterator[Command]:
    """What can be chosen in a view, the buttons above it, and the entries of its menus; each shows the view first."""
    title, line = view.title, view.controls.parentWidget() or QWidget()
    titles = set()
    for name, chooser in view.choosers.items():
        titles.add(chooser.title)
        for words, value in chooser.options():
            do = functools.partial(_in_view, show, functools.partial(view.choosers.choose, name, value))
            yield Command(f"{title}: {chooser.title} › {words}", do)
    for button in line.findChildren(QAbstractButton):
        menu = button.menu() if isinstance(button, QToolButton) else None
        if menu is not None:
            menu.aboutToShow.emit()  # which entries can be used now
            for action in menu.actions():
                yield from _menu_commands(
                    action, f"{title}: ", lambda one: _in_view(show, one.trigger), titles
                )
        elif button.accessibleName() and button.accessibleName() not in titles:
            yield Command(
                f"{title}: {button.accessibleName()}",
                functools.partial(_in_view, show, button.click),
                hint=button.toolTip(),
                enabled=button.isEnabled() and button.isVisibleTo(line),
            )


def _in_view(show: Callable[[], object], do: Callable[[], object]) -> None:
    show()
    do()


def _hint(entry: QAction) -> str:
    """What it does, or why it cannot be done."""
    return entry.whatsThis() if entry.isEnabled() else entry.toolTip()


def _menu_commands(
    entry: QAction, path: str, do: Callable[[QAction], object], without: set[str] | None = None
) -> list[Command]:
    """An entry of a menu, or all in a menu below it; `path` is what stands before its name."""
    menu, (text, *keys) = entry.menu(), re.sub(r"^&\d+ |&(?=.)|…$", "", entry.text()).split("\t")
    text = text.rstrip("…")
    if isinstance(menu, QMenu):
        below = f"{path}{text} › " if path else f"{text}: "
        inside = [_menu_commands(one, below, do, without) for one in menu.actions()]
        return [command for commands in inside for command in commands]
    if entry.isSeparator() or not path or not text or text in (without or ()):
        return []
    key = str(entry.data() or "") or entry.shortcut().toString() or "".join(keys)
    return [Command(path + text, functools.partial(do, entry), key, _hint(entry), entry.isEnabled())]
