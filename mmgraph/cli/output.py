"""What commands print: progress and messages on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mmgraph.errors import MMGraphError, NotARunError

if TYPE_CHECKING:
    from mmgraph.training.progress import Report

RUNS = typer.Option(
    "--runs", help="Folder that holds runs. Default: $MMGRAPH_RUNS, else ./runs.", show_default=False
)
JSON = typer.Option("--json", help="Print one JSON object at the end, and nothing else, on standard output.")


def _run_names(incomplete: str) -> list[str]:
    from mmgraph.runs import find_runs

    return [name for name in ("latest", *(run.name for run in find_runs())) if name.startswith(incomplete)]


RUN = typer.Argument(
    help="A run folder, the name of a run, or 'latest'.", show_default=False, autocompletion=_run_names
)


def fail(error: MMGraphError) -> None:
    """Say what went wrong; as JSON too when that was asked for."""
    if "--json" in sys.argv:
        print_json({"error": {"type": type(error).__name__, "message": str(error)}})
    typer.echo(f"mmgraph: {error}", err=True)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output; NaN and infinities become null, which JSON can say."""
    typer.echo(json.dumps(_finite(value), default=str))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on standard output: drawn for people, tab-separated when piped."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(str(cell) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*headings, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))
    Console().print(drawn)


def find_run(text: str, root: Path | str | None = None) -> Path:
    """The run folder that a person means by a path, a name or 'latest'.

    Raises:
        NotARunError: there is none of that name.
    """
    from mmgraph.runs import find_runs, is_run, runs_root

    runs = find_runs(root)
    if text == "latest":
        if runs:
            return runs[0]
        raise NotARunError(f"There is no run in '{runs_root(root)}' yet; start one with 'mmgraph train'.")
    for candidate in (Path(text), runs_root(root) / text):
        if is_run(candidate):
            return candidate
    if Path(text).exists():
        raise NotARunError(
            f"'{text}' is not a run folder: it holds no run.db. 'mmgraph runs list' shows the runs there are."
        )
    raise NotARunError(
        f"There is no run '{text}', neither as a path nor in '{runs_root(root)}'. "
        "'mmgraph runs list' shows the runs there are."
    )


class ProgressPrinter:
    """Progress of a run on standard error: a bar on a terminal, else a line every few seconds."""

    LINE_SECONDS = 5.0

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._last_line = 0.0
        self._folder: Path | None = None

    def start(self, folder: Path) -> None:
        """Say where the run is recorded."""
        self._folder = folder
        typer.echo(f"Recording into {folder}   (watch it: mmgraph gui {folder})", err=True)
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[numbers]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task("train", total=None, epoch=0, epochs="?", numbers="")
            self._bar.start()

    def report(self, report: Report) -> None:
        """Show where the run stands."""
        numbers = _numbers(report.metrics, ("train/loss", *deciding(report.metrics)))
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=report.step,
                total=report.total_steps,
                epoch=report.epoch,
                epochs=report.epochs,
                numbers=numbers,
            )
        elif time.monotonic() - self._last_line >= self.LINE_SECONDS:
            self._last_line = time.monotonic()
            left = "" if report.seconds_left is None else f"  {duration(report.seconds_left)} left"
            typer.echo(
                f"step {report.step}/{report.total_steps}  epoch {report.epoch}/{report.epochs}  {numbers}{left}",
                err=True,
            )

    def stop(self) -> None:
        """Put the terminal back as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def duration(seconds: float) -> str:
    """Seconds in words a person reads: 0.4 s, 12 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def deciding(metrics: Mapping[str, float]) -> list[str]:
    """Names of the numbers that decide which weights are best; none before the first evaluation."""
    return [tag.removeprefix("best/") for tag in metrics if tag.startswith("best/")]


def _numbers(metrics: Mapping[str, float], wanted: Sequence[str]) -> str:
    return "  ".join(f"{tag} {metrics[tag]:.4f}" for tag in wanted if tag in metrics)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
