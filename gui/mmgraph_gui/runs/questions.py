"""Questions the window asks before it resumes or deletes a run."""

from __future__ import annotations

from PySide6.QtWidgets import QInputDialog, QMessageBox, QWidget

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
