"""Node embeddings as scikit-learn style estimators, also importable from `mmgraph.graph`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.lazy_names import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOME)
