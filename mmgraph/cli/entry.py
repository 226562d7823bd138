"""The command `mmgraph`: its parts, and how errors end it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from mmgraph.cli import (
    ask,
    datasets,
    doctor,
    explain,
    graph,
    open_model,
    output,
    reproduce,
    runs,
    sample,
    search,
    train,
)
from mmgraph.errors import MissingDependencyError, MMGraphError

app = typer.Typer(
    name="mmgraph",
    help="Train graph, vision, sequence and multimodal models, and look inside them while they learn.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _mmgraph(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        from mmgraph import __version__

        typer.echo(f"mmgraph {__version__}")
        raise typer.Exit


@app.command()
def demo(
    window: Annotated[
        bool | None,
        typer.Option(
            "--window/--terminal", help="Where to show it; by default a window if there is a display."
        ),
    ] = None,
    root: Annotated[Path | None, output.RUNS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Watch a real model learn: the recipe digits-graph, in a window, or in the terminal with a report."""
    if window is None:
        window = _display() and not json
    if window:
        raise typer.Exit(_gui_main()(None, demo=True, runs=root))
    train.demo_in_terminal(root, json=json)


@app.command()
def gui(
    path: Annotated[
        str | None,
        typer.Argument(
            help="A run folder, a folder of runs, here or on another machine (ssh://host/path), or a file of weights; "
            "by default what was open the last time."
        ),
    ] = None,
    root: Annotated[Path | None, output.RUNS] = None,
) -> None:
    """Open the desktop app: watch models learn, and look inside runs and trained models."""
    raise typer.Exit(_gui_main()(path, demo=False, runs=root))


app.add_typer(train.app, name="train")
app.command("resume")(train.resume)
app.command("recipes")(train.recipes)
app.command("reproduce")(reproduce.reproduce)
app.command("explain")(explain.explain)
app.command("search")(search.search)
app.command("ask")(ask.ask)
app.command("open")(open_model.open_model)
app.command("sample")(sample.sample)
app.add_typer(runs.app, name="runs")
app.add_typer(datasets.app, name="datasets")
app.add_typer(graph.app, name="graph")
app.command("doctor")(doctor.doctor)


def main() -> NoReturn:
    """Run the command line; ends the process with 0, 1 (failure), 2 (usage) or 130 (interrupted)."""
    try:
        app()
    except MMGraphError as error:
        output.fail(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of our output is gone
        sys.exit(1)
    sys.exit(0)


def _display() -> bool:
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _gui_main() -> Any:
    try:
        from importlib import import_module

        return import_module("mmgraph_gui.app").main
    except ImportError as error:
        raise MissingDependencyError(
            f"The desktop app needs PySide6 and pyqtgraph ({error}). "
            "Install them with: pip install 'mmgraph[gui]'. On Debian, Qt also needs: apt-get install "
            "libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0."
        ) from error
