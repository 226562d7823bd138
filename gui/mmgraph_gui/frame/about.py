"""Versions and keys, in words."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QMessageBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mmgraph_gui.accessible import named

STANDS_ON = ("PySide6-Essentials", "numpy", "torch")


def about_text() -> str:
    """Name, purpose and versions, for a bug report."""
    lines = [f"<b>mmgraph {_version('mmgraph')}</b>", "Look inside models while they learn."]
    lines += [f"Python {platform.python_version()}, {platform.platform()}"]
    lines += [f"{name} {_version(name)}" for name in STANDS_ON]
    return "<br>".join(lines)


def about_box(parent: QWidget) -> QMessageBox:
    """A box with the icon and `about_text`."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "About mmgraph", about_text(), parent=parent)
    box.setIconPixmap(parent.windowIcon().pixmap(64, 64))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box


class KeysDialog(QDialog):
    """Every key, by menu and by view, with a field that searches them.

    Args:
        keys: (key, action, what it does, where).
    """

    def __init__(self, keys: list[tuple[str, str, str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.resize(960, 640)
        self.field = named(QLineEdit(), "Search keys", "Words of a key, an action or a view")
        self.field.setPlaceholderText("Search")
        self.field.setClearButtonEnabled(True)
        self.list = named(QTreeWidget(), "Keys", "")
        self.list.setHeaderLabels(["Where and key", "Action", "What it does"])
        groups: dict[str, QTreeWidgetItem] = {}
        for key, action, what, where in keys:
            if where not in groups:
                groups[where] = QTreeWidgetItem([where])
                self.list.addTopLevelItem(groups[where])
            line = QTreeWidgetItem([key, action, what])
            line.setToolTip(2, what)
            groups[where].addChild(line)
        self.list.expandAll()
        # What does not fit ends in dots, and is whole in its tool tip.
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for column in range(2):
            self.list.resizeColumnToContents(column)
        self.field.textChanged.connect(self._search)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        layout.addWidget(buttons)
        self.field.setFocus()

    def _search(self, text: str) -> None:
        words = text.lower().split()
        for place in range(self.list.topLevelItemCount()):
            group = self.list.topLevelItem(place)
            if group is None:
                continue
            shown = 0
            lines = [line for row in range(group.childCount()) if (line := group.child(row)) is not None]
            for line in lines:
                said = " ".join([group.text(0), *(line.text(column) for column in range(3))]).lower()
                fits = all(word in said for word in words)
                line.setHidden(not fits)
                shown += fits
            group.setHidden(shown == 0)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
