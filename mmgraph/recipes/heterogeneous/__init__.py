"""Papers and words as nodes of one graph, with relations of their own."""

from __future__ import annotations

from dataclasses import dataclass

from mmgraph.options import option
from mmgraph.recipes.registry import Recipe
from mmgraph.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class HeterogeneousConfig(TrainingOptions):
    """Options of the recipe `heterogeneous`."""

    dataset: str = option("cora", "Citation network.", choices=("cora", "citeseer", "pubmed", "dblp"))
    epochs: int = option(200, "Passes over the graph; each is one step.", minimum=1)
    learning_rate: float = option(1e-2, "Step size of the optimiser.", minimum=1e-12)
    weight_decay: float = option(5e-4, "L2 penalty on the weights and on the vectors of words.", minimum=0.0)
    hidden: int = option(32, "Numbers in the vector of a word, and hidden features.", minimum=1)
    layers: int = option(2, "Relational convolutions.", minimum=2, maximum=16)
    bases: int | None = option(
        None, "Weights that relations are mixed from; none gives each its own.", minimum=1
    )
    dropout: float = option(0.5, "Share of features dropped while training.", minimum=0.0, maximum=0.95)
    words: bool = option(True, "Whether words are nodes too, or features of papers only.")


RECIPE = Recipe(
    name="heterogeneous",
    title="Papers and words",
    summary="Sorts papers of Cora, CiteSeer or PubMed into fields on a graph of papers and words: a relational "
    "network (R-GCN) learns a vector for every word, and says of words too which field they are of.",
    config=HeterogeneousConfig,
    package=__name__,
    quick={"epochs": 50},
)
