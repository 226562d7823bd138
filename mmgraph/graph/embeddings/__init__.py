"""Node embeddings as scikit-learn style estimators, also importable from `mmgraph.graph`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmgraph.graph.embeddings.evaluation import FractionScore, label_fractions, split_accuracy
    from mmgraph.graph.embeddings.factorisation import NetMF, SpectralEmbedding
    from mmgraph.graph.embeddings.partitioned import PartitionedEmbedding
    from mmgraph.graph.embeddings.planetoid import Planetoid
    from mmgraph.graph.embeddings.progress import Progress
    from mmgraph.graph.embeddings.walking import DeepWalk, Node2Vec

__all__ = [
    "DeepWalk",
    "FractionScore",
    "NetMF",
    "Node2Vec",
    "PartitionedEmbedding",
    "Planetoid",
    "Progress",
    "SpectralEmbedding",
    "label_fractions",
    "split_accuracy",
]

_HOME = {
    "DeepWalk": "walking",
    "FractionScore": "evaluation",
    "NetMF": "factorisation",
    "Node2Vec": "walking",
    "PartitionedEmbedding": "partitioned",
    "Planetoid": "planetoid",
    "Progress": "progress",
    "SpectralEmbedding": "factorisation",
    "label_fractions": "evaluation",
    "split_accuracy": "evaluation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
