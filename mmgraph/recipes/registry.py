"""The recipes there are."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mmgraph.errors import UnknownNameError
from mmgraph.training.options import TrainingOptions

if TYPE_CHECKING:
    from mmgraph.training.task import Task

_PACKAGES = (
    "digits_graph",
    "node_classification",
    "inductive",
    "heterogeneous",
    "link_prediction",
    "node_embedding",
    "edge_classification",
    "graph_classification",
    "image_classification",
    "metric_learning",
    "multimodal_classification",
    "cross_modal_retrieval",
    "video_classification",
    "few_shot",
    "language_model",
    "captioning",
    "image_scoring",
    "sequence_classification",
    "sequence_to_sequence",
    "multimodal_graph",
)

DEFAULT = "digits-graph"


@dataclass(frozen=True)
class Recipe:
    """A named experiment: a config dataclass that imports no torch, and a `build` that does.

    Args:
        name: as typed on the command line.
        title: as shown in a window.
        summary: what it trains, in one or two sentences.
        config: its options; a subclass of `TrainingOptions`.
        package: where its `build` module lies.
    """

    name: str
    title: str
    summary: str
    config: type[TrainingOptions]
    package: str

    def build(self, config: TrainingOptions) -> Task:
        """Load the data and make the model: imports torch."""
        module: Any = import_module(f"{self.package}.build")
        task: Task = module.build(config)
        return task


def names() -> list[str]:
    """Names of all recipes, the default first."""
    return list(_recipes())


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UnknownNameError: there is none.
    """
    known = _recipes()
    if name not in known:
        raise UnknownNameError.of("recipe", name, known)
    return known[name]


def _recipes() -> dict[str, Recipe]:
    found = {}
    for package in _PACKAGES:
        module: Any = import_module(f"mmgraph.recipes.{package}")
        found[module.RECIPE.name] = module.RECIPE
    return found
