"""`mmgraph runs`: list, show, tag, note, export, report, delete, and talk to a running one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from mmgraph.cli import output
from mmgraph.errors import ConfigError

app = typer.Typer(
    help="List, show, tag, note, export and delete runs; talk to a running one.", no_args_is_help=True
)


@app.command("list")
def list_runs(
    tag: Annotated[str | None, typer.Option("--tag", help="Only runs with this tag.")] = None,
    root: Annotated[Path | None, output.RUNS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List runs, newest first."""
    from dataclasses import asdict

    from mmgraph.runs import find_runs, runs_root, summarise

    found = [summarise(folder) for folder in find_runs(root)]
    found = [run for run in found if tag is None or tag in run.notes.tags]
    if json:
        output.print_json({"runs": [{"name": run.name, **asdict(run)} for run in found]})
    elif not found:
        typer.echo(
            f"There are no runs in '{runs_root(root)}' yet. Start one with: mmgraph train digits-graph"
            if tag is None
            else f"No run in '{runs_root(root)}' has the tag '{tag}'."
        )
    else:
        rows = []
        for run in found:
            score = "" if run.score is None else f"{run.score[0]} {run.score[1]:.4f}"
            tags = ", ".join(run.notes.tags)
            rows.append(
                (run.name, run.state, run.dataset, run.step, output.duration(run.seconds), score, tags)
            )
        output.table(["run", "state", "data set", "step", "time", "score", "tags"], rows)


