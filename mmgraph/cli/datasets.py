"""`mmgraph datasets`: what there is, where it lies, and fetching it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mmgraph.cli import output
from mmgraph.datasets import catalogue
from mmgraph.errors import DatasetError

app = typer.Typer(help="List, fetch and describe data sets.", no_args_is_help=True)

_NAME = typer.Argument(
    help="Name of a data set.", show_default=False, autocompletion=lambda: list(catalogue.names())
)


@app.command("list")
def list_datasets(json: Annotated[bool, output.JSON] = False) -> None:
    """List data sets and where they stand on this machine."""
    rows = []
    for name in catalogue.names():
        found = catalogue.manifest(name)
        rows.append({"name": name, "title": found.title, "task": found.task, "status": _status(name)})
    if json:
        output.print_json({"datasets": rows, "folders": [str(root) for root in catalogue.roots()]})
    else:
        output.table(
            ["data set", "task", "on this machine"], [(r["name"], r["task"], r["status"]) for r in rows]
        )


@app.command()
def info(name: Annotated[str, _NAME], json: Annotated[bool, output.JSON] = False) -> None:
    """Show what a data set is: files, licence, citation, and where it lies."""
    found = catalogue.manifest(name)
    summary: dict[str, Any] = {
        "name": name,
        "title": found.title,
        "task": found.task,
        "summary": found.summary,
        "licence": found.licence,
        "citation": found.citation,
        "homepage": found.homepage,
        "status": _status(name),
        "files": [{"path": f.path, "bytes": f.bytes, "sha256": f.sha256, "url": f.url} for f in found.files],
    }
    if json:
        output.print_json(summary)
        return
    for key in ("title", "task", "summary", "licence", "citation", "homepage", "status"):
        typer.echo(f"{key + ':':<10} {summary[key]}")
    for file in found.files:
        typer.echo(f"  {file.path:<32} {file.bytes:>12,} bytes   {file.url}")


@app.command()
def get(
    name: Annotated[str, _NAME],
    part: Annotated[str | None, typer.Option("--part", help="Fetch one part only, such as test.")] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Find or download a data set, and verify every file."""
    from mmgraph.datasets.fetch import fetch

    folder = _with_progress(lambda progress: fetch(name, part=part, progress=progress))
    if json:
        output.print_json({"name": name, "folder": str(folder)})
    else:
        typer.echo(f"{name} is complete and verified in {folder}")


def _with_progress(get_it: Callable[[Any], Path]) -> Path:
    if not sys.stderr.isatty():
        return get_it(None)
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def progress(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=total)
            bars.update(tasks[file], completed=done)

        return get_it(progress)


def _status(name: str) -> str:
    try:
        return catalogue.status(name)
    except DatasetError as error:
        return str(error)
