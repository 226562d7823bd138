"""The recipes there are: those of mmgraph, and those that other packages add (docs/plugins.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mmgraph import plugins
from mmgraph.errors import UnknownNameError
from mmgraph.options import Scalar
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
        quick: options with which there is something to see soon: fewer epochs, less data.
        own_model: what a model of somebody's own is given and gives on its data, as "images (n, 1, 28, 28) in, class
            scores (n, classes) out"; empty where the task needs more of its model, see `Task.adopt`.
    """

    name: str
    title: str
    summary: str
    config: type[TrainingOptions]
    package: str
    quick: Mapping[str, Scalar | None] = field(default_factory=dict)
    own_model: str = ""

    def build(self, config: TrainingOptions) -> Task:
        """Load the data and make the model: imports torch."""
        module: Any = import_module(f"{self.package}.build")
        task: Task = module.build(config)
        return task


def names() -> list[str]:
    """Names of all recipes, the default first."""
    return list(_found()[0])


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UnknownNameError: there is none.
    """
    known, left_out = _found()
    if name in left_out:
        raise UnknownNameError(left_out[name])
    if name not in known:
        raise UnknownNameError.of("recipe", name, known)
    return known[name]


def no_own_model(chosen: Recipe) -> str:
    """Why a model of somebody's own cannot be tried on the data of a recipe; empty where it can."""
    if chosen.own_model:
        return ""
    *some, last = (name for name, entry in _found()[0].items() if entry.own_model)
    return (
        f"The data of {chosen.name} cannot be given to a model of your own, for it is asked for more than one answer "
        f"to each input. Those of {', '.join(some)} and {last} can."
    )


def failures() -> list[str]:
    """A sentence about each recipe of another package that had to be left out."""
    return list(_found()[1].values())


@cache
def _found() -> tuple[dict[str, Recipe], dict[str, str]]:
    """Recipes by name, and what could not be had."""
    found: dict[str, Recipe] = {}
    for package in _PACKAGES:
        module: Any = import_module(f"mmgraph.recipes.{package}")
        found[module.RECIPE.name] = module.RECIPE
    left_out: dict[str, str] = {}
    for plugin in plugins.plugins(plugins.RECIPES):
        try:
            loaded = plugin.load()
        except Exception as error:  # whatever somebody else's module raises
            left_out[plugin.name] = plugins.failure("recipe", plugin, error)
            continue
        if not isinstance(loaded, Recipe):
            reason = f"it is a {type(loaded).__name__}, not a mmgraph.recipes.Recipe"
            left_out[plugin.name] = plugins.failure("recipe", plugin, reason)
        elif loaded.name in found:
            reason = f"there is a recipe '{loaded.name}' already"
            left_out[f"{plugin.name} ({plugin.package})"] = plugins.failure("recipe", plugin, reason)
        else:
            found[loaded.name] = loaded
    return found, left_out
