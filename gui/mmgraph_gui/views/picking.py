"""What the keys that are held down make of a click."""

from __future__ import annotations

from PySide6.QtCore import Qt

from mmgraph_gui.state.selection import Mode


def mode_of(modifiers: Qt.KeyboardModifier) -> Mode:
    """Ctrl adds to the selection, Alt removes from it, else it is replaced."""
    if modifiers & Qt.KeyboardModifier.ControlModifier:
        return "add"
    if modifiers & Qt.KeyboardModifier.AltModifier:
        return "remove"
    return "replace"
