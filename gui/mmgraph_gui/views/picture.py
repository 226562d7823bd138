"""One picture, as large as fits, with sharp pixels; says which pixel the mouse is on."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.cells import Cells
from mmgraph_gui.drawing.movable import Movable
from mmgraph_gui.drawing.theme import Theme

LARGEST_PIXEL = 48

PictureLook = tuple[float, QPointF]
"""How much larger than all of it, and which part of width and height is in the middle."""


class Picture(Movable):
    """Shows an image; the wheel zooms, dragging moves, F fits it in again.

    Signals:
        pointed(y, x): the pixel of the image under the mouse, or None, None.
        clicked(y, x): a pixel was clicked.
        resized(): there is more or less room.
    """

    pointed = Signal(object, object)
    clicked = Signal(int, int)
    resized = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._image = QImage()
        self._frame: QRectF | None = None
        self._zoom, self._centre = 1.0, QPointF(0.5, 0.5)
        self.setMinimumSize(120, 100)

    @property
    def image(self) -> QImage:
        """What is shown."""
        return self._image

    def set_image(self, image: QImage) -> None:
        """Show another image; a picture of another size is fitted in."""
        if image.size() != self._image.size():
            self.fit()
        self._image = image
        self.update()

    def set_frame(self, box: QRectF | None) -> None:
        """Frame a part of the image, given in its pixels."""
        if box != self._frame:
            self._frame = box
            self.update()

    def fit(self) -> None:
        self._zoom, self._centre = 1.0, QPointF(0.5, 0.5)
        self.update()

    def look(self) -> tuple[float, QPointF]:
        """How much larger than all of it, and which part of width and height is in the middle."""
        return self._zoom, self._centre

    def look_at(self, look: tuple[float, QPointF]) -> None:
        """Show the part that another picture shows."""
        self._zoom, self._centre = look
        self.update()

    def target(self) -> QRectF:
        """Where the image lies in the widget."""
        if self._image.isNull():
            return QRectF()
        ratio = float(self.devicePixelRatioF())
        width, height = self._image.width(), self._image.height()
        scale = min(self.width() / width, self.height() / height, LARGEST_PIXEL)
        if (
            scale * ratio >= 3
        ):  # whole device pixels keep the tiles of one size; below, fitting in matters more
            scale = int(scale * ratio) / ratio
        scale *= self._zoom
        left = self.width() / 2 - self._centre.x() * width * scale
        top = self.height() / 2 - self._centre.y() * height * scale
        return QRectF(round(left * ratio) / ratio, round(top * ratio) / ratio, width * scale, height * scale)

    def pixel_at(self, at: QPointF) -> tuple[int, int] | None:
        """(y, x) of the pixel of the image under a place of the widget."""
        return Cells(self.target(), self._image.height(), self._image.width()).at(at)

    def sizeHint(self) -> QSize:
        return QSize(480, 360)

    def paint_all(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor(self._theme.palette.background))
        if self._image.isNull():
            return
        target = self.target()
        shrinks = target.width() * self.devicePixelRatioF() < self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
        painter.drawImage(target, self._image)
        if self._frame is not None:
            scale = target.width() / self._image.width()
            box = QRectF(
                target.left() + self._frame.left() * scale,
                target.top() + self._frame.top() * scale,
                self._frame.width() * scale,
                self._frame.height() * scale,
            )
            painter.setPen(QPen(QColor(self._theme.palette.accent), 2))
            painter.drawRect(box.adjusted(-1, -1, 1, 1))

    @property
    def is_empty(self) -> bool:
        return self.target().isEmpty()

    def zoom(self, at: QPointF, factor: float) -> None:
        before = self.target()
        zoom = min(max(self._zoom * factor, 0.2), 200.0)
        factor = zoom / self._zoom
        self._zoom = zoom
        left = at.x() - (at.x() - before.left()) * factor
        top = at.y() - (at.y() - before.top()) * factor
        self._centre = QPointF(
            (self.width() / 2 - left) / (before.width() * factor),
            (self.height() / 2 - top) / (before.height() * factor),
        )

    def shift(self, by: QPointF) -> None:
        target = self.target()
        self._centre = self._centre - QPointF(by.x() / target.width(), by.y() / target.height())

    def point_at(self, at: QPointF | None) -> None:
        pixel = None if at is None else self.pixel_at(at)
        self.pointed.emit(*(pixel or (None, None)))

    def click_at(self, at: QPointF) -> None:
        if (pixel := self.pixel_at(at)) is not None:
            self.clicked.emit(*pixel)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.resized.emit()
