"""Where the run stands, in words, at the bottom of the window."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QStatusBar

from mmgraph.runs import Status
from mmgraph_gui.drawing.theme import Palette, Theme
from mmgraph_gui.state import AppState, Topic

NEWS_MILLISECONDS = 8000

STATE_ROLE = {
    "running": "accent",
    "paused": "warning",
    "finished": "good",
    "stopped": "muted",
    "failed": "error",
    "interrupted": "error",
}


def state_colour(state: str, palette: Palette) -> str:
    """Colour of a run's state; the word always stands beside it."""
    return str(getattr(palette, STATE_ROLE.get(state, "muted")))


class StatusLine:
    """Fills a status bar from the state of the run."""

    def __init__(self, bar: QStatusBar, state: AppState, theme: Theme) -> None:
        self._bar, self._state, self._theme = bar, state, theme
        self.state_label = QLabel()
        self.progress = QLabel()
        self.news = QLabel()
        self.speed = QLabel()
        self.device = QLabel()
        self.dropped = QLabel()
        for label, name in (
            (self.state_label, "State of the run"),
            (self.progress, "Progress"),
            (self.news, "News of the run"),
            (self.speed, "Speed"),
            (self.device, "Device"),
            (self.dropped, "Dropped snapshots"),
        ):
            label.setAccessibleName(name)
            label.setContentsMargins(6, 0, 6, 0)
        bar.addWidget(self.state_label)
        bar.addWidget(self.progress)
        bar.addWidget(self.news, 1)
        self._forget = QTimer(bar, singleShot=True, interval=NEWS_MILLISECONDS)
        self._forget.timeout.connect(self.news.clear)
        for label in (self.dropped, self.speed, self.device):
            bar.addPermanentWidget(label)
        state.subscribe(self._changed)
        self.device.setToolTip("Where it trains, and how much of the GPU's memory its tensors take")
        self.dropped.setToolTip("The disk was too slow for them; training never waits.")
        theme.changed.connect(self._style)
        self._style()

    def tell(self, text: str) -> None:
        """Show a piece of news for a while."""
        self.news.setText(text)
        self._forget.start()

    def _changed(self, topic: Topic) -> None:
        if topic in ("run", "status"):
            self._render()

    def _style(self) -> None:
        self.news.setStyleSheet(f"color: {self._theme.palette.accent}")
        self.dropped.setStyleSheet(f"color: {self._theme.palette.warning}")
        self._render()

    def _render(self) -> None:
        status, palette = self._state.status, self._theme.palette
        if status is None:
            self.state_label.setText("No run is open." if self._state.path is None else "Opening …")
            for label in (self.progress, self.speed, self.device, self.dropped):
                label.clear()
            return
        self.state_label.setText(
            f"<span style='color:{state_colour(status.state, palette)}'>●</span> {state_text(status)}"
        )
        self.progress.setText(progress_text(status))
        self.speed.setText(speed_text(status))
        device = self._state.config.get("environment", {}).get("device", "")
        self.device.setText(device_text(str(device), status))
        self.dropped.setText(f"{status.dropped:,} snapshots dropped" if status.dropped else "")


def state_text(status: Status) -> str:
    """ "failed: the loss became NaN"; a reason that begins with the state stands alone."""
    if status.message.startswith(status.state):
        return status.message
    return f"{status.state}: {status.message}" if status.message else status.state


def device_text(device: str, status: Status) -> str:
    """ "cuda:0, 1.25 GB", or the device alone where it is no GPU."""
    if status.device_memory is None:
        return device
    return f"{device}, {status.device_memory / 1e9:.3g} GB"


def progress_text(status: Status) -> str:
    """ "step 120 of 400, epoch 3.0"."""
    total = f" of {status.total_steps:,}" if status.total_steps else ""
    epoch = f", epoch {status.epoch:.4g}" if status.epoch else ""
    return f"step {status.step:,}{total}{epoch}"


def speed_text(status: Status) -> str:
    """ "95 steps/s, 2 min 5 s left" of a live run; how long it took of one that has ended."""
    if not status.is_live:
        return f"took {duration(status.seconds)}" if status.seconds else ""
    speed = f"{status.steps_per_second:.3g} steps/s" if status.steps_per_second else ""
    left = f"{duration(status.seconds_left)} left" if status.seconds_left is not None else ""
    return ", ".join(part for part in (speed, left) if part)


def duration(seconds: float) -> str:
    """ "0.4 s", "45 s", "2 min 5 s", "1 h 3 min"."""
    if 0 < seconds < 0.5:
        return f"{max(seconds, 0.1):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
