"""The task of the recipe `inductive`."""

from __future__ import annotations

from mmgraph.recipes.inductive import InductiveConfig
from mmgraph.recipes.node_classification import build as transductive
from mmgraph.training.classification import NodeClassification
from mmgraph.training.inductive import InductiveClassification


def build(config: InductiveConfig) -> NodeClassification:
    """The task of `node-classification`, with nodes of validation and test out of sight until they are asked for."""
    return transductive.build(config, InductiveClassification)
