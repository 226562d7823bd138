"""A message in place: above the views, until it is closed or a newer one comes."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.icon import icon
from mmgraph_gui.drawing.theme import Theme

INFO_MILLISECONDS = 8000

Level = Literal["info", "warning", "error"]
_ROLE: dict[Level, str] = {"info": "accent", "warning": "warning", "error": "error"}
_WORD: dict[Level, str] = {"info": "", "warning": "Warning: ", "error": ""}


class Banner(QFrame):
    """Hidden while there is nothing to say; news hides itself after a while."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._level = theme, "info"
        self.setObjectName("banner")
        self.label = QLabel(wordWrap=True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = named(QToolButton(), "Close the message")
        self._close.setAutoRaise(True)
        self._close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.addWidget(self.label, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._forget = QTimer(self, singleShot=True, interval=INFO_MILLISECONDS)
        self._forget.timeout.connect(self.hide)
        theme.changed.connect(self._style)
        self._style()
        self.hide()

    @property
    def text(self) -> str:
        """The message on screen; empty while there is none."""
        return "" if self.isHidden() else self.label.text()

    def show_message(self, text: str, level: Level = "error") -> None:
        """Say something."""
        self._level = level
        self.label.setText(_WORD[level] + text)
        self.label.setAccessibleName(f"{level}: {text}")
        self._style()
        self.show()
        if level == "info":
            self._forget.start()
        else:
            self._forget.stop()

    def _style(self) -> None:
        palette = self._theme.palette
        colour = getattr(palette, _ROLE[self._level])  # type: ignore[index]
        self._close.setIcon(icon("close", palette))
        self.setStyleSheet(
            f"#banner {{ background: {palette.raised}; border: 1px solid {palette.grid}; "
            f"border-left: 4px solid {colour}; }}"
        )
