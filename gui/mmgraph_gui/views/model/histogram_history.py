"""How weights, gradients or activations of a layer are spread: a column per snapshot, bright where many values lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from mmgraph.runs import Snapshot
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme

BINS = 96
MOST_STEPS = 200
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 10, 26


@dataclass(frozen=True, eq=False)
class SpreadHistory:
    """Shares of the values of a layer on one scale for all steps.

    Shapes:
        steps (n,), shares (n, BINS), edges (BINS + 1,).
    """

    layer: str
    what: str
    steps: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    edges: npt.NDArray[np.float64]
    of: int


def spread_history(
    snapshots: tuple[Snapshot, ...], steps: list[int], layer: str, of: int
) -> SpreadHistory | None:
    """Put the histograms of a layer on one scale: inside a bin values are taken to lie evenly. None without any."""
    found = []
    for snapshot, step in zip(snapshots, steps, strict=True):
        names, edges = snapshot.notes.get("rows", ()), snapshot.extras.get("edges")
        names = names if isinstance(names, (list, tuple)) else []
        fits = edges is not None and edges.shape == (snapshot.array.shape[0], snapshot.array.shape[1] + 1)
        if edges is not None and fits and layer in names:
            row = list(names).index(layer)
            found.append((step, snapshot.array[row].astype(np.float64), edges[row].astype(np.float64)))
    found = [one for one in found if np.isfinite(one[2]).all() and np.isfinite(one[1]).all()]
    if not found:
        return None
    scale = np.linspace(min(one[2][0] for one in found), max(one[2][-1] for one in found), BINS + 1)
    shares = [np.diff(np.interp(scale, edges, np.append(0.0, np.cumsum(share)))) for _, share, edges in found]
    what = snapshots[0].layer.partition("/")[2]
    return SpreadHistory(layer, what, np.array([step for step, _, _ in found]), np.stack(shares), scale, of)


class HistogramHistory(QWidget):
    """The picture.

    Signals:
        pointed(str): what is under the mouse, in words.
        step_chosen(int): a column was clicked.
    """

    pointed = Signal(str)
    step_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown: SpreadHistory | None = None
        self._image = QImage()
        self._step = 0
        self.setMouseTracking(True)
        self.setMinimumSize(160, 90)

    def show_history(self, history: SpreadHistory | None) -> None:
        """Draw another layer."""
        self.shown = history
        self.restyle()

    def restyle(self) -> None:
        """Draw in the colours of the theme."""
        self._image = QImage()
        if self.shown is not None:
            # The root lets the few values far out be seen.
            height = np.sqrt(self.shown.shares / max(self.shown.shares.max(), 1e-12))
            self._image = to_image(self._theme.continuous(height.T[::-1]))
        self.update()

    def show_step(self, step: int) -> None:
        """Mark the step that all views show."""
        if step != self._step:
            self._step = step
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 160)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self._theme.palette
        painter.fillRect(self.rect(), QColor(palette.background))
        shown, inside = self.shown, self._inside()
        if shown is None or inside.width() <= 0 or inside.height() <= 0:
            painter.end()
            return
        if len(shown.steps) == 1:
            self._paint_bars(painter, inside, shown)
        else:
            painter.drawImage(inside, self._image)
        painter.setPen(QColor(palette.muted))
        painter.drawRect(inside)
        metrics = painter.fontMetrics()
        for at, value in (
            (inside.top(), shown.edges[-1]),
            (inside.bottom() - metrics.height(), shown.edges[0]),
        ):
            box = QRectF(0, at, LEFT - 6, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, f"{value:.3g}")
        low, high = float(shown.edges[0]), float(shown.edges[-1])
        if low < 0 < high:
            zero = inside.bottom() + low / (high - low) * inside.height()
            if inside.top() + metrics.height() < zero < inside.bottom() - metrics.height():
                box = QRectF(0, zero - metrics.height() / 2, LEFT - 6, metrics.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "0")
        below = QRectF(inside.left(), inside.bottom() + 4, inside.width(), metrics.height())
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, f"step {shown.steps[0]:,}")
        if len(shown.steps) > 1:
            painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{shown.steps[-1]:,}")
        else:
            painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{shown.shares.max():.1%}")
        place = int(np.searchsorted(shown.steps, self._step, side="right")) - 1
        if place >= 0 and len(shown.steps) > 1:
            x = inside.left() + (place + 0.5) / len(shown.steps) * inside.width()
            painter.setPen(QPen(QColor(palette.accent), 2))
            painter.drawLine(QPointF(x, inside.top()), QPointF(x, inside.bottom()))
        painter.end()

    def _paint_bars(self, painter: QPainter, inside: QRectF, shown: SpreadHistory) -> None:
        """Of a single step the histogram itself, lying on its side: colours would say less than lengths."""
        high = inside.height() / BINS
        colour = QColor(self._theme.palette.accent)
        for place, share in enumerate(shown.shares[0] / max(shown.shares.max(), 1e-12)):
            bottom = inside.bottom() - place * high
            painter.fillRect(QRectF(inside.left(), bottom - high, share * inside.width(), high), colour)

    def _inside(self) -> QRectF:
        return QRectF(LEFT, TOP, self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM)

    def _column(self, at: QPointF) -> int | None:
        inside = self._inside()
        if self.shown is None or not inside.contains(at):
            return None
        return min(
            int((at.x() - inside.left()) / inside.width() * len(self.shown.steps)), len(self.shown.steps) - 1
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at, shown = event.position(), self.shown
        column = self._column(at)
        if shown is None or column is None:
            self.pointed.emit("")
            return
        inside = self._inside()
        place = min(int((inside.bottom() - at.y()) / inside.height() * BINS), BINS - 1)
        low, high = shown.edges[place], shown.edges[place + 1]
        share = shown.shares[column, place]
        self.pointed.emit(
            f"step {shown.steps[column]:,}  ·  {share:.2%} of {shown.what} from {low:.3g} to {high:.3g}"
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        column = self._column(event.position())
        if column is not None and self.shown is not None:
            self.step_chosen.emit(int(self.shown.steps[column]))

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit("")
