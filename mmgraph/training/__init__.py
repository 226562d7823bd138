"""Training: one readable loop (`loop.py`), tasks, devices, checkpoints. Importing this does not import torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.lazy_names import lazy_names

if TYPE_CHECKING:
    from mmgraph.training.classification import ImageClassification, NodeClassification
    from mmgraph.training.edge_classification import EdgeClassification
    from mmgraph.training.few_shot import FewShot
    from mmgraph.training.growth import Deepen, GrowAtEpoch, Growth, GrowWhenStalled, ScaleRate, Widen
    from mmgraph.training.hetero_classification import HeteroClassification
    from mmgraph.training.inductive import InductiveClassification
    from mmgraph.training.link_prediction import LinkPrediction
    from mmgraph.training.loop import fit
    from mmgraph.training.options import TrainingOptions
    from mmgraph.training.progress import Report, Result
    from mmgraph.training.task import Task

_HOMES = {
    "Widen": "growth",
    "GrowWhenStalled": "growth",
    "Growth": "growth",
    "GrowAtEpoch": "growth",
    "Deepen": "growth",
    "EdgeClassification": "edge_classification",
    "FewShot": "few_shot",
    "HeteroClassification": "hetero_classification",
    "ImageClassification": "classification",
    "InductiveClassification": "inductive",
    "LinkPrediction": "link_prediction",
    "NodeClassification": "classification",
    "Report": "progress",
    "Result": "progress",
    "ScaleRate": "growth",
    "Task": "task",
    "TrainingOptions": "options",
    "fit": "loop",
}

__all__ = [
    "Deepen",
    "EdgeClassification",
    "FewShot",
    "GrowAtEpoch",
    "GrowWhenStalled",
    "Growth",
    "HeteroClassification",
    "ImageClassification",
    "InductiveClassification",
    "LinkPrediction",
    "NodeClassification",
    "Report",
    "Result",
    "ScaleRate",
    "Task",
    "TrainingOptions",
    "Widen",
    "fit",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
