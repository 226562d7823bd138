"""Run a published table: what is there is reused, what is missing is trained, what fails is said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mmgraph.errors import ConfigError, RunError
from mmgraph.reproduction import recorded
from mmgraph.reproduction.executing import Order, Outcome
from mmgraph.reproduction.recorded import Recorded
from mmgraph.reproduction.scores import Score, scores
from mmgraph.reproduction.table import Row, Run, Table
from mmgraph.reproduction.workers import at_once, in_turn

OnProgress = Callable[["Standing"], None]


@dataclass(frozen=True)
class Standing:
    """Where a reproduction stands after a run.

    Args:
        run: the one that ended; None at the start.
        outcome: how it ended.
        done, total: runs, those that were there before counted in.
        seconds_left: about, from the runs so far.
        scores: of its row, as far as known.
    """

    run: Run | None
    outcome: Outcome | None
    done: int
    total: int
    seconds_left: float
    scores: tuple[Score, ...] = ()


@dataclass(frozen=True)
class Reproduction:
    """What came of it: scores in the order of the table, messages of what failed, and whether it was stopped."""

    table: Table
    scores: tuple[Score, ...]
    failures: tuple[str, ...]
    stopped: bool
    reused: int
    seconds: float


def reproduce(
    table: Table,
    root: Path,
    *,
    jobs: int = 1,
    device: str = "cpu",
    threads: int = 1,
    train: bool = True,
    on_progress: OnProgress | None = None,
) -> Reproduction:
    """Train what a table needs and read its figures off the run folders.

    A run that the folder holds already, finished and with equal options, is reused; an unfinished one goes on
    from its last checkpoint. So a reproduction that was stopped continues where it was.

    Args:
        table: what to run; see `Table.only`, `quick` and `with_seeds`.
        root: folder of the runs.
        jobs: runs at a time; more than one take a process each.
        device, threads: options of every run.
        train: False reads what is there and trains nothing.
        on_progress: told after each run where it stands.

    Raises:
        ConfigError: fewer than one job.
        UsageError: a row asks for a recipe or option that does not exist.
    """
    if jobs < 1:
        raise ConfigError(f"Runs need at least one job, not {jobs}.")
    work = _Work(table, root, device, threads)
    started, reused = time.monotonic(), len(work.finished)
    if train:
        pending = work.orders()
        try:
            work.tell(on_progress, jobs=jobs)
            for run, outcome in in_turn(pending) if jobs == 1 else at_once(pending, jobs):
                work.take(run, outcome)
                work.tell(on_progress, run, outcome, jobs=jobs)
                if work.stopped and jobs == 1:
                    break
        except KeyboardInterrupt:
            work.stopped = True
    return Reproduction(
        table,
        tuple(score for row in table.rows for score in work.scores(row)),
        tuple(f"{run.name}: {message}" for run, message in work.failed.items()),
        work.stopped,
        reused,
        time.monotonic() - started,
    )


@dataclass
class _Work:
    """The runs of a table: finished, to be done, failed."""

    table: Table
    root: Path
    device: str
    threads: int
    finished: dict[Run, Recorded] = field(default_factory=dict)
    unfinished: dict[Run, Recorded] = field(default_factory=dict)
    failed: dict[Run, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    _taken: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = recorded.find(self.root)
        for run in self.runs():
            key = recorded.signature(run.row.recipe, self.options(run))
            if key not in known:
                continue
            if known[key].state == "finished":
                self.finished[run] = known[key]
            elif known[key].state in recorded.RESUMABLE:
                self.unfinished[run] = known[key]

    def runs(self) -> Iterator[Run]:
        return (run for row in self.table.rows for run in row.runs())

    def options(self, run: Run) -> Mapping[str, object]:
        return run.options(self.device, self.threads)

    def orders(self) -> Iterator[tuple[Run, Order]]:
        """What is to be done, decided when it is asked for."""
        for run in self.runs():
            if run in self.finished or run.row.dataset in self.absent or self.stopped:
                continue
            before = self.unfinished.get(run)
            yield (
                run,
                Order(
                    run.row.recipe,
                    run.options(self.device, self.threads),
                    str(self.root),
                    run.name,
                    None if before is None else str(before.folder),
                ),
            )

    def take(self, run: Run, outcome: Outcome) -> None:
        """Note how a run ended."""
        if outcome.state == "absent":
            self.absent[run.row.dataset] = outcome.message
        elif outcome.state == "stopped":
            self.stopped = True
        elif outcome.state == "finished" and outcome.folder is not None:
            try:
                self.finished[run] = recorded.read(Path(outcome.folder))
            except RunError as error:
                self.failed[run] = str(error)
        else:
            self.failed[run] = outcome.message

    def tell(
        self,
        on_progress: OnProgress | None,
        run: Run | None = None,
        outcome: Outcome | None = None,
        *,
        jobs: int,
    ) -> None:
        if on_progress is None:
            return
        done = len(self.finished) + len(self.failed)
        left = [
            other
            for other in self.runs()
            if not (other in self.finished or other in self.failed or other.row.dataset in self.absent)
        ]
        on_progress(
            Standing(
                run,
                outcome,
                done,
                done + len(left),
                sum(self.expected(other.row) for other in left) / jobs,
                () if run is None else tuple(self.scores(run.row)),
            )
        )

    def expected(self, row: Row) -> float:
        """Seconds that a run of a row takes, from its finished runs."""
        known = [entry.seconds for run, entry in self.finished.items() if run.row is row]
        return sum(known) / len(known) if known else row.seconds

    def scores(self, row: Row) -> list[Score]:
        return scores(row, self.finished, "the data is not here" if row.dataset in self.absent else "")
