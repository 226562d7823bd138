"""A run in one line, for lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmgraph.errors import MMGraphError
from mmgraph.runs.notes import RunNotes, read_notes
from mmgraph.runs.reader import RunReader
from mmgraph.runs.schema import RUNNING_STATES

_BEST = "best/validation/"
_PARTS = ("test/", _BEST, "validation/", "train/")
_LOW = ("loss", "error", "perplexity", "mse", "mae", "rmse", "distance", "bits", "nats")
_HIGH = (
    *("accuracy", "acc", "f1", "auc", "ap", "map", "mrr", "precision", "recall", "correlation"),
    *(
        "bleu",
        "meteor",
        "cider",
        "score",
        "hits",
        "nmi",
        "modularity",
        "nn",
        "pearson",
        "spearman",
        "kendall",
    ),
)


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
    heartbeat: float = 0.0
    notes: RunNotes = field(default_factory=RunNotes)
    resumable: bool = False

    @property
    def is_live(self) -> bool:
        """Whether a process is writing it."""
        return self.state in RUNNING_STATES

    @property
    def name(self) -> str:
        """Name of the run: that of its folder."""
        return self.path.name

    @property
    def score(self) -> tuple[str, float] | None:
        """The number that says most about the run, and its name."""
        return chief_score(self.metrics)


def chief_score(metrics: Mapping[str, float]) -> tuple[str, float] | None:
    """The number that says most of a run, and its name: of the test part if there is one.

    Of several that which decides which weights are the best, or else the accuracy. Losses come last; None where nothing
    was recorded.
    """
    deciding = sorted(tag.rpartition("/")[2] for tag in metrics if tag.startswith(_BEST))
    for part in _PARTS:
        tags = [tag for tag in metrics if tag.startswith(part) and not tag.endswith("loss")]
        if part == "train/":  # norms of gradients and the like say little of a run
            tags = [tag for tag in tags if lower_is_better(tag) is not None]
        if tags:
            wanted = (f"{part}{quantity}" for quantity in (*deciding, "accuracy"))
            tag = next((tag for tag in wanted if tag in tags), min(tags))
            return tag, metrics[tag]
    left = sorted(metrics, key=lambda tag: (not tag.endswith("loss"), tag))
    return (left[0], metrics[left[0]]) if left else None


def lower_is_better(tag: str) -> bool | None:
    """Whether a number is to fall (a loss, an error) or to rise (an accuracy); None where its name does not tell."""
    words = tag.rpartition("/")[2].lower().replace("-", "_").replace("@", "_").split("_")
    if "correlation" in words:  # also one of distances
        return False
    if any(word in _LOW for word in words) or tag.endswith(_LOW):
        return True
    return False if any(word in _HIGH for word in words) else None


def chief_curve(tags: Iterable[str], score: str = "") -> str | None:
    """Of which recorded numbers the small curve of a run is drawn: of the validation part if there is one.

    Args:
        score: name of the run's chief score; a curve of the same quantity is preferred.
    """
    known = list(tags)
    quantity = score.rpartition("/")[2]
    wanted = [f"{part}/{name}" for name in (quantity, "accuracy", "loss") for part in ("validation", "train")]
    left = sorted(tag for tag in known if tag != "learning_rate")
    return next((tag for tag in (*wanted, score, *left) if tag in known), None)


def summarise(folder: Path) -> RunSummary:
    """Describe a run in one line; never raises for a damaged one."""
    notes = read_notes(folder)
    try:
        with RunReader(folder) as reader:
            return summary_of(reader)
    except (MMGraphError, OSError) as error:
        return RunSummary(folder, "unreadable", str(error), notes=notes)


def summary_of(reader: RunReader) -> RunSummary:
    """Describe an open run in one line.

    Raises:
        RunDamagedError: it cannot be read any more.
    """
    status, described = reader.status(), reader.config.get("run", {})
    if not isinstance(described, Mapping):
        described = {}
    recipe = str(described.get("recipe", ""))
    return RunSummary(
        reader.folder,
        status.state,
        status.message,
        recipe,
        str(described.get("dataset", "")),
        status.step,
        status.seconds,
        status.metrics,
        status.heartbeat,
        read_notes(reader.folder),
        bool(reader.checkpoints()) and recipe not in ("", "watch"),
    )
