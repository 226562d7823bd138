"""A run in one line, for lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmgraph.errors import MMGraphError
from mmgraph.runs.reader import RunReader

_SCORES = ("test/accuracy", "best/validation/accuracy", "validation/accuracy", "train/loss")


@dataclass(frozen=True)
class RunSummary:
    """What a list of runs shows of one; a run that cannot be read has the state "unreadable" and says why."""

    path: Path
    state: str
    message: str = ""
    recipe: str = ""
    dataset: str = ""
    step: int = 0
    seconds: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return self.path.name

    @property
    def score(self) -> tuple[str, float] | None:
        """The number that says most about the run, and its name."""
        return next(((tag, self.metrics[tag]) for tag in _SCORES if tag in self.metrics), None)


def summarise(folder: Path) -> RunSummary:
    """Describe a run in one line; never raises for a damaged one."""
    try:
        with RunReader(folder) as reader:
            status, described = reader.status(), reader.config.get("run", {})
    except MMGraphError as error:
        return RunSummary(folder, "unreadable", str(error))
    return RunSummary(
        folder,
        status.state,
        status.message,
        str(described.get("recipe", "")),
        str(described.get("dataset", "")),
        status.step,
        status.seconds,
        status.metrics,
    )
