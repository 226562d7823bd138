"""Names for those who hear the window, hints for those who point at it."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)


def named(widget: W, name: str, hint: str = "") -> W:
    """The widget, with an accessible name and a tool tip."""
    widget.setAccessibleName(name)
    widget.setToolTip(hint or name)
    return widget
