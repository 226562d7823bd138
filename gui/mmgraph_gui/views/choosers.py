"""What can be chosen in the controls of a view, each under a name by which undo, session and palette know it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QComboBox, QDoubleSpinBox, QLineEdit, QSlider, QSpinBox

LARGEST = 2**31
"""Numbers from here on no widget holds."""

Value = Any
"""A string, a number, a switch, None, or a list of such: what JSON can hold."""


@dataclass(frozen=True, eq=False)
class Chooser:
    """One thing that can be chosen.

    Args:
        title: what it is called, such as "Projection".
        get, put: read what is chosen; choose another. What does not fit is left as it is.
        options: (words, value) of each choice there is; empty where there are too many to list.
        typed: whether it is typed or dragged: what follows soon is the same change.
    """

    title: str
    get: Callable[[], Value]
    put: Callable[[Value], object]
    options: Callable[[], Sequence[tuple[str, Value]]] = tuple
    typed: bool = False


class Choosers(QObject):
    """The choosers of a view.

    Signals:
        chosen(name, before, now): somebody chose.
    """

    chosen = Signal(str, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._by_name: dict[str, Chooser] = {}
        self._known: dict[str, Value] = {}
        self._busy = False

    def add(self, name: str, widget: QObject) -> None:
        """Take in a widget after what it does has been connected: a box, switch, slider, field or entry of a menu."""
        chooser, signal = _of_widget(widget)
        self._add(name, chooser)
        signal.connect(functools.partial(self.note, name))

    def add_value(self, name: str, chooser: Chooser) -> None:
        """Take in what no single widget holds; the view calls `note` whenever somebody has changed it."""
        self._add(name, chooser)

    def note(self, name: str, *_: Any) -> None:
        """Somebody may have chosen."""
        before, now = self._known[name], self._by_name[name].get()
        if not self._busy and now != before:
            self._known[name] = now
            self.chosen.emit(name, before, now)

    def look_again(self) -> None:
        """What the view has chosen by itself is where the next choice starts from."""
        self._known = self.values()

    def choose(self, name: str, value: Value) -> None:
        """Choose as somebody does with the mouse."""
        self._put(name, value)
        self.note(name)

    def restore(self, values: Mapping[str, Value]) -> None:
        """Put back what was chosen; names that are not known, and values of another type, are left out."""
        for name, value in values.items():
            chooser = self._by_name.get(name)
            if chooser is not None and _fits(value, chooser.get()):
                self._put(name, value)
        self.look_again()

    def values(self) -> dict[str, Value]:
        """What is chosen now."""
        return {name: chooser.get() for name, chooser in self._by_name.items()}

    def items(self) -> list[tuple[str, Chooser]]:
        """Name and chooser of each."""
        return list(self._by_name.items())

    def __getitem__(self, name: str) -> Chooser:
        return self._by_name[name]

    def _add(self, name: str, chooser: Chooser) -> None:
        self._by_name[name], self._known[name] = chooser, chooser.get()

    def _put(self, name: str, value: Value) -> None:
        if self._by_name[name].get() == value:
            return
        self._busy = True
        try:
            self._by_name[name].put(value)
        finally:
            self._busy = False


def _fits(value: Value, present: Value) -> bool:
    if isinstance(present, bool) or isinstance(value, bool):
        return type(value) is type(present)
    if isinstance(value, int | float) and not abs(value) < LARGEST:
        return False
    numbers = isinstance(value, int | float) and isinstance(present, int | float)
    return numbers or value is None or present is None or type(value) is type(present)


def _of_widget(widget: Any) -> tuple[Chooser, Any]:
    """A chooser of what a widget holds, and the signal that says that somebody changed it."""
    if isinstance(widget, QComboBox):
        box = widget
        return (
            Chooser(
                box.accessibleName(),
                box.currentText,
                lambda text: _choose_text(box, text),
                lambda: [
                    (box.itemText(place), box.itemText(place))
                    for place in range(box.count())
                    if box.model().flags(box.model().index(place, 0)) & Qt.ItemFlag.ItemIsEnabled
                ],
            ),
            box.activated,
        )
    if isinstance(widget, QAbstractButton | QAction):
        switch = widget
        title = switch.accessibleName() if isinstance(switch, QAbstractButton) else switch.text()
        return (
            Chooser(
                title.split("\t")[0].replace("&", ""),
                switch.isChecked,
                switch.setChecked,
                lambda: [("off" if switch.isChecked() else "on", not switch.isChecked())],
            ),
            switch.toggled,
        )
    if isinstance(widget, QSlider | QSpinBox | QDoubleSpinBox):
        return Chooser(
            widget.accessibleName(), widget.value, widget.setValue, typed=True
        ), widget.valueChanged
    if isinstance(widget, QLineEdit):
        line = widget
        return Chooser(
            line.accessibleName(), line.text, lambda text: _type(line, text), typed=True
        ), line.textChanged
    raise TypeError(f"Nothing is chosen in a {type(widget).__name__}.")


def _choose_text(box: QComboBox, text: str) -> None:
    place = box.findText(text, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchCaseSensitive)
    if place >= 0:
        box.setCurrentIndex(place)
        box.activated.emit(place)


def _type(line: QLineEdit, text: str) -> None:
    line.setText(text)
    line.editingFinished.emit()
