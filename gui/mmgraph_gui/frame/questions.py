"""Questions the window asks before it reads."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from mmgraph_gui.asking.own_items import OWN_ITEMS


def ask_folder(parent: QWidget, start: Path) -> Path | None:
    """Which folder to open."""
    chosen = QFileDialog.getExistingDirectory(parent, "Open a run, or a folder of runs", str(start))
    return Path(chosen) if chosen else None


def ask_own_item(parent: QWidget) -> Path | None:
    """Which image, sound, clip or text the model shall look at."""
    endings = " ".join(f"*{ending}" for ending in OWN_ITEMS)
    chosen, _ = QFileDialog.getOpenFileName(
        parent,
        "Add your own item",
        str(Path.home()),
        f"Images, sounds, clips and texts ({endings});;All files (*)",
    )
    return Path(chosen) if chosen else None
