"""Several modalities at once: encoders joined into one answer, and images and texts mapped into one space.

Names are imported when they are first used, so `import mmgraph.fusion` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmgraph.fusion.cca import CCA
    from mmgraph.fusion.mapping import CrossModalMapping, Modality
    from mmgraph.fusion.retrieval import Retrieval, retrieve, search_both_ways
    from mmgraph.fusion.semantic_matching import SemanticMatching
    from mmgraph.fusion.similarity import similarity_matrix

__all__ = [
    "CCA",
    "CrossModalMapping",
    "Modality",
    "Retrieval",
    "SemanticMatching",
    "retrieve",
    "search_both_ways",
    "similarity_matrix",
]

_HOME = {
    "CCA": "cca",
    "CrossModalMapping": "mapping",
    "Modality": "mapping",
    "Retrieval": "retrieval",
    "SemanticMatching": "semantic_matching",
    "retrieve": "retrieval",
    "search_both_ways": "retrieval",
    "similarity_matrix": "similarity",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
