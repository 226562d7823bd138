"""Whoever does not see the window, or has no mouse: everything has a name and is reached by keys."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QWidget,
    QWidgetAction,
)

from mmgraph.runs import RunNotes
from mmgraph_gui.accessible import named
from mmgraph_gui.asking.progress import ProgressDialog
from mmgraph_gui.frame.about import KeysDialog
from mmgraph_gui.frame.colours_dialog import ColoursDialog
from mmgraph_gui.frame.commands import CommandPalette
from mmgraph_gui.frame.window import MainWindow
from mmgraph_gui.frame.window_commands import window_commands
from mmgraph_gui.runs.newrun import NewRunDialog
from mmgraph_gui.runs.openmodel import OpenModelDialog
from mmgraph_gui.runs.runnotes import NotesDialog
from mmgraph_gui.views.registry import VIEW_SPECS, view_key


@pytest.fixture(scope="module")
def shared(qapp, digits_run_once, tmp_path_factory):
    """A window on a run, for all who look at its parts."""
    folder = tmp_path_factory.mktemp("window")
    run = shutil.copytree(digits_run_once, folder / "runs" / "digits")
    window = MainWindow(run.parent, QSettings(str(folder / "s.ini"), QSettings.Format.IniFormat))
    window.show()
    window.open_run(run)
    yield window
    window.close()


@pytest.fixture
def window(qtbot, shared):
    """It, with every view shown."""
    qtbot.waitUntil(lambda: shared.state.prediction is not None)
    for name in list(shared.area.docks):
        view = shared.area.show_view(name)
        qtbot.waitUntil(lambda view=view: not view.is_pending)
    return shared


def nameless(root: QWidget) -> list[str]:
    """Widgets that can have the keyboard, and that a screen reader could say nothing of."""
    found = []
    for widget in root.findChildren(QWidget):
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or widget.accessibleName():
            continue
        if isinstance(widget, QLabel) or (isinstance(widget, QAbstractButton) and widget.text()):
            continue  # read by their text
        parents = [widget]
        while (above := parents[-1].parent()) is not None and above is not root:
            parents.append(above)
        parts_of = [one for one in parents[1:] if isinstance(one, (QComboBox, QAbstractSpinBox))]
        tabs = widget.objectName() == "qt_tabwidget_tabbar" and parents[1].accessibleName()
        if not parts_of and not tabs:
            found.append(" in ".join(type(one).__name__ for one in parents))
    return found


def test_everything_that_takes_the_keyboard_has_a_name(window):
    window.compare()
    assert nameless(window) == []
    assert nameless(window.comparison) == []
    window.comparison.close()


@pytest.mark.parametrize(
    "name", ["new run", "open model", "colours", "keys", "notes", "commands", "progress"]
)
def test_dialogs_have_names_for_what_takes_the_keyboard(qtbot, window, name):
    made = {
        "new run": lambda: NewRunDialog(window.theme, window, settings=window.settings),
        "open model": lambda: OpenModelDialog(window.theme, window),
        "colours": lambda: ColoursDialog(window.theme, window),
        "keys": lambda: KeysDialog(window.actions_.key_list(), window),
        "notes": lambda: NotesDialog("digits", RunNotes(), parent=window),
        "commands": lambda: CommandPalette(window_commands(window), window),
        "progress": lambda: ProgressDialog("Writing the report", window),
    }
    dialog = made[name]()
    qtbot.addWidget(dialog)
    assert dialog.findChildren(QWidget)
    assert nameless(dialog) == []


def test_a_widget_without_a_name_is_found(qtbot):
    root = QWidget()
    qtbot.addWidget(root)
    QLineEdit(root)
    assert nameless(root) == ["QLineEdit"]
    named(root.findChild(QLineEdit), "Words")
    assert nameless(root) == []


def test_every_action_is_in_a_menu_or_has_a_key(window):
    menus = window.findChildren(QMenu)
    entries = {action for menu in menus for action in menu.actions()} | set(window.menuBar().actions())
    for action in window.actions_.by_name.values():
        assert action in entries or not action.shortcut().isEmpty(), action.text()
    for menu in menus:  # those of buttons open with Space
        for action in menu.actions():
            holds = action.defaultWidget() if isinstance(action, QWidgetAction) else None
            assert action.isSeparator() or action.text() or holds is not None, menu.title()


def test_every_view_has_a_key(window):
    keys = [window.actions_[f"view-{spec.name}"].shortcut().toString() for spec in VIEW_SPECS]
    assert all(keys)
    assert len(set(keys)) == len(VIEW_SPECS)
    others = {
        a.shortcut().toString() for n, a in window.actions_.by_name.items() if not n.startswith("view-")
    }
    assert others.isdisjoint(keys)
    assert [view_key(number) for number in (1, 9, 10, 18, 19)] == [
        "Ctrl+1", "Ctrl+9", "Ctrl+Shift+1", "Ctrl+Shift+9", "",
    ]  # fmt: skip


def test_a_key_shows_the_last_view(qtbot, window):
    last = VIEW_SPECS[-1].name
    window.area.show_view("metrics")
    window.actions_[f"view-{last}"].trigger()
    assert window.area.current == last


def test_a_tip_can_be_left_out(qtbot):
    label = named(QLabel(), "Picture", "")
    assert (label.accessibleName(), label.toolTip()) == ("Picture", "")
    assert named(QLabel(), "Picture").toolTip() == "Picture"
