"""Words that look at words: queries on the left, keys on the right, lines as strong as the attention."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.attention.maps import AttentionMap
from mmgraph_gui.views.attention.pieces import Pieces, next_in_ring

MOST_TOKENS = 64
"""Beyond, a heat map shows more."""
FAINTEST = 0.03
"""Of the strongest line; weaker ones are not drawn."""
WIDEST = 5.0
MARGIN = 10
STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class TokenLinks(Pieces[int]):
    """The mouse or Up and Down choose a query; then the keys say how much it looks at each of them."""

    own_keys = STEPS

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._map: AttentionMap | None = None
        self.setMinimumWidth(200)

    def show_map(self, shown: AttentionMap) -> None:
        """Show another map; the chosen query stays chosen while there is one of that number."""
        self._map = shown
        if self.current is not None and self.current >= len(shown.queries):
            self.current = None
        rows = max(len(shown.queries), len(shown.keys), 1)
        self.setMinimumHeight(rows * (self.fontMetrics().height() + 2) + 2 * MARGIN)
        self.setAccessibleDescription(f"{' '.join(shown.queries)} → {' '.join(shown.keys)}")
        self.update()

    def places(self) -> tuple[list[QRectF], list[QRectF]]:
        """Where each query and each key is written."""
        if self._map is None:
            return [], []
        counts = len(self._map.queries), len(self._map.keys)
        rows = max(*counts, 1)
        high = min((self.height() - 2 * MARGIN) / rows, 2.2 * self.fontMetrics().height())
        wide = self.width() * 0.34
        lefts = MARGIN, self.width() - wide - MARGIN
        top = (self.height() - high * rows) / 2
        queries, keys = (
            [QRectF(left, top + (rows - count) * high / 2 + row * high, wide, high) for row in range(count)]
            for left, count in zip(lefts, counts, strict=True)
        )
        return queries, keys

    def piece_at(self, at: QPointF) -> int | None:
        queries, _ = self.places()
        return next((row for row, box in enumerate(queries) if box.contains(at)), None)

    def paint_all(self, painter: QPainter) -> None:
        palette, shown = self._theme.palette, self._map
        painter.fillRect(self.rect(), QColor(palette.background))
        if shown is None or not shown.values.size:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        queries, keys = self.places()
        self._paint_lines(painter, shown, queries, keys)
        metrics = self.fontMetrics()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for row, box in enumerate(queries):
            chosen = row == self.current
            painter.setPen(QColor(palette.accent if chosen else palette.foreground))
            text = metrics.elidedText(
                shown.queries[row], Qt.TextElideMode.ElideRight, int(box.width()) - MARGIN
            )
            painter.drawText(box.adjusted(0, 0, -MARGIN, 0), int(right), text)
        for row, box in enumerate(keys):
            weight = "" if self.current is None else f"  {shown.values[self.current, row]:.3f}"
            room = int(box.width()) - MARGIN - metrics.horizontalAdvance(weight)
            text = metrics.elidedText(shown.keys[row], Qt.TextElideMode.ElideRight, room)
            painter.setPen(QColor(palette.foreground))
            painter.drawText(box.adjusted(MARGIN, 0, 0, 0), int(left), text)
            if weight:
                painter.setPen(QColor(palette.muted))
                painter.drawText(box, int(right), weight)

    def _paint_lines(
        self, painter: QPainter, shown: AttentionMap, queries: list[QRectF], keys: list[QRectF]
    ) -> None:
        strongest = shown.high if math.isfinite(shown.high) and shown.high > 0 else 1.0
        chosen = range(len(queries)) if self.current is None else (self.current,)
        accent = QColor(self._theme.palette.accent)
        for query in chosen:
            for key, weight in enumerate(shown.values[query].tolist()):
                start = QPointF(queries[query].right(), queries[query].center().y())
                end = QPointF(keys[key].left(), keys[key].center().y())
                if not math.isfinite(weight):
                    painter.setPen(QPen(QColor(self._theme.palette.error), 1, Qt.PenStyle.DotLine))
                    painter.drawLine(start, end)
                    continue
                share = weight / strongest
                if share < FAINTEST:
                    continue
                accent.setAlphaF(min(0.12 + 0.88 * share, 1.0))
                painter.setPen(QPen(accent, max(0.7, WIDEST * share)))
                painter.drawLine(start, end)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEPS.get(Qt.Key(event.key()))
        if step is None or self._map is None or not self._map.queries:
            super().keyPressEvent(event)
        else:
            self.go_to(next_in_ring(self.current, step, len(self._map.queries)))
