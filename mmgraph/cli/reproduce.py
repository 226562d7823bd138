"""`mmgraph reproduce TABLE`: published figures beside ours."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmgraph.cli import output
from mmgraph.errors import ConfigError

if TYPE_CHECKING:
    from mmgraph.reproduction.reproduce import Reproduction, Standing
    from mmgraph.reproduction.scores import Score


def _table_names() -> list[str]:
    from mmgraph import reproduction

    return reproduction.names()


def reproduce(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[TABLE]",
            help="A published table; without it the tables there are.",
            show_default=False,
            autocompletion=_table_names,
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="3 seeds per row.")] = False,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="Seeds per row, from 0 on.", show_default=False)
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", help="Methods and data sets, such as gcn,gat,cora.", show_default=False),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Runs at a time, each in a process of its own.")] = 1,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, mps or auto.")] = "cpu",
    threads: Annotated[int, typer.Option("--threads", help="CPU threads of each run.")] = 1,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Train nothing; show what the folder holds.")
    ] = False,
    runs: Annotated[
        Path | None,
        typer.Option(
            "--runs",
            help="Folder of the runs; those already there are reused. Default: reproduce/TABLE in the folder "
            "of runs.",
            show_default=False,
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Run a published table again: published figure, ours (mean ± sd), difference, seconds.

    Every number is read off run folders. Stop with Ctrl-C; the same command goes on where it was.
    """
    from mmgraph import reproduction

    if name is None:
        _list(json)
        return
    chosen = reproduction.table(name)
    if quick and seeds is not None:
        raise ConfigError("--quick and --seeds both say how many seeds; give one of them.")
    if only is not None:
        chosen = chosen.only(only)
    if seeds is not None:
        chosen = chosen.with_seeds(seeds)
    if quick:
        chosen = chosen.quick()
    from mmgraph.reproduction.reproduce import reproduce as run
    from mmgraph.runs import runs_root

    folder = runs or runs_root() / "reproduce" / chosen.name
    progress = _Progress(folder)
    try:
        result = run(
            chosen,
            folder,
            jobs=jobs,
            device=device,
            threads=threads,
            train=not recorded,
            on_progress=progress.tell,
        )
    finally:
        progress.stop()
    if json:
        output.print_json(_described(result, folder))
    else:
        _say(result, folder, markdown=markdown)
    if result.stopped:
        raise KeyboardInterrupt
    if result.failures:
        raise typer.Exit(1)


def _list(json: bool) -> None:
    from mmgraph import reproduction

    found = [reproduction.table(name) for name in reproduction.names()]
    if json:
        output.print_json(
            {
                "tables": [
                    {
                        "name": t.name,
                        "title": t.title,
                        "rows": len(t.rows),
                        "runs": t.num_runs,
                        "seconds": t.seconds,
                    }
                    for t in found
                ]
            }
        )
        return
    output.table(
        ["table", "what it compares", "rows", "runs", "time on one core", "with --quick"],
        [
            (
                t.name,
                t.title,
                len(t.rows),
                t.num_runs,
                f"about {output.duration(t.seconds)}",
                f"about {output.duration(t.quick().seconds)}",
            )
            for t in found
        ],
    )


def _say(result: Reproduction, folder: Path, *, markdown: bool) -> None:
    headings, rows = _cells(result.scores)
    if markdown:
        typer.echo("| " + " | ".join(headings) + " |")
        typer.echo("|" + "---|" * len(headings))
        for row in rows:
            typer.echo("| " + " | ".join(row) + " |")
    else:
        output.table(headings, rows)
    typer.echo()
    for note in result.table.notes:
        typer.echo(note)
    trained = sum(score.seconds for score in {id(score.row): score for score in result.scores}.values())
    typer.echo(
        f"Runs: {folder} ({result.reused} were there before; {output.duration(trained)} of training in all)"
    )
    for failure in result.failures:
        typer.echo(f"Failed: {failure}", err=True)
    if result.stopped:
        typer.echo("Stopped; the same command goes on from here.", err=True)


