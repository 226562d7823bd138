"""The wiring of a model as boxes in layers: zoom, move, click."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import QScrollBar, QWidget

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.movable import Movable
from mmgraph_gui.drawing.raster import Drawing
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.model.wiring_picture import (
    ACROSS,
    DOWN,
    HEIGHT,
    READABLE,
    WIDTH,
    Wiring,
    WiringPicture,
    family_colours,
)

LARGEST, SMALLEST = 2.5, 0.02


class WiringDiagram(Movable):
    """Draws a wiring; the wheel zooms, dragging moves, F fits it in, Up and Down go from box to box, Page Up and Page
    Down, or the bar at the right, through a deep one.

    Signals:
        chosen(str): a box was clicked or gone to.
        pointed(str): the mouse is on a box, or on none ("").
    """

    chosen = Signal(str)
    pointed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.wiring: Wiring | None = None
        self.layer = ""
        self._zoom, self._origin = 1.0, QPointF(0, 0)
        self._fitted = True
        self.setMinimumSize(160, 120)
        self.bar = named(QScrollBar(Qt.Orientation.Vertical, self), "Place in the wiring", "")
        self.bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.bar.valueChanged.connect(self._scroll)
        self.bar.hide()

    def show_wiring(self, wiring: Wiring | None) -> None:
        """Draw another one."""
        self.wiring = wiring
        self.fit()

    def show_layer(self, name: str) -> None:
        """Frame the box of a layer, and bring it into sight."""
        if name == self.layer:
            return
        self.layer = name
        box = self._box_of(name)  # of a module that runs several times, the first
        if box is not None and not QRectF(self.rect()).contains(box):
            self._origin = self._origin + self._middle() - box.center()
            self._fitted = False
        self._show_place()
        self.update()

    def fit(self) -> None:
        """Show all of it, or, where words could not be read then, its beginning."""
        self._fitted = True
        if self.wiring is None or not len(self.wiring.names):
            self._show_place()
            self.update()
            return
        whole = self._whole()
        zoom = min(self.width() / whole.width(), self.height() / whole.height(), 1.0)
        self._zoom = max(zoom, min(READABLE, self.width() / whole.width()), SMALLEST)
        left = self.width() / 2 - whole.center().x() * self._zoom
        middle = self.height() / 2 - whole.center().y() * self._zoom
        top = -whole.top() * self._zoom
        self._origin = QPointF(left, middle if whole.height() * self._zoom <= self.height() else top)
        self._show_place()
        self.update()

    def look(self) -> tuple[float, QPointF] | None:
        """Zoom, and the place of the wiring in the middle; None where all of it is shown."""
        return None if self._fitted else (self._zoom, (self._middle() - self._origin) / self._zoom)

    def look_at(self, look: tuple[float, QPointF] | None) -> None:
        """Show the part that another diagram shows."""
        if look is None:
            self.fit()
            return
        self._zoom, self._fitted = look[0], False
        self._origin = self._middle() - look[1] * self._zoom
        self._show_place()
        self.update()

    def _scroll(self, top: int) -> None:
        """The bar was moved by hand, or by a key."""
        self._origin, self._fitted = QPointF(self._origin.x(), -top), False
        self._show_place()
        self.update()
        self.looked.emit()

    def _show_place(self) -> None:
        """Set the bar to the part on screen; hidden where all of it is."""
        if self.wiring is None or not len(self.wiring.names):
            self.bar.hide()
            return
        whole, top = self._whole(), round(-self._origin.y())
        first, last = round(whole.top() * self._zoom), round(whole.bottom() * self._zoom)
        deep = last - first > self.height() + 1
        self.bar.blockSignals(True)
        self.bar.setRange(min(first, top), max(last - self.height(), top))
        self.bar.setPageStep(self.height())
        self.bar.setSingleStep(round((HEIGHT + DOWN) * self._zoom))
        self.bar.setValue(top)
        self.bar.blockSignals(False)
        if deep == self.bar.isHidden():
            self.bar.setVisible(deep)

    def _middle(self) -> QPointF:
        return QPointF(self.width() / 2, self.height() / 2)

    def box_at(self, at: QPointF) -> str:
        """The box under a place of the widget, or ""."""
        if self.wiring is not None:
            place = (at - self._origin) / self._zoom
            for number, name in enumerate(self.wiring.names):
                if self.wiring.box(number).contains(place):
                    return name
        return ""

    def sizeHint(self) -> QSize:
        return QSize(520, 480)

    def paint_all(self, painter: QPainter) -> None:
        if self.wiring is None:
            painter.fillRect(self.rect(), QColor(self._theme.palette.background))
        else:
            self._picture(self.wiring).paint(painter)

    def drawing(self) -> Drawing | None:
        """What is on screen as vectors, as it is now; None where there is nothing."""
        if self.wiring is None or not self.wiring.names:
            return None
        return Drawing(QSize(self.size()), self._picture(self.wiring).paint, apart=True)

    def _picture(self, wiring: Wiring) -> WiringPicture:
        theme, origin = self._theme, QPointF(self._origin)
        return WiringPicture(
            wiring,
            self.layer,
            self._zoom,
            origin,
            QSize(self.size()),
            QFont(self.font()),
            theme.palette,
            family_colours(theme),
        )

    def _box_of(self, name: str) -> QRectF | None:
        if self.wiring is None or name not in self.wiring.names:
            return None
        box = self.wiring.box(self.wiring.names.index(name))
        return QRectF(box.topLeft() * self._zoom + self._origin, box.size() * self._zoom)

    def _whole(self) -> QRectF:
        assert self.wiring is not None
        right, bottom = self.wiring.places.max(axis=0)
        return QRectF(0, 0, right * (WIDTH + ACROSS) + WIDTH, bottom * (HEIGHT + DOWN) + HEIGHT).adjusted(
            -2 * ACROSS, -ACROSS, 2 * ACROSS, ACROSS
        )

    # -- mouse and keys ----------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        return self.wiring is None

    def zoom(self, at: QPointF, factor: float) -> None:
        zoom = min(max(self._zoom * factor, SMALLEST), LARGEST)
        self._origin = at - (at - self._origin) * (zoom / self._zoom)
        self._zoom, self._fitted = zoom, False
        self._show_place()

    def shift(self, by: QPointF) -> None:
        self._origin, self._fitted = self._origin + by, False
        self._show_place()

    def point_at(self, at: QPointF | None) -> None:
        name = "" if at is None else self.box_at(at)
        self.setCursor(Qt.CursorShape.PointingHandCursor if name else Qt.CursorShape.ArrowCursor)
        self.pointed.emit(name)

    def click_at(self, at: QPointF) -> None:
        if name := self.box_at(at):
            self.chosen.emit(name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        wide = self.bar.sizeHint().width()
        self.bar.setGeometry(self.width() - wide, 0, wide, self.height())
        if self._fitted:
            self.fit()
        self._show_place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() in moves and self.wiring is not None and self.wiring.names:
            names = self.wiring.names
            place = names.index(self.layer) + moves[Qt.Key(event.key())] if self.layer in names else 0
            self.chosen.emit(names[min(max(place, 0), len(names) - 1)])
        elif event.key() == Qt.Key.Key_PageUp:
            self.bar.triggerAction(QScrollBar.SliderAction.SliderPageStepSub)
        elif event.key() == Qt.Key.Key_PageDown:
            self.bar.triggerAction(QScrollBar.SliderAction.SliderPageStepAdd)
        else:
            super().keyPressEvent(event)
