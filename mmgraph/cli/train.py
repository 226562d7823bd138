"""`mmgraph train RECIPE`, `resume`, `recipes`: one flag per option of a recipe's config."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mmgraph.cli import output
from mmgraph.errors import ConfigError
from mmgraph.options import Option, options_of
from mmgraph.recipes import registry
from mmgraph.training.options import TrainingOptions

if TYPE_CHECKING:
    from mmgraph.training.progress import Result

_METAVARS = {int: "INTEGER", float: "NUMBER", str: "TEXT", bool: "true|false"}


class _RecipeGroup(TyperGroup):
    """Makes the command of a recipe when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return registry.names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        chosen = registry.recipe(cmd_name)
        maker = typer.Typer(add_completion=False)
        maker.command(chosen.name, help=chosen.summary)(_train_command(chosen))
        return typer.main.get_command(maker)


app = typer.Typer(
    cls=_RecipeGroup,
    help="Train a recipe and record the run. 'mmgraph train RECIPE --help' lists its options.",
    no_args_is_help=True,
)


@app.callback()
def _train() -> None:
    """Train a recipe and record the run."""


def resume(
    run: Annotated[str, output.RUN],
    epochs: Annotated[int | None, typer.Option("--epochs", help="Train up to so many epochs in all.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change an option of the recipe; may be repeated."),
    ] = None,
    root: Annotated[Path | None, output.RUNS] = None,
    json: Annotated[bool, output.JSON] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Go on with a run from its last checkpoint, as if it had never stopped."""
    folder = output.find_run(run, root)
    from mmgraph.recipes import launch
    from mmgraph.runs import read_config

    name = read_config(folder).get("run", {}).get("recipe", "")
    known = {entry.name: entry for entry in _options(name)} if name in registry.names() else {}
    values: dict[str, object] = {}
    for change in changes or []:
        key, equals, text = change.partition("=")
        entry = known.get(key.strip().replace("-", "_"))
        if not equals or entry is None:
            raise ConfigError(
                f"--set takes NAME=VALUE with an option of {name or 'a recipe'}, not '{change}'."
            )
        values[entry.name] = entry.from_text(text)
    if epochs is not None:
        values["epochs"] = epochs
    _run(
        lambda on_start, on_report: launch.resume(folder, values, on_start=on_start, on_report=on_report),
        json,
        quiet,
    )


def recipes(
    name: Annotated[
        str | None, typer.Argument(help="A recipe, to see its options.", show_default=False)
    ] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List the recipes, or the options of one."""
    if name is None:
        found = [registry.recipe(entry) for entry in registry.names()]
        if json:
            output.print_json(
                {"recipes": [{"name": r.name, "title": r.title, "summary": r.summary} for r in found]}
            )
        else:
            output.table(["recipe", "what it trains"], [(r.name, r.summary) for r in found])
        for left_out in registry.failures():
            typer.echo(f"mmgraph: {left_out}", err=True)
        return
    entries = options_of(registry.recipe(name).config)
    if json:
        output.print_json(
            {
                "recipe": name,
                "options": [
                    {"name": e.name, "default": e.default, "expects": e.expected, "help": e.help}
                    for e in entries
                ],
            }
        )
    else:
        output.table(
            ["option", "default", "takes", "meaning"],
            [(_flag(e), _shown(e.default), e.expected, e.help) for e in entries],
        )


def demo_in_terminal(root: Path | None, *, json: bool) -> None:
    """Train the default recipe with progress, and write its report."""
    from mmgraph.recipes import launch
    from mmgraph.report import write_report
    from mmgraph.runs import RunReader

    def start(on_start: Any, on_report: Any) -> tuple[Path, Result]:
        return launch.train(registry.DEFAULT, runs=root, on_start=on_start, on_report=on_report)

    folder, summary = _execute(start, quiet=False)
    with RunReader(folder) as reader:
        report = write_report(reader)
    if json:
        output.print_json({**summary, "report": report.resolve()})
    else:
        _say(folder, summary)
        typer.echo(f"Report: {report.resolve()}")


def read_toml(path: Path) -> dict[str, object]:
    """Options from a TOML file: those of its table [options] (as in a run's config.toml), else of its top.

    Raises:
        ConfigError: the file is missing, not TOML, or holds something else.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"There is no config file '{path}'.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The config file '{path}' could not be read ({error}).") from error
    options = content.get("options", content)
    if not isinstance(options, dict):
        raise ConfigError(f"In '{path}', options is a table of names and values, not {options!r}.")
    return options


def _train_command(chosen: registry.Recipe) -> Callable[..., None]:
    entries = options_of(chosen.config)

    def command(**given: Any) -> None:
        from mmgraph.recipes import launch

        config, runs, name = given.pop("config_file"), given.pop("runs_folder"), given.pop("run_name")
        json, quiet = given.pop("print_json"), given.pop("be_quiet")
        values: dict[str, object] = dict(chosen.quick) if given.pop("quick_look", False) else {}
        if config is not None:
            read = read_toml(config)
            _check_file(config, chosen, read)
            values |= {name.replace("-", "_"): value for name, value in read.items()}
        values |= {e.name: e.from_text(given[e.name]) for e in entries if given[e.name] is not None}

        def start(on_start: Any, on_report: Any) -> tuple[Path, Result]:
            return launch.train(
                chosen.name, values, runs=runs, run_name=name, on_start=on_start, on_report=on_report
            )

        _run(start, json, quiet)

    own = {e.name for e in entries} - {e.name for e in options_of(TrainingOptions)}
    hints: dict[str, Any] = {}
    for entry in entries:
        help_text = f"{entry.help} Default: {_shown(entry.default)}{_preset_note(chosen, entry)}."
        hints[entry.name] = Annotated[
            str | None,
            typer.Option(
                _flag(entry),
                help=help_text,
                metavar="|".join(entry.choices) or _METAVARS[entry.type],
                show_default=False,
                rich_help_panel=chosen.title if entry.name in own else "Training",
            ),
        ]
    hints["config_file"] = Annotated[
        Path | None,
        typer.Option("--config", help="TOML file with options; flags go first.", show_default=False),
    ]
    if chosen.quick:
        short = " ".join(
            f"--{name.replace('_', '-')} {_shown(value)}" for name, value in chosen.quick.items()
        )
        hints["quick_look"] = Annotated[
            bool, typer.Option("--quick", help=f"A short run, with something to see soon: {short}.")
        ]
    hints["runs_folder"] = Annotated[Path | None, output.RUNS]
    hints["run_name"] = Annotated[
        str | None,
        typer.Option("--name", help="Name of the run folder. Default: recipe and time.", show_default=False),
    ]
    hints["print_json"] = Annotated[bool, output.JSON]
    hints["be_quiet"] = Annotated[bool, typer.Option("--quiet", help="No progress.")]
    defaults: dict[str, Any] = {"print_json": False, "be_quiet": False, "quick_look": False}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=hint)
        for name, hint in hints.items()
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = dict(hints)
    return command


def _check_file(path: Path, chosen: registry.Recipe, values: Mapping[str, object]) -> None:
    from mmgraph.options import parse

    try:
        parse(chosen.config, values)
    except Exception as error:
        raise type(error)(f"In the config file '{path}': {error}") from error


def _run(start: Callable[[Any, Any], tuple[Path, Result]], json: bool, quiet: bool) -> None:
    from mmgraph.recipes import launch

    folder, summary = _execute(start, quiet=quiet)
    if launch.follows():
        return
    if json:
        output.print_json(summary)
    else:
        _say(folder, summary)


def _execute(start: Callable[[Any, Any], tuple[Path, Result]], *, quiet: bool) -> tuple[Path, dict[str, Any]]:
    printer = output.ProgressPrinter()
    try:
        folder, result = start(
            None if quiet else printer.start,
            None if quiet else printer.report,
        )
    finally:
        printer.stop()
    return folder, {
        "run": str(folder.resolve()),
        "state": result.state,
        "message": result.message,
        "step": result.step,
        "epoch": result.epoch,
        "metrics": result.metrics,
        "seconds": result.seconds,
        "device": result.device,
    }


def _say(folder: Path, summary: Mapping[str, Any]) -> None:
    metrics = summary["metrics"]
    typer.echo(
        f"{summary['state'].capitalize()} after {summary['epoch']} epochs, {summary['step']} steps, "
        f"{output.duration(summary['seconds'])} on {summary['device']}."
        + (f" {summary['message'].capitalize()}." if summary["message"] else "")
    )
    said = {tag: metrics[tag] for tag in ("train/loss",) if tag in metrics}
    said |= {tag: value for tag, value in metrics.items() if tag.startswith(("best/", "test/"))}
    width = max(map(len, said), default=0)
    for tag, value in said.items():
        typer.echo(f"  {tag:<{width}} {value:.4f}")
    typer.echo(f"Run: {folder}")
    if summary["state"] == "stopped":
        typer.echo(f"Go on with: mmgraph resume {folder}")


def _options(name: str) -> tuple[Option, ...]:
    return options_of(registry.recipe(name).config)


def _flag(entry: Option) -> str:
    return "--" + entry.name.replace("_", "-")


def _preset_note(chosen: registry.Recipe, entry: Option) -> str:
    """What the default becomes with certain choices, as in " (0.005 with --conv gat)"."""
    presets: Mapping[tuple[str, object], Mapping[str, object]] = getattr(chosen.config, "presets", {})
    notes = [
        f"{_shown(implied[entry.name])} with --{name.replace('_', '-')} {choice}"
        for (name, choice), implied in presets.items()
        if entry.name in implied
    ]
    return f" ({', '.join(notes)})" if notes else ""


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
