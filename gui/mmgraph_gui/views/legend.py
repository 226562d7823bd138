"""What the colours mean; clicking a class selects its items."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from mmgraph_gui.accessible import named
from mmgraph_gui.colouring import Colouring
from mmgraph_gui.icon import dot
from mmgraph_gui.raster import to_image
from mmgraph_gui.theme import Theme
from mmgraph_gui.views.ramp import Ramp

NARROWEST, WIDEST = 72, 168


class Legend(QWidget):
    """Classes with their colours and numbers, or a scale of numbers.

    Signals:
        chosen(code): a class was clicked.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._said: tuple[object, ...] = ()
        self.setFixedWidth(NARROWEST)
        self.heading = QLabel()
        self.heading.setContentsMargins(4, 2, 4, 2)
        self.classes = named(QListWidget(), "Classes", "Click a class to select its items")
        self.classes.setFrameShape(QFrame.Shape.NoFrame)
        self.classes.viewport().setAutoFillBackground(False)
        self.classes.setIconSize(QSize(14, 14))
        self.classes.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.classes.itemClicked.connect(self._clicked)
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

    def show_colouring(self, colouring: Colouring | None) -> None:
        """Explain these colours; nothing where there are none."""
        self.setVisible(colouring is not None)
        if colouring is None:
            return
        counts = np.zeros(0, dtype=np.int64)
        if colouring.codes is not None:
            counts = np.bincount(colouring.codes + 1, minlength=len(colouring.names) + 1)
        said = (colouring.title, *self._theme.legend(colouring), *counts.tolist())
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
            item = QListWidgetItem(dot(colour), f"{name}  ({counts[code + 1]:,})")
            item.setData(Qt.ItemDataRole.UserRole, code)
            item.setToolTip(f"Select the {counts[code + 1]:,} with {colouring.title.lower()} {name}")
            self.classes.addItem(item)
        self._fit(self.classes.sizeHintForColumn(0) + self.classes.verticalScrollBar().sizeHint().width())

    def _fit(self, width: int) -> None:
        """As wide as the entries need; long names are shortened and whole in their tool tips."""
        heading = self.heading.fontMetrics().horizontalAdvance(self.heading.text()) + 12
        self.setFixedWidth(min(max(width, heading, NARROWEST), WIDEST))

    def _clicked(self, item: QListWidgetItem) -> None:
        self.classes.clearSelection()
        self.chosen.emit(int(item.data(Qt.ItemDataRole.UserRole)))
