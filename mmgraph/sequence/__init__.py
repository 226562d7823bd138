"""Sequences: recurrent cells and layers, patterns over time, text.

Names are imported when they are first used, so `import mmgraph.sequence` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmgraph.sequence.cell import RecurrentCell
    from mmgraph.sequence.language_model import LanguageModel, filtered
    from mmgraph.sequence.recurrent import Recurrent, detached
    from mmgraph.sequence.tokens import Tokenizer
    from mmgraph.sequence.vocabulary import Vocabulary

__all__ = [
    "LanguageModel",
    "Recurrent",
    "RecurrentCell",
    "Tokenizer",
    "Vocabulary",
    "detached",
    "filtered",
]

_HOME = {
    "LanguageModel": "language_model",
    "Recurrent": "recurrent",
    "RecurrentCell": "cell",
    "Tokenizer": "tokens",
    "Vocabulary": "vocabulary",
    "detached": "recurrent",
    "filtered": "language_model",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
