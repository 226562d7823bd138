"""Versions and keys, in words."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QMessageBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

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
    """A list of every key."""

    def __init__(self, keys: list[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.resize(560, 620)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Keys")
        self.list.setHeaderLabels(["Key", "Action", "What it does"])
        self.list.setRootIsDecorated(False)
        self.list.addTopLevelItems([QTreeWidgetItem(list(entry)) for entry in keys])
        for column in range(3):
            self.list.resizeColumnToContents(column)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.list)
        layout.addWidget(buttons)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
