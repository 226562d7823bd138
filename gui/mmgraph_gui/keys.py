"""Keys that a widget needs for itself while it has the focus, though the window has them for an action."""

from __future__ import annotations

from collections.abc import Container

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)


def keeps_keys(event: QEvent, keys: Container[Qt.Key]) -> bool:
    """Whether the event asked if a key shall be an action, and was told no; call it first in `event`."""
    if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
        return False
    if Qt.Key(event.key()) not in keys or event.modifiers() not in PLAIN:
        return False
    event.accept()
    return True
