"""A run in one line, for lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmgraph.errors import MMGraphError
from mmgraph.runs.reader import RunReader

_PARTS = ("test/", "best/validation/", "validation/", "train/")


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
        return chief_score(self.metrics)


def chief_score(metrics: Mapping[str, float]) -> tuple[str, float] | None:
    """The number that says most of a run, and its name: of the test part if there is one, accuracy if there is one.

    Losses come last; None where nothing was recorded.
    """
    for part in _PARTS:
        tags = [tag for tag in metrics if tag.startswith(part) and not tag.endswith("loss")]
        if tags:
            tag = f"{part}accuracy" if f"{part}accuracy" in tags else min(tags)
            return tag, metrics[tag]
    left = sorted(metrics, key=lambda tag: (not tag.endswith("loss"), tag))
    return (left[0], metrics[left[0]]) if left else None


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
