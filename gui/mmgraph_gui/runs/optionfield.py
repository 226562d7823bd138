"""A form field for one option of a recipe."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QSpinBox, QWidget

from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.options import Option, Scalar
from mmgraph_gui.accessible import named

LARGEST_SPIN = 2**31 - 1


class OptionField(QObject):
    """A check box, combo box, spin box or line edit, and the value in it.

    Signals:
        changed(): the user changed it.
    """

    changed = Signal()

    def __init__(self, option: Option, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.option = option
        self.default = option.default
        self.touched = False
        self.widget = named(self._make(option), label_of(option), f"{option.help}\nTakes {option.expected}.")
        self.set_value(option.default)

    def value(self) -> Scalar | None:
        """What is in the field.

        Raises:
            ConfigError, UnknownNameError: it is not what the option takes.
        """
        return self.option.from_text(self.text())

    def text(self) -> str:
        """What is in the field, as typed."""
        widget = self.widget
        if isinstance(widget, QCheckBox):
            return "true" if widget.isChecked() else "false"
        if isinstance(widget, QComboBox):
            return widget.currentText()
        if isinstance(widget, QSpinBox):
            return str(widget.value())
        return widget.text() if isinstance(widget, QLineEdit) else ""

    def error(self) -> str:
        """Why the field cannot be taken; empty where it can."""
        try:
            self.value()
        except (ConfigError, UnknownNameError) as error:
            return str(error)
        return ""

    def set_value(self, value: Scalar | None) -> None:
        """Put a value into the field, as the program's doing and not the user's."""
        widget, text = self.widget, shown(value)
        widget.blockSignals(True)
        if isinstance(widget, QCheckBox):
            widget.setChecked(value is True)
        elif isinstance(widget, QComboBox):
            widget.setCurrentText(text)
        elif isinstance(widget, QSpinBox):
            widget.setValue(int(value or 0))
        elif isinstance(widget, QLineEdit):
            widget.setText(text)
        widget.blockSignals(False)

    def set_default(self, default: Scalar | None) -> None:
        """Take another default, and show it unless the user has chosen a value."""
        self.default = default
        if not self.touched:
            self.set_value(default)

    def _make(self, option: Option) -> QWidget:
        if option.type is bool:
            box = QCheckBox()
            box.toggled.connect(self._edited)
            return box
        if option.choices:
            combo = QComboBox()
            combo.addItems([*option.choices, *(["none"] if option.optional else [])])
            combo.currentTextChanged.connect(self._edited)
            return combo
        if option.type is int and not option.optional and (option.maximum or 0) <= LARGEST_SPIN:
            spin = QSpinBox()
            low = -LARGEST_SPIN if option.minimum is None else int(option.minimum)
            spin.setRange(low, LARGEST_SPIN if option.maximum is None else int(option.maximum))
            spin.setGroupSeparatorShown(True)
            spin.valueChanged.connect(self._edited)
            return spin
        line = QLineEdit()
        if option.optional:
            line.setPlaceholderText("none")
        line.textChanged.connect(self._edited)
        return line

    def _edited(self, _: object = None) -> None:
        self.touched = True
        self.changed.emit()


def label_of(option: Option) -> str:
    """ "Learning rate"."""
    return option.name.replace("_", " ").capitalize()


def shown(value: Scalar | None) -> str:
    """A value as a person would type it."""
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
