"""Doing one run of a table, and saying what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmgraph.errors import DatasetMissingError, MMGraphError
from mmgraph.options import Scalar
from mmgraph.recipes import launch


@dataclass(frozen=True)
class Order:
    """What to do: train a recipe into a folder of runs, or go on with an unfinished run."""

    recipe: str
    options: dict[str, Scalar | None]
    root: str
    name: str
    unfinished: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How it ended: "finished", "stopped" (somebody asked), "absent" (the data is not here) or "failed"."""

    state: str
    message: str = ""
    folder: str | None = None


def execute(order: Order) -> Outcome:
    """Do what an order says; one that fails says why instead of raising, so that others go on."""
    try:
        if order.unfinished is not None:
            try:
                folder, result = launch.resume(order.unfinished)
                return Outcome(result.state, result.message, str(folder))
            except MMGraphError:
                pass  # no checkpoint that fits: from the start
        folder, result = launch.train(order.recipe, order.options, runs=Path(order.root), run_name=order.name)
        return Outcome(result.state, result.message, str(folder))
    except DatasetMissingError as error:
        return Outcome("absent", str(error))
    except MMGraphError as error:
        return Outcome("failed", str(error))
    except KeyboardInterrupt:
        return Outcome("stopped", "interrupted")
    except Exception as error:  # a bug in one recipe is no reason to lose the other rows
        return Outcome("failed", f"{type(error).__name__}: {error}")
