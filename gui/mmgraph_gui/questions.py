"""Questions the window asks before it reads, writes or deletes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from mmgraph_gui.export import formats_of
from mmgraph_gui.views import View


def ask_folder(parent: QWidget, start: Path) -> Path | None:
    """Which folder to open."""
    chosen = QFileDialog.getExistingDirectory(parent, "Open a run, or a folder of runs", str(start))
    return Path(chosen) if chosen else None


def ask_export(parent: QWidget, view: View, name: str) -> Path | None:
    """Which file to write a view into; without an ending it gets that of the chosen format."""
    formats = formats_of(view)
    chosen, wanted = QFileDialog.getSaveFileName(
        parent, f"Export {view.title}", str(Path.home() / f"{name}.png"), ";;".join(formats.values())
    )
    if not chosen:
        return None
    path = Path(chosen)
    ending = next((ending for ending, text in formats.items() if text == wanted), ".png")
    return path if path.suffix else path.with_suffix(ending)


def ask_delete(parent: QWidget, name: str) -> bool:
    """Whether a run shall be deleted."""
    box = QMessageBox(
        QMessageBox.Icon.Warning,
        "Delete run",
        f"Delete '{name}' with everything that was recorded and all its checkpoints?",
        QMessageBox.StandardButton.Cancel,
        parent,
    )
    delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    box.deleteLater()
    return box.clickedButton() is delete
