"""`mmgraph sample RUN`: a text that a language model writes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmgraph.cli import output


def sample(
    run: Annotated[str, output.RUN],
    prompt: Annotated[str | None, typer.Option("--prompt", help="What the text begins with.")] = None,
    length: Annotated[int | None, typer.Option("--length", help="Tokens to draw.", min=0)] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="Below 1 the likely becomes likelier.", min=0.0)
    ] = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", help="Draw only from so many likeliest tokens.", min=1)
    ] = None,
    nucleus: Annotated[
        float | None,
        typer.Option(
            "--nucleus", help="Draw only from the likeliest tokens that make up this share.", max=1.0
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed is another text.", min=0)] = None,
    root: Annotated[Path | None, output.RUNS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Let a run of the recipe language-model write, with its best weights so far.

    What is not given is as in the options of the run.
    """
    folder = output.find_run(run, root)
    from mmgraph.recipes import launch

    given = {"temperature": temperature, "top_k": top_k, "nucleus": nucleus, "seed": seed}
    draw = {name: value for name, value in given.items() if value is not None}
    text = launch.sample(folder, prompt, length, **draw)
    if json:
        output.print_json({"run": str(folder.resolve()), "text": text})
    else:
        typer.echo(text)
