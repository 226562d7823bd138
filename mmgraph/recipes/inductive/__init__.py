"""Papers sorted into fields that were not yet written when the network learned."""

from __future__ import annotations

from dataclasses import dataclass

from mmgraph.recipes.node_classification import NodeClassificationConfig
from mmgraph.recipes.registry import Recipe


@dataclass(frozen=True, kw_only=True)
class InductiveConfig(NodeClassificationConfig):
    """Options of the recipe `inductive`: those of `node-classification`, so that the two can be compared."""


RECIPE = Recipe(
    name="inductive",
    title="Papers nobody has seen yet",
    summary="Sorts papers of Cora, CiteSeer or PubMed into fields as node-classification does, but learns on the "
    "network without the papers of validation and test: these arrive, with their citations, afterwards.",
    config=InductiveConfig,
    package=__name__,
    quick={"epochs": 50},
)
