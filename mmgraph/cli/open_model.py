"""`mmgraph open FILE`: a file of weights made into a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmgraph.cli import output
from mmgraph.errors import ConfigError, UnknownNameError


def open_model(
    file: Annotated[
        Path, typer.Argument(help="Weights: .safetensors, or a state_dict that torch.save wrote.")
    ],
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="Architecture and data that the weights are of.")
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", help="An option of the recipe, as in --set dataset=mnist; may be repeated."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODULE:NAME",
            help="Your own architecture: a class or function such as package.module:Net, package.module:Net(10) or "
            "file.py:Net, tried on the data of --recipe. Importing a module runs its code.",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option("--runs", help="Folder for the run. Default: one in the cache.", show_default=False),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the run folder.")] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Make a run of a trained model's file, to be looked at with 'mmgraph gui'.

    Without --recipe: its filters, shapes and how its weights are spread.

    With --recipe: embedding, attention, feature maps and scores on the recipe's data as well.

    Nothing in the file is run; the module that you name with --model is.
    """
    from mmgraph.recipes.opening import open_model as make

    values = _values(recipe, options or [])
    folder = make(file, recipe_name=recipe, values=values, model=model, runs=root, run_name=name)
    if json:
        output.print_json({"run": str(folder.resolve())})
    else:
        typer.echo(f"{folder}   (look at it: mmgraph gui {folder})")


def _values(recipe: str | None, words: list[str]) -> dict[str, object]:
    from mmgraph.options import options_of
    from mmgraph.recipes import registry

    if not words:
        return {}
    if recipe is None:
        raise ConfigError("--set chooses an option of a recipe: say which with --recipe.")
    known = {entry.name: entry for entry in options_of(registry.recipe(recipe).config)}
    values: dict[str, object] = {}
    for word in words:
        option, equals, text = word.partition("=")
        option = option.strip().replace("-", "_")
        if not equals:
            raise ConfigError(f"--set takes an option and its value, as in dataset=mnist, not '{word}'.")
        if option not in known:
            raise UnknownNameError.of("option", option, known)
        values[option] = known[option].from_text(text)
    return values
