"""What long work calls now and then, so that it can be ended in the middle."""

from __future__ import annotations

from collections.abc import Callable

Between = Callable[[], object]
"""What it raises ends the work."""


def nobody_asks() -> None:
    """Nobody ends it."""
