"""Colours: light and dark, a categorical palette for colour-blind eyes, a continuous map.

theme.palette.foreground        "#rrggbb" of this and other parts of the window
theme.category(3)               "#rrggbb" of the fourth class, the same in every view
theme.colours(colouring)        (items, 3) uint8: a colour for each item
theme.continuous(values01)      (..., 3) uint8: numbers in 0 … 1 as colours
theme.changed.connect(...)      emitted after light and dark have been switched
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette

from mmgraph_gui.drawing.palettes import (
    DEFAULT,
    FEWEST,
    MOST,
    OKABE_ITO,
    PALETTES,
    extended,
    is_colour,
    mixed,
    rgb,
)
from mmgraph_gui.drawing.viridis import VIRIDIS
from mmgraph_gui.state.colouring import CORRECT, WRONG, Colouring

Mode = Literal["system", "light", "dark"]
Colours = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Palette:
    """Colours of the parts of the window, as "#rrggbb"."""

    window: str
    background: str
    raised: str
    foreground: str
    muted: str
    grid: str
    accent: str
    on_accent: str
    good: str
    warning: str
    error: str


LIGHT = Palette(
    window="#f3f4f6", background="#ffffff", raised="#e7e9ed", foreground="#1c1f24", muted="#5b626c",
    grid="#d3d6dc", accent="#0061a8", on_accent="#ffffff", good="#00704f", warning="#8a5300", error="#b3261e",
)  # fmt: skip
DARK = Palette(
    window="#1d2025", background="#15171b", raised="#2b2f36", foreground="#e8eaed", muted="#a3aab5",
    grid="#3a3f47", accent="#62b5f0", on_accent="#0c1116", good="#4fd1a5", warning="#f2b04a", error="#ff8a80",
)  # fmt: skip

_CURVES = {
    "train": (OKABE_ITO[4], OKABE_ITO[1]),
    "validation": (OKABE_ITO[5], OKABE_ITO[0]),
    "test": (OKABE_ITO[2], mixed(OKABE_ITO[2], "#ffffff", 0.3)),
    "": (OKABE_ITO[4], OKABE_ITO[1]),
}
"""Colour on light and on dark."""
_OTHER_CURVES = (OKABE_ITO[6], mixed(OKABE_ITO[3], "#000000", 0.35), mixed(OKABE_ITO[5], "#ffffff", 0.3))
"""Of parts with other names; none of them like those above."""

_RUNS = (
    *((OKABE_ITO[4], OKABE_ITO[1]), (OKABE_ITO[5], OKABE_ITO[0]), (OKABE_ITO[2], "#2fd0a0")),
    *(("#a8457f", OKABE_ITO[6]), ("#8a6a00", OKABE_ITO[3]), ("#4b2e83", "#b39ddb")),
    *(("#3f8f9b", "#7fdbe6"), ("#6b4226", "#d7a98c"), ("#7a7f87", "#c3c8d0"), ("#c4404b", "#ff9aa2")),
)
"""Colour on light and on dark of runs whose curves are drawn in one plot; further ones start over."""

UNKNOWN = "#8b919a"
"""Colour of items without a class, readable on light and dark."""

_FIXED = {-1: UNKNOWN, WRONG: OKABE_ITO[5], CORRECT: OKABE_ITO[4]}
"""Colours that mean the same with every palette: below 0, so that they are the last of a table."""


class Theme(QObject):
    """The colours in use. One per application, created after QApplication.

    Attributes:
        classes: the colours of classes, before darker and lighter ones are added for further classes.
    """

    changed = Signal()

    def __init__(self, settings: QSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        stored = str(settings.value("theme", "system")) if settings else "system"
        self.mode: Mode = cast("Mode", stored) if stored in ("system", "light", "dark") else "system"
        self.palette = LIGHT
        self._unknown = np.array(rgb(UNKNOWN), dtype=np.uint8)
        chosen: Any = settings.value("colours") if settings else None
        sound = isinstance(chosen, list) and FEWEST <= len(chosen) <= MOST and all(map(is_colour, chosen))
        self._take_classes(tuple(chosen) if sound else PALETTES[DEFAULT])
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._apply()

    @property
    def is_dark(self) -> bool:
        """Whether the window is dark now."""
        return self.palette is DARK

    def set_mode(self, mode: Mode) -> None:
        """Follow the system, or be light or dark; remembered for the next start."""
        self.mode = mode
        if self._settings:
            self._settings.setValue("theme", mode)
        self._apply()

    def set_classes(self, colours: Sequence[str]) -> None:
        """Choose the colours of classes; remembered for the next start."""
        self._take_classes(tuple(colours))
        if self._settings:
            self._settings.setValue("colours", list(colours))
        self.changed.emit()

    def _take_classes(self, colours: tuple[str, ...]) -> None:
        self.classes = colours
        self._all = (*extended(colours), *(_FIXED[code] for code in sorted(_FIXED)))
        self._count = len(self._all) - len(_FIXED)
        self._categories = np.array([rgb(name) for name in self._all], dtype=np.uint8)

    def category(self, code: int) -> str:
        """Colour of a class; grey for −1. Classes beyond the last colour start over."""
        return self._all[code % self._count if code >= 0 else code]

    def curve(self, part: str) -> str:
        """Colour of a curve by the part of the data it is of: train, validation, test, or anything else."""
        if part in _CURVES:
            return _CURVES[part][self.is_dark]
        return _OTHER_CURVES[sum(part.encode()) % len(_OTHER_CURVES)]

    def run(self, slot: int) -> str:
        """Colour of a run that is drawn together with others."""
        return _RUNS[slot % len(_RUNS)][self.is_dark]

    def categories(self, codes: npt.NDArray[np.int64]) -> Colours:
        """Colours of classes: (..., 3) uint8, grey for −1."""
        return self._categories[np.where(codes >= 0, codes % self._count, codes)]

    def continuous(self, values: npt.NDArray[np.floating]) -> Colours:
        """Colours of numbers in 0 … 1 (viridis): (..., 3) uint8; grey for NaN."""
        places = np.clip(np.nan_to_num(values) * 255, 0, 255).astype(np.intp)
        colours: Colours = VIRIDIS[places]
        colours[~np.isfinite(values)] = self._unknown
        return colours

    def colours(self, colouring: Colouring) -> Colours:
        """A colour for each item: (items, 3) uint8."""
        if colouring.codes is not None:
            slots = np.array([*colouring.slots, -1], dtype=np.int64)
            return self.categories(slots[colouring.codes])
        values = np.zeros(0) if colouring.values is None else colouring.values
        span = colouring.high - colouring.low
        return self.continuous((values - colouring.low) / (span if span > 0 else 1.0))

    def legend(self, colouring: Colouring) -> list[tuple[str, str]]:
        """(name, "#rrggbb") of each class of a colouring; of its ends where it is continuous."""
        if colouring.codes is not None:
            return [
                (name, self.category(slot))
                for name, slot in zip(colouring.names, colouring.slots, strict=True)
            ]
        ends = self.continuous(np.array([0.0, 1.0]))
        named = zip((f"{colouring.low:.4g}", f"{colouring.high:.4g}"), ends, strict=True)
        return [(name, QColor(*(int(part) for part in end)).name()) for name, end in named]

    def style_sheet(self) -> str:
        """What the palette cannot say: a button that is on must look so, in the dark too."""
        on = f"background: {self.palette.accent}; color: {self.palette.on_accent}"
        return (
            f"QToolButton:checked {{ {on}; border-radius: 3px; }}"
            f"QPushButton:checked {{ {on}; border-radius: 3px; padding: 4px 9px; }}"
        )

    def _follow_system(self) -> None:
        if self.mode == "system":
            self._apply()

    def _apply(self) -> None:
        dark = self.mode == "dark" or (
            self.mode == "system" and QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        )
        self.palette = DARK if dark else LIGHT
        QGuiApplication.setPalette(_qt_palette(self.palette))
        self.changed.emit()


def _qt_palette(colours: Palette) -> QPalette:
    role = QPalette.ColorRole
    parts = {
        role.Window: colours.window,
        role.WindowText: colours.foreground,
        role.Base: colours.background,
        role.AlternateBase: colours.window,
        role.Text: colours.foreground,
        role.Button: colours.raised,
        role.ButtonText: colours.foreground,
        role.BrightText: colours.error,
        role.ToolTipBase: colours.raised,
        role.ToolTipText: colours.foreground,
        role.PlaceholderText: colours.muted,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.on_accent,
        role.Accent: colours.accent,
        role.Link: colours.accent,
        role.Light: colours.raised,
        role.Midlight: colours.raised,
        role.Mid: colours.grid,
        role.Dark: colours.grid,
        role.Shadow: colours.grid,
    }
    palette = QPalette()
    for part, colour in parts.items():
        palette.setColor(part, QColor(colour))
    for part in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(
            QPalette.ColorGroup.Disabled, part, QColor(mixed(colours.muted, colours.window, 0.45))
        )
    return palette
