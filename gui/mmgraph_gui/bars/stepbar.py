"""One slider for the step that every view shows, live or replayed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.icon import icon
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state import AppState, Topic
from mmgraph_gui.state.snapshot_index import nearest

PLAY_MILLISECONDS = 200


class StepBar(QWidget):
    """Previous, play, next, slider over the snapshots, "Follow live".

    Attributes:
        waits: whether something on screen still works on this step; playing goes on when it is done.
    """

    def __init__(self, state: AppState, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._theme = state, theme
        self.waits: Callable[[], bool] = lambda: False
        self.previous = named(QToolButton(), "Previous snapshot", "Previous snapshot (Left)")
        self.play = named(QToolButton(), "Play", "Play the snapshots one after another (Space)")
        self.play.setCheckable(True)
        self.next = named(QToolButton(), "Next snapshot", "Next snapshot (Right)")
        self.slider = named(
            QSlider(Qt.Orientation.Horizontal),
            "Step",
            "The step that every view shows (Home, Left, Right, End)",
        )
        self.slider.setPageStep(1)
        self.label = QLabel()
        self.label.setAccessibleName("Current step")
        self.follow = named(
            QToolButton(), "Follow live", "Always show the newest snapshot while the run goes on (End)"
        )
        self.follow.setText(" Follow live")
        self.follow.setCheckable(True)
        self.follow.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        for button in (self.previous, self.play, self.next):
            button.setAutoRaise(True)
            layout.addWidget(button)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.label)
        layout.addWidget(self.follow)

        self._timer = QTimer(self, interval=PLAY_MILLISECONDS)
        self._timer.timeout.connect(self._advance)
        self.previous.clicked.connect(lambda: state.move_step(-1))
        self.next.clicked.connect(lambda: state.move_step(1))
        self.play.toggled.connect(self._toggle_play)
        self.slider.valueChanged.connect(self._slid)
        self.follow.toggled.connect(self._toggle_follow)
        state.subscribe(self._changed)
        theme.changed.connect(self._style)
        self._style()
        self._render()

    def toggle_play(self) -> None:
        """Start or end playing."""
        if self.play.isEnabled():
            self.play.toggle()

    def go_first(self) -> None:
        """To the first snapshot."""
        self._state.move_step(-len(self._state.steps()))

    def go_last(self) -> None:
        """To the newest snapshot, and follow a live run."""
        self._state.set_follow(True)

    def _toggle_play(self, on: bool) -> None:
        steps = self._state.steps()
        if on and steps:
            if self._state.step == steps[-1]:
                self._state.set_step(steps[0])
            self._state.set_follow(False)
            self._timer.start()
        else:
            self._timer.stop()
        self.play.setAccessibleName("Stop playing" if on else "Play")
        self._style()

    def _advance(self) -> None:
        steps = self._state.steps()
        if not steps or self._state.step >= steps[-1]:
            self.play.setChecked(False)
        elif not self.waits():
            self._state.move_step(1)

    def _toggle_follow(self, on: bool) -> None:
        if on != self._state.follow:
            if on:
                self.play.setChecked(False)
            self._state.set_follow(on)

    def _slid(self, place: int) -> None:
        steps = self._state.steps()
        if place < len(steps) and steps[place] != self._state.step:
            self._state.set_step(steps[place])

    def _changed(self, topic: Topic) -> None:
        if topic in ("run", "snapshots", "step", "status"):
            self._render()

    def _render(self) -> None:
        state, steps = self._state, self._state.steps()
        for widget in (self.slider, self.previous, self.play, self.next):
            widget.setEnabled(len(steps) > 1)
        place = steps.index(nearest(steps, state.step)) if steps else 0
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(len(steps) - 1, 0))
        self.slider.setValue(place)
        self.slider.blockSignals(False)
        if steps:
            self.label.setText(f"step {state.step:,}  (snapshot {place + 1:,} of {len(steps):,})")
        elif state.path is not None:
            self.label.setText(
                "no snapshots yet" if state.status and state.status.is_live else "no snapshots"
            )
        else:
            self.label.clear()
        live = state.status is not None and state.status.is_live
        self.follow.setVisible(live)
        self.follow.blockSignals(True)
        self.follow.setChecked(state.follow)
        self.follow.blockSignals(False)

    def _style(self) -> None:
        palette = self._theme.palette
        self.previous.setIcon(icon("previous", palette))
        self.play.setIcon(icon("pause" if self.play.isChecked() else "play", palette))
        self.next.setIcon(icon("next", palette))
        self.follow.setIcon(icon("follow", palette))
