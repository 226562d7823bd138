"""Questions the window asks before it reads, writes or deletes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from mmgraph_gui.export.view_file import formats_of
from mmgraph_gui.own_items import OWN_ITEMS
from mmgraph_gui.views import View


def ask_folder(parent: QWidget, start: Path) -> Path | None:
    """Which folder to open."""
    chosen = QFileDialog.getExistingDirectory(parent, "Open a run, or a folder of runs", str(start))
    return Path(chosen) if chosen else None


LARGER = {"Picture, twice as large (*.png)": 2.0, "Picture, four times as large (*.png)": 4.0}


def ask_export(parent: QWidget, view: View, name: str) -> tuple[Path, float] | None:
    """Which file to write a view into, and how large; without an ending it gets that of the chosen format."""
    formats = formats_of(view)
    picture, *others = formats.values()
    chosen, wanted = QFileDialog.getSaveFileName(
        parent,
        f"Export {view.title}",
        str(Path.home() / f"{name}.png"),
        ";;".join([picture, *LARGER, *others]),
    )
    if not chosen:
        return None
    path = Path(chosen)
    ending = next((ending for ending, text in formats.items() if text == wanted), ".png")
    return path if path.suffix else path.with_suffix(ending), LARGER.get(wanted, 1.0)


def ask_report(parent: QWidget, name: str) -> Path | None:
    """Which file to write a report of the run into."""
    formats = {"Web page (*.html)": ".html", "Pages, as the window shows it (*.pdf)": ".pdf"}
    chosen, wanted = QFileDialog.getSaveFileName(
        parent, "Export report", str(Path.home() / f"{name}.html"), ";;".join(formats)
    )
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(formats.get(wanted, ".html"))


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


MOST_EPOCHS = 1_000_000


def ask_epochs(parent: QWidget, name: str, trained: int) -> int | None:
    """How many epochs a run that has finished shall be trained in all; None where it shall stay as it is."""
    epochs, given = QInputDialog.getInt(
        parent,
        "Resume a finished run",
        f"'{name}' has finished after {trained:,} epochs.\nTrain it from there up to so many epochs in all:",
        min(2 * max(trained, 1), MOST_EPOCHS),
        trained + 1,
        MOST_EPOCHS,
    )
    return epochs if given else None


def ask_delete(parent: QWidget, name: str, *, trash: bool, why: str = "") -> bool:
    """Whether a run shall go: into the trash, or for good.

    Args:
        why: what has to be known before, such as that the trash did not take it.
    """
    text = f"Move '{name}' to the trash?" if trash else f"Delete '{name}' for good?"
    what = "It holds everything that was recorded and all checkpoints."
    if not trash:
        what += " This cannot be undone."
    box = QMessageBox(
        QMessageBox.Icon.Question if trash else QMessageBox.Icon.Warning,
        "Delete run",
        text,
        QMessageBox.StandardButton.Cancel,
        parent,
    )
    box.setInformativeText(" ".join(part for part in (why, what) if part))
    delete = box.addButton(
        "Move to trash" if trash else "Delete for good", QMessageBox.ButtonRole.DestructiveRole
    )
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    box.deleteLater()
    return box.clickedButton() is delete
