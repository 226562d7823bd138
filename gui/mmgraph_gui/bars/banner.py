"""A message laid over the lower right corner of the views, until it is closed or a newer one comes.

It takes room from nothing: what the mouse is on stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.icon import icon
from mmgraph_gui.drawing.theme import Theme

INFO_MILLISECONDS = 8000
MARGIN = 12
WIDEST = 66
"""Letters in a line."""

Level = Literal["info", "warning", "error"]
_ROLE: dict[Level, str] = {"info": "accent", "warning": "warning", "error": "error"}
_WORD: dict[Level, str] = {"info": "", "warning": "Warning: ", "error": ""}


class Banner(QFrame):
    """Hidden while there is nothing to say; news hides itself after a while, but not under the mouse."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._level = theme, "info"
        self._over: QWidget | None = None
        self.setObjectName("banner")
        self.label = QLabel(wordWrap=True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = named(QToolButton(), "Close the message", "Close the message (Esc)")
        self._close.setAutoRaise(True)
        self._close.clicked.connect(self.hide)
        self.cancel = QPushButton("Cancel")
        self.cancel.setVisible(False)
        self.cancel.clicked.connect(self.dismiss)
        self._cancelling: Callable[[], object] | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignTop)
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

    def lie_over(self, area: QWidget) -> None:
        """Appear in the lower right corner of a widget, which has its place already."""
        self._over = area
        self.setParent(area.parentWidget())
        area.installEventFilter(self)

    def show_message(
        self, text: str, level: Level = "error", cancel: Callable[[], object] | None = None
    ) -> None:
        """Say something; with a button where it is about work that can be cancelled."""
        self._level, self._cancelling = level, cancel
        self.label.setText(_WORD[level] + text)
        self.label.setAccessibleName(f"{level}: {text}")
        self.cancel.setVisible(cancel is not None)
        self.cancel.setAccessibleName(f"Cancel: {text}")
        self._style()
        self._place()
        self.show()
        self.raise_()
        self._forget_later()

    def dismiss(self) -> None:
        """Close the message, and cancel what it is about."""
        cancelling, self._cancelling = self._cancelling, None
        self.hide()
        if cancelling is not None:
            cancelling()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What it lies over has another place."""
        if watched is self._over and event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place()
        return super().eventFilter(watched, event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._forget.stop()

    def leaveEvent(self, event: QEvent) -> None:
        self._forget_later()

    def _forget_later(self) -> None:
        if self._level == "info" and self._cancelling is None:
            self._forget.start()
        else:
            self._forget.stop()

    def _place(self) -> None:
        """As wide as its words, as far as lines of them are short enough to be read and there is room."""
        over, layout = self._over, self.layout()
        if over is None or layout is None:
            return
        self.ensurePolished()
        frame, metrics = self.contentsMargins(), self.label.fontMetrics()
        sides, ends = frame.left() + frame.right(), frame.top() + frame.bottom()
        words = max(map(metrics.horizontalAdvance, self.label.text().splitlines()), default=0) + 2
        around = sides + layout.minimumSize().width() - self.label.minimumSizeHint().width()
        wide = min(around + min(words, WIDEST * metrics.averageCharWidth()), over.width() - 2 * MARGIN)
        high = layout.totalHeightForWidth(wide - sides) + ends
        corner = over.geometry().bottomRight()
        self.setGeometry(corner.x() - wide - MARGIN, corner.y() - high - MARGIN, wide, high)

    def _style(self) -> None:
        palette = self._theme.palette
        colour = getattr(palette, _ROLE[self._level])  # type: ignore[index]
        self._close.setIcon(icon("close", palette))
        self.setStyleSheet(
            f"#banner {{ background: {palette.raised}; border: 1px solid {palette.muted}; "
            f"border-left: 4px solid {colour}; border-radius: 3px; }}"
        )
