"""How tiles are laid out and coloured: a button that unfolds columns, padding, saturation and range."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QMenu,
    QSpinBox,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from mmgraph_gui.accessible import named


class DisplayValues(NamedTuple):
    """What was chosen; see `tiles.Display`."""

    columns: int
    padding: int
    saturation: float
    limits: tuple[float | None, float | None]


class _Fold(QMenu):
    """Holds fields, between which Tab goes as in any form: a menu would go from entry to entry."""

    def focusNextPrevChild(self, onwards: bool) -> bool:
        return QWidget.focusNextPrevChild(self, onwards)


class DisplayButton(QToolButton):
    """Unfolds the options.

    Signals:
        changed(): one was changed.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "Display options", "Columns, padding, saturation and range of the colours")
        self.setText("Display")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.columns, self.padding = QSpinBox(), QSpinBox()
        self.columns.setRange(0, 256)
        self.columns.setSpecialValueText("as fits")
        self.padding.setRange(0, 16)
        self.padding.setValue(2)
        self.saturation = QDoubleSpinBox()
        self.saturation.setRange(0, 20)
        self.saturation.setSingleStep(0.5)
        self.saturation.setSuffix(" %")
        self.lowest, self.highest = QLineEdit(), QLineEdit()
        form = QFormLayout()
        for text, field, hint in (
            ("Columns", self.columns, "Tiles beside each other"),
            ("Padding", self.padding, "Pixels between tiles"),
            ("Saturation", self.saturation, "Share of the values at each end that is darkest or brightest"),
            ("From", self.lowest, "Value of the darkest colour; empty for the smallest there is"),
            ("To", self.highest, "Value of the brightest colour; empty for the largest there is"),
        ):
            form.addRow(text, named(field, text, hint))
        for field in (self.columns, self.padding, self.saturation):
            field.setKeyboardTracking(False)
            field.valueChanged.connect(lambda _: self.changed.emit())
        for line in (self.lowest, self.highest):
            line.setPlaceholderText("by itself")
            line.setValidator(QDoubleValidator(line))
            line.editingFinished.connect(self.changed)
        self.fields = {
            "columns": self.columns,
            "padding": self.padding,
            "saturation": self.saturation,
            "from": self.lowest,
            "to": self.highest,
        }
        panel = QWidget()
        panel.setLayout(form)
        menu, action = _Fold(self), QWidgetAction(self)
        action.setDefaultWidget(panel)
        menu.addAction(action)
        # Once it is open: then the keyboard is its own.
        menu.aboutToShow.connect(lambda: QTimer.singleShot(0, self.columns, self._begin))
        self.setMenu(menu)

    def _begin(self) -> None:
        self.columns.setFocus(Qt.FocusReason.TabFocusReason)

    def values(self) -> DisplayValues:
        """What was chosen; limits that are not in order do not count."""
        low, high = (_number(line.text()) for line in (self.lowest, self.highest))
        if low is not None and high is not None and not low < high:
            low = high = None
        return DisplayValues(
            self.columns.value(), self.padding.value(), self.saturation.value() / 100, (low, high)
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
