"""The dialog in which tags and notes of a run are written."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from mmgraph.runs import RunNotes
from mmgraph_gui.accessible import named


class NotesDialog(QDialog):
    """Tags with commas between them, and any text.

    Args:
        name: of the run.
        notes: what it has now.
        known: tags of other runs, offered while one is typed.
    """

    def __init__(
        self, name: str, notes: RunNotes, known: Iterable[str] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Tags and notes of {name}")
        self.resize(460, 320)
        self.tags = named(QLineEdit(", ".join(notes.tags)), "Tags", "Words with commas between them")
        self.tags.setPlaceholderText("baseline, cora")
        self._known = sorted(set(known))
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.tags.setCompleter(completer)
        self.text = named(QPlainTextEdit(notes.text), "Notes", "What is worth knowing of this run")
        self.text.setTabChangesFocus(True)
        form = QFormLayout()
        form.addRow("&Tags", self.tags)
        form.addRow("&Notes", self.text)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        for key in ("Ctrl+Return", "Ctrl+Enter"):  # Enter alone begins a line of the notes
            QShortcut(QKeySequence(key), self, self.accept)
        buttons.button(QDialogButtonBox.StandardButton.Save).setToolTip("Save (Ctrl+Enter)")
        layout = QVBoxLayout(self)
        layout.addLayout(form, 1)
        layout.addWidget(buttons)

    def notes(self) -> RunNotes:
        """What was written."""
        tags = (tag.strip() for tag in self.tags.text().split(","))
        return RunNotes(tuple(dict.fromkeys(tag for tag in tags if tag)), self.text.toPlainText().rstrip())
