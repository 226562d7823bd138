"""Sequences: recurrent cells and layers, patterns over time, text.

Names are imported when they are first used, so `import mmgraph.sequence` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmgraph.sequence.cell import RecurrentCell
    from mmgraph.sequence.recurrent import Recurrent, detached

__all__ = ["Recurrent", "RecurrentCell", "detached"]

_HOME = {"Recurrent": "recurrent", "RecurrentCell": "cell", "detached": "recurrent"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
