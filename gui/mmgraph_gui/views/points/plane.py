"""A plane with points that can be moved, zoomed, pointed at and selected; drawn from ready-made images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from mmgraph.analysis import PointGrid
from mmgraph_gui.drawing.raster import Viewport
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.item_card import Description, paint_card
from mmgraph_gui.views.picking import mode_of
from mmgraph_gui.views.points.cloud import PointCloud
from mmgraph_gui.views.points.near_lines import paint_near
from mmgraph_gui.views.points.plane_look import PlaneLook

Tool = Literal["move", "box", "lasso"]

REACH = 6
LOST_SIDE = 14
"""Of the cross of a point without a place."""
CLICK_DISTANCE = 4
LAYERS = ("edges", "points", "strokes")
"""From back to front."""


@dataclass(frozen=True, eq=False)
class PlaneLayer:
    """An image and the viewport it was made for; drawn stretched until the next one is ready."""

    image: QImage
    viewport: Viewport


@dataclass(frozen=True, eq=False)
class Stamp:
    """A small picture at a pixel of a viewport, framed in a colour."""

    x: float
    y: float
    size: float
    picture: QImage
    colour: str


@dataclass(frozen=True, eq=False)
class PlanePath:
    """A way through the plane, oldest place first: (k, 2) places, a colour, and whether older parts are paler."""

    places: npt.NDArray[np.float64]
    colour: str
    fades: bool = True


class Plane(QWidget):
    """Shows layers of images; knows the mouse, not what the points mean.

    Pixels are device pixels here and everywhere in `Viewport`, so pictures are sharp on any screen.

    Signals:
        viewport_changed(): moved, zoomed or resized; new images are wanted.
        looked(): somebody moved or zoomed it, or asked for all of it.
        hovered(point): number of the point under the mouse, or None.
        clicked(point, mode): a point, or None for empty space.
        outlined(corners, mode): (n, 2) corners in the plane of a box or lasso.
        turned(dx, dy): dragged by so many pixels while `turns`, in place of being moved.
    """

    viewport_changed = Signal()
    looked = Signal()
    hovered = Signal(object)
    clicked = Signal(object, str)
    outlined = Signal(object, str)
    turned = Signal(float, float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 100)
        self.tool: Tool = "move"
        self.viewport = Viewport(1, 1)
        self.fitted = True
        self.positions: npt.NDArray[np.floating] = np.zeros((0, 2))
        self.corners: npt.NDArray[np.floating] = np.zeros((0, 2))
        self.lost: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.layers: dict[str, PlaneLayer] = {}
        self.stamps: tuple[Stamp, ...] = ()
        self.grid: PointGrid | None = None
        self.reach = 0.0
        self.marked: int | None = None
        self.paths: tuple[PlanePath, ...] = ()
        self.links: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.link_texts: tuple[str, ...] = ()
        self.turns = False
        self.card: tuple[Description, QImage | None] | None = None
        self._pressed: QPointF | None = None
        self._at = QPointF()
        self._outline: list[QPointF] = []
        self._drawing: Tool = "move"

    # -- content -----------------------------------------------------------------------------------------

    def set_points(self, cloud: PointCloud) -> None:
        """New places of the points; the picture moves only if it must, and never once the user has moved it."""
        self.positions, self.corners, self.lost = cloud.positions, cloud.corners, cloud.lost
        if self.fitted and not self.viewport.still_fits(self.corners):
            self.show_all()

    def show_all(self) -> None:
        """Fit everything in."""
        width, height = self._device_size()
        self.fitted = True
        self.viewport = Viewport.around(self.corners, width, height)
        self.viewport_changed.emit()
        self.update()

    def look(self) -> PlaneLook | None:
        """Which part is shown; None where it is all."""
        return None if self.fitted else PlaneLook.of(self.viewport, self.corners)

    def look_at(self, look: PlaneLook | None, *, same_places: bool) -> None:
        """Show the part that another plane shows."""
        if look is not None:
            self._show(look.viewport(*self._device_size(), self.corners, same_places=same_places))
        elif not self.fitted:
            self.show_all()

    def set_layer(self, name: str, image: QImage | None, viewport: Viewport) -> None:
        """Replace one of the images (see LAYERS for their order)."""
        if image is None:
            self.layers.pop(name, None)
        else:
            self.layers[name] = PlaneLayer(image, viewport)
        self.update()

    def mark(self, point: int | None, card: tuple[Description, QImage | None] | None) -> None:
        """Ring a point; the card is shown only while the mouse is over this plane."""
        self.marked, self.card = point, card
        self.update()

    def set_paths(self, paths: tuple[PlanePath, ...]) -> None:
        """Ways to draw over the points."""
        if paths or self.paths:
            self.paths = paths
            self.update()

    def set_links(self, points: npt.NDArray[np.int64], texts: Sequence[str] = ()) -> None:
        """A point and others, each joined to it by a line and ringed; none where it is empty.

        Args:
            texts: to write at each line.
        """
        if len(points) or len(self.links):
            self.links, self.link_texts = points, tuple(texts)
            self.update()

    @property
    def ratio(self) -> float:
        """Device pixels per logical pixel."""
        return float(self.devicePixelRatioF())

    def _device_size(self) -> tuple[int, int]:
        return max(round(self.width() * self.ratio), 1), max(round(self.height() * self.ratio), 1)

    # -- painting ----------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.palette.background))
        painter.scale(1 / self.ratio, 1 / self.ratio)
        for layer in (self.layers[name] for name in LAYERS if name in self.layers):
            target = self.viewport.rectangle_of(layer.viewport)
            if layer.viewport.scale == self.viewport.scale:  # whole pixels: copied, not stretched
                painter.drawImage(round(target.x()), round(target.y()), layer.image)
            else:
                painter.drawImage(target, layer.image)
        for stamp in self.stamps:
            self._paint_stamp(painter, stamp)
        self._paint_paths(painter)
        painter.save()
        painter.resetTransform()
        self._paint_links(painter)
        painter.restore()
        self._paint_mark(painter)
        painter.resetTransform()
        self._paint_lost(painter)
        self._paint_outline(painter)
        if self.card is not None and self.underMouse() and self._pressed is None:
            paint_card(painter, self._theme, self._at, QRectF(self.rect()), *self.card)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.palette.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_stamp(self, painter: QPainter, stamp: Stamp) -> None:
        box = QRectF(stamp.x - stamp.size / 2, stamp.y - stamp.size / 2, stamp.size, stamp.size)
        painter.fillRect(box.adjusted(-2, -2, 2, 2), QColor(stamp.colour))
        painter.drawImage(box, stamp.picture)

    def _paint_paths(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for path in self.paths:
            pixels = self.viewport.to_pixels(path.places)
            pixels = pixels[np.isfinite(pixels).all(axis=1)]
            for number in range(1, len(pixels)):
                start, end = QPointF(*pixels[number - 1]), QPointF(*pixels[number])
                share = number / (len(pixels) - 1) if path.fades else 1.0
                for width, colour in ((3.5, self._theme.palette.background), (1.8, path.colour)):
                    shade = QColor(colour)
                    shade.setAlphaF(0.2 + 0.8 * share)
                    painter.setPen(QPen(shade, width * self.ratio, c=Qt.PenCapStyle.RoundCap))
                    painter.drawLine(start, end)

    def _paint_links(self, painter: QPainter) -> None:
        known = self.links < len(self.positions)
        if np.count_nonzero(known) > 1 and known[0]:
            places = self.viewport.to_pixels(self.positions[self.links[known]]) / self.ratio
            texts = [text for text, there in zip(self.link_texts, known[1:].tolist(), strict=False) if there]
            paint_near(painter, QRectF(self.rect()), places, texts, self._theme.palette)

    def _paint_mark(self, painter: QPainter) -> None:
        if self.marked is None or not 0 <= self.marked < len(self.positions):
            return
        x, y = self.viewport.to_pixels(self.positions[self.marked : self.marked + 1])[0]
        if not np.isfinite(x + y):
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for width, colour in ((4, self._theme.palette.background), (2, self._theme.palette.foreground)):
            painter.setPen(QPen(QColor(colour), width * self.ratio))
            painter.drawEllipse(QPointF(x, y), 9 * self.ratio, 9 * self.ratio)

    def _lost_boxes(self) -> Iterator[QRectF]:
        """Places of the marks of points that have no place, from the lower left corner on."""
        columns = max((self.width() - 12) // LOST_SIDE, 1)
        for number in range(min(len(self.lost), columns)):
            yield QRectF(6 + number * LOST_SIDE, self.height() - LOST_SIDE - 4, LOST_SIDE, LOST_SIDE)

    def _paint_lost(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for point, box in zip(self.lost.tolist(), self._lost_boxes(), strict=False):
            width = 3.0 if point == self.marked else 1.6
            painter.setPen(QPen(QColor(self._theme.palette.error), width))
            inner = box.adjusted(3, 3, -3, -3)
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.topRight(), inner.bottomLeft())

    def _paint_outline(self, painter: QPainter) -> None:
        if len(self._outline) < 2:
            return
        accent = QColor(self._theme.palette.accent)
        painter.setPen(QPen(accent, 1.5, Qt.PenStyle.DashLine))
        accent.setAlpha(40)
        painter.setBrush(accent)
        painter.drawPolygon(QPolygonF(self._corners()))

    def _corners(self) -> list[QPointF]:
        if self._drawing == "lasso":
            return self._outline
        a, b = self._outline[0], self._outline[-1]
        return [a, QPointF(b.x(), a.y()), b, QPointF(a.x(), b.y())]

    # -- mouse and keys ----------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        factor = 1.0015 ** event.angleDelta().y()
        at = event.position() * self.ratio
        self._move_to(self.viewport.zoomed(factor, at.x(), at.y()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = self._at = event.position()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        left = event.button() == Qt.MouseButton.LeftButton
        self._drawing = ("box" if self.tool == "move" and shift else self.tool) if left else "move"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pressed is None:
            self._at = at
            self.hovered.emit(self.point_at(at))
            self.update()
            return
        if self._drawing == "move":
            if (at - self._pressed).manhattanLength() >= CLICK_DISTANCE or self._outline:
                self._outline = [at]
                delta = (at - self._at) * self.ratio
                if self.turns and event.buttons() & Qt.MouseButton.LeftButton:
                    self.turned.emit(delta.x(), delta.y())
                else:
                    self._move_to(self.viewport.panned(delta.x(), delta.y()))
            else:
                return
        elif not self._outline or (at - self._outline[-1]).manhattanLength() >= 2:
            self._outline = [*(self._outline or [self._pressed]), at]
            self.update()
        self._at = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        moved = (event.position() - self._pressed).manhattanLength() >= CLICK_DISTANCE or len(
            self._outline
        ) > 2
        mode = mode_of(event.modifiers())
        left = event.button() == Qt.MouseButton.LeftButton
        corners = self._corners() if len(self._outline) > 1 else []
        self._pressed, self._outline = None, []
        if left and not moved:
            self.clicked.emit(self.point_at(event.position()), mode)
        elif left and corners and self._drawing != "move":
            pixels = np.array([(corner.x(), corner.y()) for corner in corners]) * self.ratio
            self.outlined.emit(self.viewport.to_plane(pixels), mode)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.point_at(event.position()) is None:
            self.ask_all()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.ignore()

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        middle = (self.viewport.width / 2, self.viewport.height / 2)
        if event.key() == Qt.Key.Key_F:
            self.ask_all()
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._move_to(self.viewport.zoomed(1.25, *middle))
        elif event.key() == Qt.Key.Key_Minus:
            self._move_to(self.viewport.zoomed(0.8, *middle))
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        width, height = self._device_size()
        self.viewport = self.viewport.resized(width, height)
        if self.fitted:
            self.viewport = Viewport.around(self.corners, width, height)
        self.viewport_changed.emit()

    def point_at(self, at: QPointF) -> int | None:
        """Number of the point under a place of the widget."""
        for point, box in zip(self.lost.tolist(), self._lost_boxes(), strict=False):
            if box.contains(at):
                return int(point)
        if self.grid is None or not self.rect().contains(at.toPoint()):
            return None
        x, y = self.viewport.to_plane(np.array([[at.x() * self.ratio, at.y() * self.ratio]]))[0].tolist()
        return self.grid.pick(x, y, max(REACH * self.ratio, self.reach) / self.viewport.scale)

    def ask_all(self) -> None:
        """Somebody wants to see everything."""
        self.show_all()
        self.looked.emit()

    def _move_to(self, viewport: Viewport) -> None:
        if len(self.corners):  # else nothing to be seen would be kept in sight
            self._show(viewport)
            self.looked.emit()

    def _show(self, viewport: Viewport) -> None:
        self.fitted = False
        self.viewport = viewport
        self.stamps = ()
        self.viewport_changed.emit()
        self.update()
