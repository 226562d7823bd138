"""The dialog that chooses the colours of classes."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.palettes import FEWEST, MOST, PALETTES, VISIONS, alike, seen
from mmgraph_gui.drawing.theme import Theme

OWN = "Own"
SIDE = 20


class ColoursDialog(QDialog):
    """A palette to choose or to change, in use as soon as it is changed; Cancel puts the former one back."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._before = theme, theme.classes
        self.setWindowTitle("Colours of classes")
        self.chooser = named(QComboBox(), "Palette", "A palette, to use or to start from")
        self.chooser.addItems([*PALETTES, OWN])
        self.list = named(
            QListWidget(), "Colours", "In the order of classes: drag to move, double-click or Enter to change"
        )
        self.list.setDragDropMode(QListWidget.DragDropMode.InternalMove)
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.change = QPushButton("Change…")
        self.add = QPushButton("Add")
        self.remove = QPushButton("Remove")
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._strips = {vision: QLabel() for vision in VISIONS}
        self.verdict = QLabel(wordWrap=True)
        self._arrange()
        self.chooser.textActivated.connect(self._start_from)
        self.list.itemActivated.connect(self.change_current)
        self.list.model().rowsMoved.connect(lambda *_: self._take())
        self.list.currentRowChanged.connect(lambda _: self._enable())
        self.change.clicked.connect(lambda: self.change_current())
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(self._remove)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._fill(theme.classes)

    def colours(self) -> list[str]:
        """The palette as it stands in the dialog."""
        return [self.list.item(row).text() for row in range(self.list.count())]

    def change_current(self) -> None:
        """Ask for another colour in the place of the current one."""
        item = self.list.currentItem()
        if item is not None:
            colour = QColorDialog.getColor(QColor(item.text()), self, "Colour of a class")
            if colour.isValid():
                self.set_colour(self.list.currentRow(), colour.name())

    def set_colour(self, row: int, colour: str) -> None:
        """Put a colour in the place of another."""
        item = self.list.item(row)
        item.setText(colour)
        item.setIcon(_swatch(colour))
        self._take()

    def reject(self) -> None:
        self._theme.set_classes(self._before)
        super().reject()

    def _arrange(self) -> None:
        side = QVBoxLayout()
        for button in (self.change, self.add, self.remove):
            side.addWidget(button)
        side.addStretch(1)
        middle = QHBoxLayout()
        middle.addWidget(self.list, 1)
        middle.addLayout(side)
        strips = QGridLayout()
        for row, (vision, strip) in enumerate(self._strips.items()):
            strips.addWidget(QLabel(f"{vision} vision" if row == 0 else vision), row, 0)
            strips.addWidget(named(strip, f"Colours as seen {vision}"), row, 1)
        strips.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.chooser)
        layout.addLayout(middle, 1)
        layout.addWidget(QLabel("As they are seen:"))
        layout.addLayout(strips)
        layout.addWidget(self.verdict)
        layout.addWidget(self.buttons)
        self.verdict.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 4)
        self.resize(420, 520)

    def _fill(self, colours: tuple[str, ...]) -> None:
        self.list.clear()
        for colour in colours:
            self.list.addItem(QListWidgetItem(_swatch(colour), colour))
        self.list.setCurrentRow(0)
        self._show(colours)

    def _start_from(self, name: str) -> None:
        if name in PALETTES:
            self._fill(PALETTES[name])
            self._take()

    def _add(self) -> None:
        known = set(self.colours())
        spare = (colour for palette in PALETTES.values() for colour in palette if colour not in known)
        colour = next(spare, "#808080")
        self.list.addItem(QListWidgetItem(_swatch(colour), colour))
        self.list.setCurrentRow(self.list.count() - 1)
        self._take()

    def _remove(self) -> None:
        self.list.takeItem(self.list.currentRow())
        self._take()

    def _take(self) -> None:
        colours = tuple(self.colours())
        self._theme.set_classes(colours)
        self._show(colours)

    def _show(self, colours: tuple[str, ...]) -> None:
        name = next((name for name, palette in PALETTES.items() if palette == colours), OWN)
        self.chooser.setCurrentText(name)
        self._enable()
        by_whom: dict[tuple[int, int], list[str]] = {}
        for vision, strip in self._strips.items():
            strip.setPixmap(_strip(seen(colours, vision)))
            for pair in alike(colours, vision)[:1]:
                by_whom.setdefault(pair, []).append(vision)
        words = [
            f"{colours[first]} and {colours[second]} ({', '.join(visions)})"
            for (first, second), visions in by_whom.items()
        ]
        self.verdict.setText(
            f"Hard to tell apart: {'; '.join(words)}." if words else "All can be told apart by everybody."
        )
        palette = self._theme.palette
        self.verdict.setStyleSheet(f"color: {palette.warning if words else palette.good};")

    def _enable(self) -> None:
        count, some = self.list.count(), self.list.currentRow() >= 0
        self.change.setEnabled(some)
        self.add.setEnabled(count < MOST)
        self.remove.setEnabled(some and count > FEWEST)


def _swatch(colour: str) -> QIcon:
    picture = QPixmap(SIDE, SIDE)
    picture.fill(QColor(colour))
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # else it is tinted in the line that is chosen
    return icon


def _strip(colours: list[str]) -> QPixmap:
    picture = QPixmap(SIDE * len(colours), SIDE - 4)
    painter = QPainter(picture)
    for place, colour in enumerate(colours):
        painter.fillRect(place * SIDE, 0, SIDE, SIDE, QColor(colour))
    painter.end()
    return picture
