"""`mmgraph explain RUN ITEM [OTHER]`: what a trained graph network's answer hangs on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mmgraph.cli import output

EDGES_SHOWN = 10


def explain(
    run: Annotated[str, output.RUN],
    item: Annotated[int, typer.Argument(help="Which item: its row, such as the number of a node.", min=0)],
    other: Annotated[
        int | None, typer.Argument(help="A second item: ask whether the two are linked.", min=0)
    ] = None,
    root: Annotated[Path | None, output.RUNS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Find the edges and features that a network's answer about one item hangs on, and record them.

    Takes the best weights of an ended run. The Graph and Attention views of the window show what was found; a run that
    is still training is asked with 'mmgraph runs send RUN explain ITEM'.
    """
    folder = output.find_run(run, root)
    from mmgraph.recipes import launch
    from mmgraph.runs import RunReader

    found = launch.explain(folder, item, other)
    with RunReader(folder) as reader:
        items = reader.items()
    names = items.class_names if items is not None else ()
    target = int(found.notes["target"])
    label = found.notes.get("answer") or (names[target] if target < len(names) else f"class {target}")
    order = np.argsort(-found.array.mean(axis=0), kind="stable")
    sources, targets = found.extras["edge_index"]
    methods = found.notes["heads"]
    if json:
        output.print_json(
            {
                "run": str(folder.resolve()),
                "layer": found.layer,
                "item": item,
                "class": label,
                "probability": found.notes["probability"],
                "edges": [
                    {
                        "source": int(sources[edge]),
                        "target": int(targets[edge]),
                        **dict(zip(methods, found.array[:, edge].tolist(), strict=True)),
                    }
                    for edge in order
                ],
            }
        )
        return
    asked = found.layer.removeprefix("explanation of ")
    typer.echo(
        f"{folder.name} takes {asked} for {label!r} (probability {found.notes['probability']:.3f}). "
        f"What that hangs on most, of {len(order):,} edges in reach:"
    )
    rows = [
        (f"{sources[edge]} → {targets[edge]}", *(f"{weight:.3f}" for weight in found.array[:, edge]))
        for edge in order[:EDGES_SHOWN]
    ]
    output.table(["edge", *methods], rows)
    typer.echo(
        f"Recorded as '{found.layer}': see it with 'mmgraph gui {folder}', in the views Graph and Attention."
    )
