"""The command palette: everything that can be done, found by typing a few letters of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mmgraph_gui.accessible import named

NEAR = 0.1
"""As much as a thousand letters less, or a word that begins a hundred earlier."""
SHOWN = 200
"""Of longer lists only the best so many are drawn."""


@dataclass(frozen=True)
class Command:
    """One thing that can be done.

    Args:
        text: what is searched and shown, such as "Run: Pause".
        do: called when it is chosen.
        key: its key, shown beside it.
        hint: what it does, in a tip.
        enabled: whether it can be done now.
        near: whether it is about what is looked at: of what fits alike it comes first.
    """

    text: str
    do: Callable[[], object]
    key: str = ""
    hint: str = ""
    enabled: bool = True
    near: bool = False


def fit(query: str, text: str) -> float | None:
    """How well a text fits what was typed; higher is better, None where it does not.

    Each word that was typed must be in the text: at the begin of a word (best), inside one, or with its letters in
    order. Earlier and shorter is better.
    """
    lowered, score = text.lower(), 0.0
    for word in query.lower().split():
        place = lowered.find(word)
        while place > 0 and lowered[place - 1].isalnum():
            following = lowered.find(word, place + 1)
            if following < 0:
                break
            place = following
        if place >= 0:
            at_begin = place == 0 or not lowered[place - 1].isalnum()
            score += (3.0 if at_begin else 2.0) - place / 1000
        elif _in_order(word, lowered):
            score += 1.0
        else:
            return None
    return score - len(text) / 10_000


def ranked(query: str, commands: Iterable[Command]) -> list[Command]:
    """Commands that fit, the best first; in the given order where they fit equally."""
    found = [
        (score + NEAR * command.near, command)
        for command in commands
        if (score := fit(query, command.text)) is not None
    ]
    if query.strip():
        found.sort(key=lambda pair: (not pair[1].enabled, -pair[0]))
    return [command for _, command in found]


class CommandPalette(QDialog):
    """A field and a list below it; Up, Down and Enter choose, Escape closes."""

    def __init__(self, commands: Sequence[Command], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._commands = commands
        self._found: list[Command] = []
        self.field = named(QLineEdit(), "Command", "Type a few letters of what you want to do")
        self.field.setPlaceholderText("What do you want to do?")
        self.field.setClearButtonEnabled(True)
        self.list = named(QTreeWidget(), "Commands that fit", "")
        self.list.setHeaderHidden(True)
        self.list.setColumnCount(2)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.itemClicked.connect(lambda item, _: self._run(self.list.indexOfTopLevelItem(item)))
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        self.setAccessibleName("Commands")
        self.setStyleSheet(
            "CommandPalette { border: 1px solid palette(highlight); } QTreeWidget::item { padding: 3px 2px; }"
        )
        self.resize(560, 420)
        self._search("")

    def set_commands(self, commands: Sequence[Command]) -> None:
        """There are others now; what was typed, and what is about to be chosen, stays."""
        place = self._place()
        chosen = self._found[place].text if 0 <= place < len(self._found) else ""
        self._commands = commands
        self._search(self.field.text())
        texts = [command.text for command in self._found]
        if place > 0 and chosen in texts:
            self._move_to(texts.index(chosen))

    def show_over(self, window: QWidget) -> None:
        """Open below the upper edge of a window, in its middle."""
        width, height = min(self.width(), window.width() - 40), min(self.height(), window.height() - 80)
        self.resize(width, height)
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - width) // 2, corner.y() + 60)
        self.show()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys that move in the list are typed into the field."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
            key = Qt.Key(event.key())
            if key in steps:
                self._move(steps[key])
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self._place())
                return True
        return super().eventFilter(watched, event)

    def _search(self, query: str) -> None:
        self._found = ranked(query, self._commands)[:SHOWN]
        self.list.clear()
        for command in self._found:
            item = QTreeWidgetItem([command.text, command.key])
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(0, command.hint)
            item.setDisabled(not command.enabled)
            self.list.addTopLevelItem(item)
        if not self._found:
            item = QTreeWidgetItem([f"Nothing is called '{query.strip()}'."])
            item.setDisabled(True)
            self.list.addTopLevelItem(item)
        self._move_to(0)

    def _place(self) -> int:
        return self.list.currentIndex().row()

    def _move(self, by: int) -> None:
        last = self.list.topLevelItemCount() - 1
        self._move_to(min(max(self._place() + by, 0), last))

    def _move_to(self, place: int) -> None:
        self.list.setCurrentIndex(self.list.model().index(place, 0))

    def _run(self, place: int) -> None:
        if 0 <= place < len(self._found) and self._found[place].enabled:
            command = self._found[place]
            self.close()
            command.do()


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)