def _cells(scores: Sequence[Score]) -> tuple[list[str], list[list[str]]]:
    several = len({score.measure.name for score in scores}) > 1
    headings = ["method", "data set", "measure", "published", "ours", "seeds", "difference", "s/run", "total"]
    headings += ["source or note"]
    rows = []
    for score in scores:
        per_run = f"{score.seconds / score.num_runs:.1f}" if score.num_runs else "—"
        total = output.duration(score.seconds) if score.num_runs else "—"
        # A hundredth says as much of a per cent as a thousandth of what is about 1.
        finer = 0 if score.measure.scale == 100 else 1
        difference = (
            "—" if score.difference is None else f"{score.difference:+.{2 + finer}f}".replace("-", "−")
        )
        rows.append(
            [
                score.row.method,
                score.row.dataset,
                score.measure.name,
                _figure(score.measure.published, score.measure.spread, 1 + finer),
                _figure(score.mean, score.spread, 2 + finer),
                str(score.seeds),
                difference,
                per_run,
                total,
                "; ".join(part for part in (score.note, score.measure.source) if part),
            ]
        )
    if not several:
        headings.pop(2)
        for row in rows:
            row.pop(2)
    return headings, rows


def _figure(mean: float | None, spread: float | None, digits: int) -> str:
    if mean is None:
        return "—"
    return f"{mean:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")


def _described(result: Reproduction, folder: Path) -> dict[str, Any]:
    return {
        "table": result.table.name,
        "state": "stopped" if result.stopped else "failed" if result.failures else "finished",
        "runs": str(folder.resolve()),
        "seconds": result.seconds,
        "failures": list(result.failures),
        "rows": [
            {
                "method": score.row.method,
                "dataset": score.row.dataset,
                "measure": score.measure.name,
                "published": score.measure.published,
                "published_sd": score.measure.spread,
                "source": score.measure.source,
                "mean": score.mean,
                "sd": score.spread,
                "values": list(score.values),
                "seeds": score.seeds,
                "difference": score.difference,
                "seconds_per_run": score.seconds / score.num_runs if score.num_runs else None,
                "seconds": score.seconds,
                "note": score.note,
            }
            for score in result.scores
        ],
    }


class _Progress:
    """How far it is, on standard error: a bar on a terminal, else a line every few seconds and after each row."""

    LINE_SECONDS = 15.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bar: Any = None
        self._task: Any = None
        self._last_line = 0.0

    def tell(self, standing: Standing) -> None:
        """Show where it stands."""
        if standing.run is None:
            self._start(standing)
        text = _line(standing)
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=standing.done,
                total=standing.total,
                row=text,
                left=output.duration(standing.seconds_left),
            )
        elif standing.run is not None:
            row_ends = standing.outcome is not None and standing.outcome.state != "finished"
            row_ends |= standing.run.seed == standing.run.row.seeds - 1
            if row_ends or time.monotonic() - self._last_line >= self.LINE_SECONDS:
                self._last_line = time.monotonic()
                left = output.duration(standing.seconds_left)
                typer.echo(f"{standing.done}/{standing.total} runs  {text}  about {left} left", err=True)

    def stop(self) -> None:
        """Put the terminal back as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self, standing: Standing) -> None:
        typer.echo(
            f"{standing.total - standing.done} runs to do, {standing.done} are there; about "
            f"{output.duration(standing.seconds_left)}. Recording into {self._folder}",
            err=True,
        )
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                MofNCompleteColumn(),
                BarColumn(),
                TextColumn("{task.fields[row]}"),
                TimeElapsedColumn(),
                TextColumn("about {task.fields[left]} left"),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task("runs", total=standing.total, row="", left="?")
            self._bar.start()


def _line(standing: Standing) -> str:
    if standing.run is None:
        return ""
    text = f"{standing.run.row.title}, seed {standing.run.seed}"
    if standing.outcome is not None and standing.outcome.state != "finished":
        return f"{text}: {standing.outcome.state}"
    known = [score for score in standing.scores if score.mean is not None]
    if known:
        text += f": {known[0].measure.name} {_figure(known[0].mean, known[0].spread, 2)}"
    return text
