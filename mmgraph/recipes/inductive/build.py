"""The task of the recipe `inductive`."""

from __future__ import annotations

from mmgraph.recipes.inductive import InductiveConfig
from mmgraph.recipes.node_classification import build as transductive
from mmgraph.training.inductive import InductiveClassification
from mmgraph.training.task import Task


def build(config: InductiveConfig) -> Task:
    """The task of `node-classification`, with nodes of validation and test out of sight until they are asked for."""
    return transductive.build(config, InductiveClassification)
