"""The tool bar: new, open, pause, resume, stop, checkpoint, learning rate."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QToolBar, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.frame.actions import Actions
from mmgraph_gui.state import AppState, Topic


class RunToolBar(QToolBar):
    """Signals: rate_chosen(str): this was typed as learning rate."""

    rate_chosen = Signal(str)

    def __init__(self, actions: Actions, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__("Run", parent)
        self._state = state
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for group in (("new", "open"), ("pause", "resume", "stop", "checkpoint")):
            for name in group:
                self.addAction(actions[name])
            self.addSeparator()
        self.rate = named(
            QLineEdit(), "Learning rate", "Learning rate of the running training; Enter applies it (Ctrl+L)"
        )
        self.rate.setFixedWidth(self.fontMetrics().horizontalAdvance("0.000000000"))
        self.apply = named(QPushButton("Apply"), "Apply the learning rate")
        self.addWidget(QLabel(" Learning rate "))
        self.addWidget(self.rate)
        self.addWidget(self.apply)
        self.rate.returnPressed.connect(self._choose)
        self.apply.clicked.connect(self._choose)
        state.subscribe(self._changed)

    def set_live(self, live: bool) -> None:
        """Whether there is a training to change the learning rate of."""
        self.rate.setEnabled(live)
        self.apply.setEnabled(live)

    def _choose(self) -> None:
        self.rate_chosen.emit(self.rate.text())
        self.rate.setModified(False)
        self.rate.clearFocus()  # arrows and Space are for the steps again

    def _changed(self, topic: Topic) -> None:
        if topic in ("run", "status") and not self.rate.hasFocus():
            status = self._state.status
            known = status is not None and status.learning_rate is not None
            text = f"{status.learning_rate:.4g}" if known and status else ""
            if text != self.rate.text():
                self.rate.setText(text)
