"""How a run is painted in the table of runs: as a card where there is little room, else as cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from mmgraph_gui.bars.statusline import state_colour
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.runs.runentry import RunEntry, age
from mmgraph_gui.runs.runmodel import COLUMNS, ENTRY_ROLE

PAD = 6
WIDEST = 240
"""Pixels of words for which a column makes room of itself."""
CURVE_WIDTH = 64
NARROWEST_CURVE = 24

Index = QModelIndex | QPersistentModelIndex


class RunCell(QStyledItemDelegate):
    """Paints a run. A click on its box, or Space, changes the check mark.

    Args:
        colour_of: colour of a run whose curves are drawn beside those of the open one.
        is_open: whether a run is the open one.
    """

    def __init__(
        self,
        theme: Theme,
        colour_of: Callable[[Path], str | None],
        is_open: Callable[[Path], bool],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._colour_of, self._is_open = theme, colour_of, is_open
        self.cards = True
        self.checking = False  # whether the click that is going on has changed a check mark

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = option.fontMetrics.lineSpacing()
        if self.cards:
            return QSize(120, 3 * line + 2 * PAD)
        entry: RunEntry = index.data(ENTRY_ROLE)
        name = COLUMNS[index.column()].name
        if name == "trace":
            return QSize(CURVE_WIDTH + 2 * PAD, line + 2 * PAD)
        room = 2 * (line + PAD) if name == "name" else line + PAD if name == "state" else 0
        wide = option.fontMetrics.horizontalAdvance(COLUMNS[index.column()].text(entry))
        return QSize(min(wide, WIDEST) + room + 3 * PAD, line + 2 * PAD)  # words are cut early, by rounding

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry = index.data(ENTRY_ROLE)
        if entry is None:
            return
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        palette = self._theme.palette
        if selected:
            painter.fillRect(option.rect, QColor(palette.accent))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(palette.raised))
        text = QColor(palette.on_accent if selected else palette.foreground)
        faint = QColor(palette.on_accent if selected else palette.muted)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.cards:
            self._paint_card(painter, option, entry, text, faint)
        else:
            self._paint_cell(painter, option, index, entry, text, faint)
        painter.restore()

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        entry = index.data(ENTRY_ROLE)
        if entry is None or index.column() != 0 or entry.state == "queued":
            return False
        if isinstance(event, QMouseEvent):
            inside = self.box_of(option.rect, option.fontMetrics.height()).adjusted(-5, -5, 5, 5)
            self.checking = False
            if event.button() != Qt.MouseButton.LeftButton or not inside.contains(event.position()):
                return False
            if event.type() != QEvent.Type.MouseButtonRelease:
                return True
            self.checking = True
        elif event.type() != QEvent.Type.KeyPress or event.key() != Qt.Key.Key_Space:  # type: ignore[attr-defined]
            return False
        now = index.data(Qt.ItemDataRole.CheckStateRole)
        other = Qt.CheckState.Unchecked if now == Qt.CheckState.Checked else Qt.CheckState.Checked
        return model.setData(index, other, Qt.ItemDataRole.CheckStateRole)

    def box_of(self, row: QRect, line: int) -> QRectF:
        """Where the check box of a row is."""
        side = round(line * 0.8)
        top = row.top() + (PAD + (line - side) / 2 if self.cards else (row.height() - side) / 2)
        return QRectF(row.left() + PAD, top, side, side)

    # -- parts ---------------------------------------------------------------------------------------------

    def _paint_card(
        self, painter: QPainter, option: QStyleOptionViewItem, entry: RunEntry, text: QColor, faint: QColor
    ) -> None:
        line = option.fontMetrics.lineSpacing()
        area = option.rect.adjusted(PAD, PAD, -PAD, -PAD)
        box = self.box_of(option.rect, option.fontMetrics.height())
        if entry.state != "queued":
            self._paint_box(painter, box, entry, text)
        left = round(box.right()) + PAD
        top = QRect(left, area.top(), area.right() - left, line)
        used = self._paint_name(painter, top, entry, text) + PAD
        tags = ", ".join(entry.summary.notes.tags)
        if tags and top.width() - used > 2 * line:
            label = QFont(painter.font())
            label.setItalic(True)
            painter.setFont(label)
            self._words(painter, top.adjusted(used, 0, 0, 0), tags, faint)
            label.setItalic(False)
            painter.setFont(label)
        metric = entry.metric or (entry.summary.message if entry.place else entry.recipe)
        room, advance = area.right() - left, option.fontMetrics.horizontalAdvance
        state, curve = card_words(entry, room, advance(metric), advance)
        wide = room - curve - (PAD if curve else 0)
        self._paint_dot(painter, QRect(area.left(), area.top() + line, left - area.left(), line), entry)
        self._words(painter, QRect(left, area.top() + line, wide, line), state, faint)
        below = QRect(left, area.top() + 2 * line, wide, line)
        elide = Qt.TextElideMode.ElideMiddle if entry.metric else Qt.TextElideMode.ElideRight
        self._words(painter, below, metric, faint, elide)  # of a number its value stays
        if curve:
            place = QRectF(area.right() - curve, area.top() + line + 2, curve, 2 * line - 4)
            self._paint_curve(painter, place, entry, text, selected=text != self._plain())

    def _paint_cell(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: Index,
        entry: RunEntry,
        text: QColor,
        faint: QColor,
    ) -> None:
        area, name = option.rect.adjusted(PAD, 0, -PAD, 0), COLUMNS[index.column()].name
        line = option.fontMetrics.height()
        if name == "name":
            box = self.box_of(option.rect, line)
            if entry.state != "queued":
                self._paint_box(painter, box, entry, text)
            self._paint_name(painter, area.adjusted(round(box.width()) + PAD, 0, 0, 0), entry, text)
        elif name == "state":
            self._paint_dot(painter, QRect(area.left(), area.top(), line, area.height()), entry)
            self._words(painter, area.adjusted(line + 2, 0, 0, 0), entry.told_state, text)
        elif name == "trace":
            if entry.trace:
                self._paint_curve(
                    painter, QRectF(area).adjusted(0, 5, 0, -5), entry, text, selected=text != self._plain()
                )
        else:
            self._words(
                painter, area, COLUMNS[index.column()].text(entry), faint if name == "notes" else text
            )

    def _paint_box(self, painter: QPainter, box: QRectF, entry: RunEntry, text: QColor) -> None:
        """A box in the colour of the run where its curves are drawn."""
        colour = self._colour_of(entry.path)
        painter.setPen(QPen(text if colour is None else QColor(self._theme.palette.foreground), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush if colour is None else QColor(colour))
        painter.drawRoundedRect(box, 2, 2)
        if colour is not None:
            light = QColor(colour).lightnessF() > 0.55
            painter.setPen(QPen(QColor("#101214" if light else "#ffffff"), 2))
            across, down = box.width(), box.height()
            painter.drawPolyline(
                [
                    box.topLeft() + QPointF(across * x, down * y)
                    for x, y in ((0.22, 0.5), (0.43, 0.72), (0.8, 0.28))
                ]
            )

    def _paint_name(self, painter: QPainter, area: QRect, entry: RunEntry, text: QColor) -> int:
        """Returns how wide it is."""
        font = QFont(painter.font())
        font.setBold(self._is_open(entry.path))
        painter.setFont(font)
        self._words(painter, area, entry.summary.name, text, Qt.TextElideMode.ElideMiddle)
        wide = painter.fontMetrics().horizontalAdvance(entry.summary.name)
        font.setBold(False)
        painter.setFont(font)
        return wide

    def _paint_dot(self, painter: QPainter, area: QRect, entry: RunEntry) -> None:
        palette = self._theme.palette
        painter.setPen(QPen(QColor(palette.background), 1.5))
        painter.setBrush(QColor(state_colour(entry.state, palette)))
        side = painter.fontMetrics().height() * 0.6
        painter.drawEllipse(QRectF(area).center(), side / 2, side / 2)

    def _plain(self) -> QColor:
        """Colour of text in a row that is not selected."""
        return QColor(self._theme.palette.foreground)

    def _paint_curve(
        self, painter: QPainter, area: QRectF, entry: RunEntry, text: QColor, *, selected: bool
    ) -> None:
        points, last = entry.trace, max(len(entry.trace) - 1, 1)
        places = [
            QPointF(area.left() + number / last * area.width(), area.bottom() - height * area.height())
            for number, height in enumerate(points)
        ]
        colour = text if selected else QColor(self._colour_of(entry.path) or text)
        if len(places) == 1:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(places[0], 2, 2)
        else:
            painter.setPen(QPen(colour, 1.3))
            painter.drawPolyline(QPolygonF(places))

    def _words(
        self,
        painter: QPainter,
        area: QRect,
        words: str,
        colour: QColor,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        painter.setPen(colour)
        shown = painter.fontMetrics().elidedText(words, elide, max(area.width(), 0))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(area, int(flags), shown)


def card_words(entry: RunEntry, room: int, metric: int, advance: Callable[[str], int]) -> tuple[str, int]:
    """What a card says of state and age in so many pixels, and how wide its small curve is; 0 for none.

    Where there is little room "ago" goes first, then the curve, the age last.

    Args:
        metric: pixels of the number below.
        advance: pixels of a text.
    """
    when, state = age(entry.summary.heartbeat), entry.told_state
    whole = f"{state}, {when}" if when else state
    short = whole.removesuffix(" ago")
    for words in (whole, short):
        curve = min(room - 2 * PAD - max(advance(words), metric), CURVE_WIDTH)
        if entry.trace and curve >= NARROWEST_CURVE:
            return words, curve
    return next((words for words in (whole, short) if advance(words) <= room), state), 0
