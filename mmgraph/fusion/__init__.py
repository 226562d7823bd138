"""Several modalities at once: encoders joined into one answer, and images and texts mapped into one space.

Names are imported when they are first used, so `import mmgraph.fusion` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.lazy_names import lazy_names

if TYPE_CHECKING:
    from mmgraph.fusion.cca import CCA
    from mmgraph.fusion.contrastive import ContrastiveMapping
    from mmgraph.fusion.contributions import Contributions
    from mmgraph.fusion.deep_semantic import DeepSemanticMapping, FeatureTower
    from mmgraph.fusion.late import late_semantic_fusion
    from mmgraph.fusion.mapping import CrossModalMapping, Modality
    from mmgraph.fusion.modalities import Fusion
    from mmgraph.fusion.retrieval import Retrieval, retrieve, search_both_ways
    from mmgraph.fusion.semantic_matching import SemanticMatching
    from mmgraph.fusion.similarity import similarity_matrix
    from mmgraph.fusion.video_fusion import VideoFusion

__all__ = [
    "CCA",
    "ContrastiveMapping",
    "Contributions",
    "CrossModalMapping",
    "DeepSemanticMapping",
    "FeatureTower",
    "Fusion",
    "Modality",
    "Retrieval",
    "SemanticMatching",
    "VideoFusion",
    "late_semantic_fusion",
    "retrieve",
    "search_both_ways",
    "similarity_matrix",
]

_HOME = {
    "FeatureTower": "deep_semantic",
    "DeepSemanticMapping": "deep_semantic",
    "ContrastiveMapping": "contrastive",
    "late_semantic_fusion": "late",
    "Fusion": "modalities",
    "Contributions": "contributions",
    "CCA": "cca",
    "CrossModalMapping": "mapping",
    "Modality": "mapping",
    "Retrieval": "retrieval",
    "SemanticMatching": "semantic_matching",
    "retrieve": "retrieval",
    "search_both_ways": "retrieval",
    "similarity_matrix": "similarity",
    "VideoFusion": "video_fusion",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
