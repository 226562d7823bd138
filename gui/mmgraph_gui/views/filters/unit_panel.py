"""What one unit of a layer is about, asked of the model: items that activate it, its response, what it wants to see."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from mmgraph.analysis import TileGrid, tile
from mmgraph.questions import Activations, GradCAM, Maximise, Occlusion, Question, TopItems
from mmgraph_gui.accessible import named
from mmgraph_gui.asking.model_process import ModelAnswer
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.keys import keeps_keys
from mmgraph_gui.state import AppState
from mmgraph_gui.views.picture import Picture
from mmgraph_gui.views.shortened import ShortLabel

ARROWS = {
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "up",
    Qt.Key.Key_Down: "down",
}
QUESTIONS = {
    "top": ("Top items", "The recorded items that activate the unit most; click one to select it"),
    "response": ("Response", "Where the unit is active in the selected item"),
    "maximise": ("Maximise", "A picture made to activate the unit as much as it can be"),
    "grad-cam": (
        "Grad-CAM",
        "Where the layer finds what speaks for the predicted class of the selected item",
    ),
    "occlusion": (
        "Occlusion",
        "How much less probable the class of the selected item is where it is covered",
    ),
}
FACE = 64
"""Height and width of an item in the picture, in pixels."""


class UnitPicture(Picture):
    """A picture of tiles; while a unit is chosen arrow keys go from one to the next.

    Signals:
        moved(str): left, right, up or down.
    """

    moved = Signal(str)
    takes_arrows = False

    def event(self, event: QEvent) -> bool:
        if self.takes_arrows and keeps_keys(event, ARROWS):
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        direction = ARROWS.get(Qt.Key(event.key()))
        if self.takes_arrows and direction is not None:
            self.moved.emit(direction)
        else:
            super().keyPressEvent(event)


ACROSS = 2
"""Buttons in a line: as narrow as that Filters and Graph have room beside each other."""


class UnitPanel(QWidget):
    """Questions about a unit, and the answer to the last.

    Signals:
        wanted(Question): somebody asks.
        unwanted(): nobody waits any more.
    """

    wanted = Signal(object)
    unwanted = Signal()

    def __init__(self, state: AppState, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._theme = state, theme
        self._layer, self._unit = "", 0
        self._last = ""
        self._rows: list[int] = []
        self._grid: TileGrid | None = None
        self._values: list[float] = []
        self.title = ShortLabel()
        self.buttons = {
            name: named(QPushButton(text), text, hint) for name, (text, hint) in QUESTIONS.items()
        }
        lines = [QHBoxLayout() for _ in range(0, len(self.buttons), ACROSS)]
        for number, (name, button) in enumerate(self.buttons.items()):
            button.clicked.connect(lambda _=False, name=name: self.ask(name))
            lines[number // ACROSS].addWidget(button)
        self.picture = named(Picture(theme), "What the model answers")
        self.picture.clicked.connect(self._clicked)
        self.picture.pointed.connect(self._pointed)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.stop = named(QPushButton("Cancel"), "Cancel", "Wait no longer for the answer")
        self.stop.clicked.connect(self._cancelled)
        self.text = QLabel(wordWrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        waiting = QHBoxLayout()
        waiting.addWidget(self.progress, 1)
        waiting.addWidget(self.stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        for line in lines:
            layout.addLayout(line)
        layout.addWidget(self.picture, 1)
        layout.addLayout(waiting)
        layout.addWidget(self.text)
        self._wait(False)

    def show_unit(self, layer: str, unit: int, name: str, dead: bool) -> None:
        """Be about another unit; what was asked of the last is asked of this one too."""
        if (layer, unit) == (self._layer, self._unit):
            return
        self._layer, self._unit = layer, unit
        self.title.setText(f"{layer}, {name}" + (" – dead" if dead else ""))
        if self._last in ("top", "response", "maximise"):
            self.ask(self._last)

    def ask(self, name: str) -> None:
        """Ask one of `QUESTIONS`."""
        chosen = self._state.selection
        row = int(chosen[0]) if len(chosen) else 0
        questions: dict[str, Question] = {
            "top": TopItems(layer=self._layer, unit=self._unit, k=36),
            "response": Activations(row=row, layer=self._layer, unit=self._unit),
            "maximise": Maximise(layer=self._layer, unit=self._unit),
            "grad-cam": GradCAM(row=row, layer=self._layer),
            "occlusion": Occlusion(row=row),
        }
        self._last = name
        self._wait(True)
        self.text.setText("")
        self.wanted.emit(questions[name])

    def show_progress(self, share: float, text: str) -> None:
        """How far the answer is."""
        self.progress.setValue(round(share * 1000))
        if text:  # below: in the bar there is no room for words
            self.text.setText(text)

    def show_failure(self, text: str) -> None:
        """Why there is no answer."""
        self._wait(False)
        self.text.setText(text)

    def show_answer(self, answer: ModelAnswer) -> None:
        """Draw what the model said."""
        if not answer.partial:
            self._wait(False)
        self._rows, self._grid = [], None
        question, facts = answer.question, answer.facts
        by = f"weights of step {answer.step:,}"
        if isinstance(question, TopItems):
            self._show_items(answer)
            dead = "  ·  above zero for none of them" if facts.get("dead") else ""
            self.text.setText(f"most active of {facts['of']:,} items  ·  {by}{dead}")
        elif isinstance(question, Maximise):
            found = answer.snapshot("image")
            if found is not None:
                picture = found.array[len(found.array) // 2]
                self.picture.set_image(to_image(picture[..., 0] if picture.shape[-1] == 1 else picture))
            if "after" in facts:
                self.text.setText(f"mean activation {facts['before']:.3g} → {facts['after']:.3g}  ·  {by}")
        else:
            found = answer.snapshot("feature_maps")
            if found is not None:
                self.picture.set_image(to_image(self._heat(found.array[len(found.array) // 2, 0], question)))
            who = f"item {question.row}" if hasattr(question, "row") else ""
            about = f"for {facts['class']} ({facts['probability']:.1%})" if facts.get("probability") else ""
            self.text.setText("  ·  ".join(part for part in (who, about, by) if part))

    # -- how it works ------------------------------------------------------------------------------------

    def _wait(self, on: bool) -> None:
        self.progress.setVisible(on)
        self.stop.setVisible(on)
        self.progress.setValue(0)

    def _cancelled(self) -> None:
        self._wait(False)
        self._last = ""
        self.unwanted.emit()

    def _face(self, row: int) -> npt.NDArray[np.uint8] | None:
        """The thumbnail of an item, (FACE, FACE, 3)."""
        items = self._state.items
        if items is None or items.thumbnails is None or not 0 <= row < len(items):
            return None
        picture = items.thumbnails[row]
        return _sized(picture if picture.ndim == 3 else picture[..., None].repeat(3, axis=2))

    def _heat(self, values: npt.NDArray[np.float32], question: Question) -> npt.NDArray[np.uint8]:
        """Values as colours, over the item they are of where there is a picture of it."""
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        share = (np.nan_to_num(values, nan=low) - low) / (high - low if high > low else 1.0)
        colours = self._theme.continuous(share)
        face = self._face(getattr(question, "row", -1) or 0)
        if face is None:
            return _sized(colours)
        under = face.mean(axis=2, keepdims=True)
        strength = 0.25 + 0.5 * _sized((share[..., None] * 255).astype(np.uint8)) / 255
        return np.asarray(under * (1 - strength) + _sized(colours) * strength, dtype=np.uint8)

    def _show_items(self, answer: ModelAnswer) -> None:
        rows, values = answer.facts["rows"], answer.facts["values"]
        faces = [self._face(row) for row in rows]
        kept = [place for place, face in enumerate(faces) if face is not None]
        if not kept:
            self.picture.set_image(to_image(np.zeros((1, 1, 3), np.uint8)))
            listed = ", ".join(
                f"{row} ({value:.3g})" for row, value in zip(rows[:12], values[:12], strict=True)
            )
            self.title.setToolTip(listed)
            return
        self._rows = [rows[place] for place in kept]
        self._values = [values[place] for place in kept]
        stack = np.stack([face for face in faces if face is not None])
        self._grid = TileGrid(len(stack), FACE, FACE, padding=2)
        self.picture.set_image(to_image(tile(stack, self._grid)))

    def _clicked(self, y: int, x: int) -> None:
        place = self._grid.at(y, x) if self._grid is not None else None
        if place is not None:
            self._state.select([self._rows[place]])

    def _pointed(self, y: int | None, x: int | None) -> None:
        if self._grid is None or y is None or x is None:
            return
        place = self._grid.at(y, x)
        if place is not None:
            self.text.setText(f"item {self._rows[place]}: {self._values[place]:.4g}")
            self._state.hover(self._rows[place])


def _sized(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Scaled to FACE × FACE by the nearest pixel."""
    height, width = picture.shape[:2]
    rows, columns = (np.arange(FACE) * length // FACE for length in (height, width))
    sized: npt.NDArray[np.uint8] = picture[rows[:, None], columns]
    return sized