@app.command()
def show(
    run: Annotated[str, output.RUN],
    root: Annotated[Path | None, output.RUNS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show what a run is, where it stands and what it recorded."""
    from dataclasses import asdict

    from mmgraph.runs import RunReader, read_notes

    with RunReader(output.find_run(run, root)) as reader:
        update, notes = reader.poll(), read_notes(reader.folder)
        kinds = sorted({(info.kind, info.layer) for info in update.snapshots})
        summary = {
            "run": str(reader.folder.resolve()),
            "status": asdict(update.status),
            "tags": list(notes.tags),
            "notes": notes.text,
            "config": reader.config,
            "recorded": {tag: len(series) for tag, series in update.scalars.items()},
            "snapshots": [f"{kind} {layer}" for kind, layer in kinds],
            "snapshot_steps": len({info.step for info in update.snapshots}),
            "events": [f"{event.level}: {event.message}" for event in update.events],
        }
        if json:
            output.print_json(summary)
            return
        status = update.status
        typer.echo(f"{reader.folder}: {status.state} {status.message}".rstrip())
        typer.echo(f"  step {status.step}, epoch {status.epoch:g}, {output.duration(status.seconds)}")
        for tag, value in sorted(status.metrics.items()):
            typer.echo(f"  {tag:<28} {value:.6g}")
        if notes.tags:
            typer.echo(f"tags: {', '.join(notes.tags)}")
        if notes.text:
            typer.echo(f"notes: {notes.text}")
        for section in ("run", "options", "environment"):
            values = reader.config.get(section, {})
            if values:
                typer.echo(f"{section}:")
                for key, value in values.items():
                    typer.echo(f"  {key:<28} {value}")
        typer.echo(f"snapshots at {summary['snapshot_steps']} steps:")
        for kind, layer in kinds:
            typer.echo(f"  {kind:<14} {layer}")
        for event in update.events[-10:]:
            moment = time.strftime("%H:%M:%S", time.localtime(event.wall_time))
            typer.echo(f"{moment} {event.level}: {event.message}")


@app.command()
def diff(
    run: Annotated[str, output.RUN],
    other: Annotated[str, output.RUN],
    root: Annotated[Path | None, output.RUNS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Show what differs between the options of two runs."""
    from mmgraph.runs import differences, read_config

    folders = output.find_run(run, root), output.find_run(other, root)
    found = differences(*(read_config(folder) for folder in folders))
    if json:
        output.print_json({"differences": [{"name": name, "values": values} for name, *values in found]})
    elif not found:
        typer.echo("Their options are the same.")
    else:
        headings = ["option", *(folder.name for folder in folders)]
        output.table(headings, [["-" if value is None else value for value in row] for row in found])


@app.command()
def tag(
    run: Annotated[str, output.RUN],
    tags: Annotated[list[str] | None, typer.Argument(help="Tags to add.", show_default=False)] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", "-r", help="Take this tag away.")] = None,
    root: Annotated[Path | None, output.RUNS] = None,
) -> None:
    """Give a run tags, take some away, or list those it has."""
    from mmgraph.runs import RunNotes, read_notes, write_notes

    folder = output.find_run(run, root)
    known = read_notes(folder)
    kept = tuple(dict.fromkeys(one for one in (*known.tags, *(tags or ())) if one not in (remove or ())))
    if kept != known.tags:
        write_notes(folder, RunNotes(kept, known.text))
    typer.echo(", ".join(kept) or f"{folder} has no tags.")


@app.command()
def note(
    run: Annotated[str, output.RUN],
    text: Annotated[
        str | None,
        typer.Argument(help="What to note; an empty text takes the notes away.", show_default=False),
    ] = None,
    append: Annotated[
        bool, typer.Option("--append", "-a", help="Keep what is there, and add a line.")
    ] = False,
    root: Annotated[Path | None, output.RUNS] = None,
) -> None:
    """Write notes about a run, or show those there are."""
    from mmgraph.runs import RunNotes, read_notes, write_notes

    folder = output.find_run(run, root)
    known = read_notes(folder)
    if text is not None:
        text = f"{known.text}\n{text}" if append and known.text else text
        write_notes(folder, RunNotes(known.tags, text))
    written = known.text if text is None else text
    typer.echo(written or f"{folder} has no notes.")


@app.command()
def export(
    run: Annotated[str, output.RUN],
    target: Annotated[
        Path, typer.Argument(help="File (csv) or folder (tensorboard) to write.", show_default=False)
    ],
    format: Annotated[str, typer.Option("--format", help="csv or tensorboard.")] = "csv",
    wide: Annotated[bool, typer.Option("--wide", help="csv with one column per recorded number.")] = False,
    root: Annotated[Path | None, output.RUNS] = None,
) -> None:
    """Write the recorded numbers for other programs."""
    from mmgraph.runs import RunReader
    from mmgraph.runs.export import export_csv, export_tensorboard

    if format not in ("csv", "tensorboard"):
        raise ConfigError(f"--format is csv or tensorboard, not '{format}'.")
    with RunReader(output.find_run(run, root)) as reader:
        written = (
            export_csv(reader, target, wide=wide) if format == "csv" else export_tensorboard(reader, target)
        )
    typer.echo(f"Wrote {written}")


@app.command()
def report(
    run: Annotated[str, output.RUN],
    target: Annotated[
        Path | None,
        typer.Argument(help="File to write. Default: report.html in the run.", show_default=False),
    ] = None,
    root: Annotated[Path | None, output.RUNS] = None,
) -> None:
    """Write a self-contained HTML report of a run."""
    from mmgraph.report import write_report
    from mmgraph.runs import RunReader

    with RunReader(output.find_run(run, root)) as reader:
        typer.echo(f"Wrote {write_report(reader, target)}")


@app.command()
def delete(
    run: Annotated[str, output.RUN],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    root: Annotated[Path | None, output.RUNS] = None,
) -> None:
    """Delete a run for good."""
    from mmgraph.runs import delete_run

    folder = output.find_run(run, root)
    if not yes and not typer.confirm(f"Delete '{folder}' and all that is in it?"):
        raise typer.Exit(1)
    delete_run(folder)
    typer.echo(f"Deleted {folder}")


@app.command()
def send(
    run: Annotated[str, output.RUN],
    command: Annotated[
        str,
        typer.Argument(
            help="pause, resume, stop, set-learning-rate, checkpoint, snapshot or explain.",
            show_default=False,
        ),
    ],
    value: Annotated[
        float | None,
        typer.Argument(help="The learning rate to set, or the item to explain.", show_default=False),
    ] = None,
    root: Annotated[Path | None, output.RUNS] = None,
) -> None:
    """Ask a running training process to pause, resume, stop, change its learning rate, or explain an item."""
    from mmgraph.runs import RunReader, send_command

    folder = output.find_run(run, root)
    with RunReader(folder) as reader:
        status = reader.status()
    number = send_command(folder, command, value)
    note = (
        ""
        if status.is_live
        else f" Nobody is training this run now (it is {status.state}), so nothing will happen."
    )
    typer.echo(f"Sent {command} to {folder} (request {number}).{note}")
