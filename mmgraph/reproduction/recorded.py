"""Runs of a table that a folder already holds, found by their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmgraph import __version__
from mmgraph.errors import MMGraphError
from mmgraph.options import options_of, parse
from mmgraph.recipes import recipe
from mmgraph.runs import RunReader, find_runs

Signature = tuple[object, ...]

RESUMABLE = ("stopped", "interrupted")

_RECORDING = {"checkpoint_seconds", "snapshots_per_second", "snapshot_share"}
"""Options that change what is written down, and no number of the training."""


@dataclass(frozen=True)
class Recorded:
    """A run folder: how it ended, and its last numbers."""

    folder: Path
    state: str
    metrics: Mapping[str, float]
    seconds: float


def read(folder: Path) -> Recorded:
    """Look into a run folder.

    Raises:
        RunError: it cannot be read.
    """
    with RunReader(folder) as reader:
        status = reader.status()
    return Recorded(folder, status.state, status.metrics, status.seconds)


def signature(name: str, values: Mapping[str, Any]) -> Signature:
    """A recipe with all options that bear on its numbers, the given and the others, as something to compare.

    Raises:
        UsageError: the recipe, an option or a value does not exist.
    """
    config = parse(recipe(name).config, values)
    options = (entry.name for entry in options_of(type(config)) if entry.name not in _RECORDING)
    return name, *((option, getattr(config, option)) for option in options)


def find(root: Path) -> dict[Signature, Recorded]:
    """The runs in a folder that this version of mmgraph made, by recipe and options; of equal ones a finished one.

    What cannot be read, or has options that are no longer there, is left out.
    """
    found: dict[Signature, Recorded] = {}
    for folder in find_runs(root):
        try:
            with RunReader(folder) as reader:
                config = reader.config
            if config["environment"]["mmgraph"] != __version__:
                continue
            name = config["run"]["recipe"]
            # TOML has no None: what may be none and is not written down was none.
            none = {entry.name: None for entry in options_of(recipe(name).config) if entry.optional}
            key = signature(name, {**none, **config["options"]})
            entry = read(folder)
        except (MMGraphError, KeyError, TypeError):
            continue
        if key not in found or entry.state == "finished":
            found[key] = entry
    return found
