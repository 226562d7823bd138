"""An item in a box: its thumbnail, else its text, else its name; framed where it is selected or pointed at."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state import AppState
from mmgraph_gui.views.item_card import describe, paint_picture, thumbnail


def paint_item(painter: QPainter, box: QRectF, state: AppState, theme: Theme, row: int) -> None:
    """Draw an item of the item set."""
    palette = theme.palette
    picture = thumbnail(state.items, row)
    if picture is not None:
        paint_picture(painter, box, picture)
    else:
        items = state.items
        text = describe(state, row).name
        if items is not None and items.texts is not None and 0 <= row < len(items):
            text = items.texts[row]
        painter.setPen(QColor(palette.foreground))
        painter.setClipRect(box)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), text)
        painter.setClipping(False)
    chosen = bool(np.isin(row, state.selection))
    if chosen or row == state.hovered:
        painter.setPen(QPen(QColor(palette.accent if chosen else palette.muted), 2 if chosen else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(-2, -2, 2, 2))
