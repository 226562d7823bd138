"""Names for those who hear the window, hints for those who point at it."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)


def named(widget: W, name: str, hint: str | None = None) -> W:
    """The widget, with an accessible name and a tool tip: the name, another one, or none where it is empty."""
    widget.setAccessibleName(name)
    widget.setToolTip(name if hint is None else hint)
    return widget
