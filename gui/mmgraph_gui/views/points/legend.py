"""What the colours mean; clicking a class hides or shows it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.icon import dot
from mmgraph_gui.drawing.one_line import in_one_line
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.state.colouring import Colouring
from mmgraph_gui.views.ramp import Ramp
from mmgraph_gui.views.shortened import ShortLabel

NARROWEST, WIDEST = 72, 168
WIDEST_HEADING = 120
"""Pixels that the heading alone makes room for: the picture beside it needs them more."""
HINT = "Click hides or shows it, Ctrl-click shows it alone, Shift-click selects its items"


class Legend(QWidget):
    """Classes with their colours and numbers, or a scale of numbers.

    Signals:
        hidden_changed(codes): these classes are not to be shown any more.
        chosen(code): the items of a class are to be selected.
    """

    hidden_changed = Signal(object)
    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._said: tuple[object, ...] = ()
        self._hidden: frozenset[int] = frozenset()
        self.setFixedWidth(NARROWEST)
        self.heading = ShortLabel()
        self.heading.setContentsMargins(4, 2, 4, 2)
        self.classes = named(QListWidget(), "Classes", HINT)
        self.classes.setFrameShape(QFrame.Shape.NoFrame)
        self.classes.viewport().setAutoFillBackground(False)
        self.classes.setIconSize(QSize(14, 14))
        self.classes.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.classes.itemClicked.connect(self._clicked)
        key = QShortcut(QKeySequence("Return"), self.classes, context=Qt.ShortcutContext.WidgetShortcut)
        key.activated.connect(lambda: self._clicked(self.classes.currentItem()))
        self.scale = Ramp()
        body = QWidget()
        self._pages = QStackedLayout(body)
        self._pages.setContentsMargins(0, 0, 0, 0)
        self._pages.addWidget(self.classes)
        self._pages.addWidget(self.scale)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(body, 1)

    def show_colouring(self, colouring: Colouring | None, hidden: frozenset[int] = frozenset()) -> None:
        """Explain these colours, with the classes that are hidden; nothing where there are none."""
        self.setVisible(colouring is not None)
        self._hidden = hidden
        if colouring is None:
            return
        counts = np.zeros(0, dtype=np.int64)
        if colouring.codes is not None:
            counts = np.bincount(colouring.codes + 1, minlength=len(colouring.names) + 1)
        said = (colouring.title, hidden, *self._theme.legend(colouring), *counts.tolist())
        if said == self._said:
            return
        self._said = said
        self.heading.setText(colouring.title)
        self.classes.clear()
        if colouring.codes is None:
            ramp = self._theme.continuous(np.linspace(1, 0, 256))[:, None]
            self.scale.show_range(to_image(ramp), f"{colouring.high:.4g}", f"{colouring.low:.4g}")
            self._pages.setCurrentWidget(self.scale)
            self._fit(self.scale.sizeHint().width())
            return
        self._pages.setCurrentWidget(self.classes)
        entries = [(code, name, colour) for code, (name, colour) in enumerate(self._theme.legend(colouring))]
        if counts[0]:
            entries.append((-1, "unknown", self._theme.category(-1)))
        for code, name, colour in entries:
            count = int(counts[code + 1])
            gone, line = code in hidden, in_one_line(name)
            item = QListWidgetItem(dot("none", colour) if gone else dot(colour), f"{line}  ({count:,})")
            font = item.font()
            font.setStrikeOut(gone)
            item.setFont(font)
            item.setData(Qt.ItemDataRole.UserRole, code)
            item.setToolTip(f"{colouring.title} {line}, {count:,} items{', hidden' if gone else ''}. {HINT}")
            self.classes.addItem(item)
            self._shorten(item, line, count)
        self._fit(self.classes.sizeHintForColumn(0) + self.classes.verticalScrollBar().sizeHint().width())

    def _shorten(self, item: QListWidgetItem, name: str, count: int) -> None:
        """Cut a name that is too long, so that the number after it can be read."""
        room = WIDEST - self.classes.verticalScrollBar().sizeHint().width()
        excess = self.classes.sizeHintForIndex(self.classes.indexFromItem(item)).width() - room
        if excess > 0:
            item.setData(Qt.ItemDataRole.AccessibleTextRole, item.text())
            metrics = QFontMetrics(item.font())
            left = max(metrics.horizontalAdvance(name) - excess, 0)
            item.setText(f"{metrics.elidedText(name, Qt.TextElideMode.ElideRight, left)}  ({count:,})")

    def _fit(self, width: int) -> None:
        """As wide as the entries need; long names are shortened and whole in their tool tips."""
        heading = self.heading.fontMetrics().horizontalAdvance(self.heading.text()) + 12
        self.setFixedWidth(min(max(width, min(heading, WIDEST_HEADING), NARROWEST), WIDEST))

    def _clicked(self, item: QListWidgetItem | None) -> None:
        self.classes.clearSelection()
        if item is None:
            return
        code = int(item.data(Qt.ItemDataRole.UserRole))
        held = QApplication.keyboardModifiers()
        if held & Qt.KeyboardModifier.ShiftModifier:
            self.chosen.emit(code)
        elif held & Qt.KeyboardModifier.ControlModifier:
            places = (self.classes.item(row) for row in range(self.classes.count()))
            others = frozenset(int(place.data(Qt.ItemDataRole.UserRole)) for place in places) - {code}
            self.hidden_changed.emit(frozenset() if self._hidden == others else others)
        else:
            self.hidden_changed.emit(self._hidden ^ {code})
