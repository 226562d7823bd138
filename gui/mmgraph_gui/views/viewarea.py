"""The middle of the window: views in tabs that can be dragged apart, beside each other, or out of the window."""

from __future__ import annotations

import functools
import logging

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QStyle, QTabBar, QTabWidget, QWidget

from mmgraph import plugins
from mmgraph_gui.views import Context, View
from mmgraph_gui.views.registry import VIEW_SPECS, ViewSpec, plugin_specs

LEFT = ("metrics", "filters", "log")
"""Views on the left at the first start; the others are on the right."""

RAISED = ("metrics", "embedding")
WIDTHS = (460, 560)
"""Pixels of theirs, as far as there is room: views on the right have more to choose."""

_log = logging.getLogger(__name__)


class ViewArea(QMainWindow):
    """Makes each view when it is first seen. One that cannot be imported is reported and left out.

    Attributes:
        specs: the views there are, by name, those of other packages last.
        left_out: a sentence about each view of another package that could not be taken in.

    Signals:
        message(str): a view could not be made.
        made(str, View): a view was made, when it was first seen.
        current_changed(str): another view was looked at or clicked into.
        explain_wanted(int): a view asks what the answer about an item hangs on.
    """

    message = Signal(str)
    made = Signal(str, View)
    current_changed = Signal(str)
    explain_wanted = Signal(int)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.context = context
        self.views: dict[str, View] = {}
        self._prepared: dict[str, View] = {}
        added, self.left_out = plugin_specs()
        self.specs = {spec.name: spec for spec in (*VIEW_SPECS, *added)}
        self.docks: dict[str, _ViewDock] = {}
        self.current = ""
        self.setDockOptions(
            QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.GroupedDragging
        )
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setDocumentMode(True)
        self._tidying = QTimer(self, singleShot=True, interval=0)
        self._tidying.timeout.connect(self._hide_stray_tabs)
        self._sharing = QTimer(
            self, singleShot=True, interval=0
        )  # before it is shown there is nothing to share
        self._sharing.timeout.connect(self._share_room)
        for spec in self.specs.values():
            dock = _ViewDock(spec, self)
            dock.visibilityChanged.connect(lambda on, spec=spec: self._seen(spec) if on else None)
            dock.visibilityChanged.connect(lambda _: self._tidying.start())
            dock.dockLocationChanged.connect(lambda _: self._head_docks())
            dock.topLevelChanged.connect(lambda _: self._head_docks())
            self.docks[spec.name] = dock
        self.reset_layout()
        QApplication.instance().focusChanged.connect(self._focus_moved)  # type: ignore[union-attr]

    def reset_layout(self) -> None:
        """Two groups of tabs side by side, as at the first start."""
        last: dict[Qt.DockWidgetArea, QDockWidget] = {}
        for name, dock in self.docks.items():
            area = Qt.DockWidgetArea.LeftDockWidgetArea
            if name not in LEFT:
                area = Qt.DockWidgetArea.RightDockWidgetArea
            dock.setFloating(False)
            self.addDockWidget(area, dock)
            if area in last:
                self.tabifyDockWidget(last[area], dock)
            last[area] = dock
            dock.show()
        raised = [self.docks[name] for name in RAISED if name in self.docks]
        for dock in raised:
            dock.raise_()
        self._sharing.start()
        self._head_docks()

    def show_view(self, name: str) -> View | None:
        """Bring a view to the front; None where it could not be made."""
        dock = self.docks.get(name)
        if dock is None:
            return None
        dock.show()
        dock.raise_()
        if name in self.docks:  # else it has just been found that it cannot be made
            self._seen(self.specs[name])
        view = self.views.get(name)
        if view is not None:
            view.take_keys()
            self._set_current(name)
        return view

    def make(self, name: str) -> bool:
        """Make a view if nobody has seen it yet; false where it cannot be made, which is told."""
        if name in self.views:
            return True
        if not self.prepare(name):
            return False
        view = self._prepared.pop(name)
        view.explain_wanted.connect(self.explain_wanted)
        self.views[name] = view
        self.docks[name].setWidget(view)
        self.made.emit(name, view)
        return True

    def prepare(self, name: str) -> bool:
        """Do the half of `make` that nobody sees; false where the view cannot be made, which is told."""
        if name in self.views or name in self._prepared:
            return True
        spec, dock = self.specs[name], self.docks[name]
        try:
            self._prepared[name] = spec.load()(self.context)
        except Exception as error:
            _log.exception("the view %s could not be made", spec.title)
            self.message.emit(
                plugins.failure("view", spec.plugin, error)
                if spec.plugin
                else f"The view {spec.title} is left out: it could not be made ({type(error).__name__}: {error})."
            )
            self.docks.pop(name)
            self.removeDockWidget(dock)
            return False
        return True

    def is_prepared(self, name: str) -> bool:
        """Whether the half of `make` that nobody sees is done."""
        return name in self._prepared

    def unmade(self) -> list[str]:
        """Views that nobody has seen yet."""
        return [name for name in self.docks if name not in self.views]

    def keys_of(self, name: str) -> tuple[tuple[str, str], ...]:
        """(key, what it does) in a view; nothing where its module cannot be imported."""
        try:
            return self.specs[name].load().keys
        except Exception:
            _log.exception("the view %s could not be imported", name)
            return ()

    def minimumSizeHint(self) -> QSize:
        """Qt leaves the line between the groups of tabs out of account, and the right one would be cut by so much."""
        line = self.style().pixelMetric(QStyle.PixelMetric.PM_DockWidgetSeparatorExtent, None, self)
        return super().minimumSizeHint() + QSize(line, 0)

    def current_view(self) -> View | None:
        """The view that was last looked at or clicked into."""
        return self.views.get(self.current)

    def is_settling(self) -> bool:
        """Whether some view still works out what belongs to this step."""
        return any(view.is_settling for view in self.views.values())

    def restore(self, layout: QByteArray) -> None:
        """Put the views where they were when `saveState` was called."""
        if self.restoreState(layout):
            self._sharing.stop()
        else:
            self.reset_layout()
        self._head_docks()

    def _share_room(self) -> None:
        """Give each group of tabs its width of the first start."""
        raised = [self.docks[name] for name in RAISED if name in self.docks]
        self.resizeDocks(raised, list(WIDTHS)[: len(raised)], Qt.Orientation.Horizontal)

    def detach(self) -> None:
        """Views stop listening; call it before the window goes."""
        for view in (*self.views.values(), *self._prepared.values()):
            view.detach()

    def _seen(self, spec: ViewSpec) -> None:
        self._head_docks()
        if self.make(spec.name):
            self._set_current(spec.name)

    def _set_current(self, name: str) -> None:
        if name != self.current:
            self.current = name
            self.current_changed.emit(name)

    def _focus_moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        for name, view in self.views.items():
            if new is not None and (new is view or view.isAncestorOf(new)):
                self._set_current(name)

    def _tab_clicked(self, bar: QTabBar, place: int) -> None:
        """The view of a tab that is clicked gets the keyboard: its keys work at once."""
        names = [spec.name for spec in self.specs.values() if place >= 0 and spec.title == bar.tabText(place)]
        if names:
            QTimer.singleShot(0, self, functools.partial(self.show_view, names[0]))

    def _head_docks(self) -> None:
        """A view among tabs has its name on the tab; one that stands alone gets a title bar."""
        for dock in self.docks.values():
            dock.show_title(not self.tabifiedDockWidgets(dock))
        self._tidying.start()

    def _hide_stray_tabs(self) -> None:
        """Qt leaves bars of tabs behind when docks are moved; of those with the same tabs the last made is in use."""
        groups = set()
        for dock in self.docks.values():
            together = [dock, *self.tabifiedDockWidgets(dock)]
            groups.add(frozenset(one.windowTitle() for one in together))
            groups.add(frozenset(one.windowTitle() for one in together if not one.isHidden()))
        bars = self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        for bar in reversed(bars):
            bar.setAccessibleName("Views")
            if not bar.property("heard"):
                bar.setProperty("heard", True)
                bar.tabBarClicked.connect(functools.partial(self._tab_clicked, bar))
            tabs = frozenset(bar.tabText(place) for place in range(bar.count()))
            stray = tabs not in groups
            groups.discard(tabs)
            if stray and bar.isVisible():
                bar.setProperty("stray", True)
                bar.hide()
            elif not stray and bar.property("stray"):
                bar.setProperty("stray", False)
                bar.show()


class _ViewDock(QDockWidget):
    def __init__(self, spec: ViewSpec, area: ViewArea) -> None:
        super().__init__(spec.title, area)
        self.setObjectName(f"view-{spec.name}")
        self.setAccessibleName(spec.title)
        self.setWidget(QWidget())
        self._no_title = QWidget()

    def show_title(self, on: bool) -> None:
        wanted = None if on else self._no_title
        if self.titleBarWidget() is not wanted:
            self.setTitleBarWidget(wanted)  # type: ignore[arg-type]
