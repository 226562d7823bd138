"""`mmgraph search RUN WHAT`: items by their words, or the nearest neighbours of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from mmgraph.cli import output
from mmgraph.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from mmgraph.runs import ItemSet, RunReader, SnapshotInfo

LONGEST_TEXT = 60


def search(
    run: Annotated[str, output.RUN],
    what: Annotated[
        str,
        typer.Argument(
            metavar="ITEM|WORDS",
            help="An item's row, to find its nearest neighbours; or words, to list items by id, class and text, "
            "such as 'label:7 split:test'.",
        ),
    ],
    k: Annotated[int, typer.Option("--k", help="How many to find.", min=1)] = 10,
    metric: Annotated[str, typer.Option("--metric", help="euclidean or cosine.")] = "euclidean",
    layer: Annotated[
        str | None, typer.Option("--layer", help="Which embedding; by default the deepest.")
    ] = None,
    step: Annotated[
        int | None, typer.Option("--step", help="Vectors as they were at this step; by default the newest.")
    ] = None,
    root: Annotated[Path | None, output.RUNS] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Search the items of a run: the nearest neighbours of one, or all that fit some words.

    Neighbours are exact, in the space of the recorded vectors rather than in a picture of it.
    """
    from mmgraph.runs import RunReader

    if metric not in ("euclidean", "cosine"):
        raise UnknownNameError.of("metric", metric, ("euclidean", "cosine"))
    with RunReader(output.find_run(run, root)) as reader:
        items = reader.items() if "items" in reader.item_names() else None
        if what.isdecimal():
            chosen = cast("Literal['euclidean', 'cosine']", metric)
            _neighbours(reader, items, int(what), k, chosen, layer, step, json=json)
        else:
            _items(reader, items, what, k, json=json)


def _neighbours(
    reader: RunReader,
    items: ItemSet | None,
    item: int,
    k: int,
    metric: Literal["euclidean", "cosine"],
    layer: str | None,
    step: int | None,
    *,
    json: bool,
) -> None:
    from mmgraph.analysis import similar_items

    info = _embedding(reader, layer, step)
    snapshot = reader.load(info)
    distances, rows = similar_items(snapshot.array, item, k, rows=snapshot.extras.get("rows"), metric=metric)
    found = [
        _known(items, row) | {"distance": far}
        for row, far in zip(rows.tolist(), distances.tolist(), strict=True)
    ]
    if json:
        output.print_json(
            {
                "run": str(reader.folder.resolve()),
                "layer": info.layer,
                "step": info.step,
                "metric": metric,
                "item": _known(items, item),
                "neighbours": found,
            }
        )
        return
    typer.echo(
        f"Nearest to {_name(items, item)} of {reader.name}, by {metric} distance in '{info.layer}' at step {info.step}:"
    )
    _table(found)


def _items(reader: RunReader, items: ItemSet | None, words: str, k: int, *, json: bool) -> None:
    from mmgraph.runs import find_items

    rows = [] if items is None else find_items(items, words).tolist()
    found = [_known(items, row) for row in rows[:k]]
    if json:
        output.print_json({"run": str(reader.folder.resolve()), "found": len(rows), "items": found})
        return
    shown = "" if len(rows) <= k else f", the first {k}"
    typer.echo(f"{len(rows):,} item{'' if len(rows) == 1 else 's'} of {reader.name} fit '{words}'{shown}.")
    _table(found)


def _embedding(reader: RunReader, layer: str | None, step: int | None) -> SnapshotInfo:
    """The newest snapshot of a layer's vectors at or before a step."""
    infos = reader.snapshots(kind="embedding")
    layers = list(dict.fromkeys(info.layer for info in infos))
    if not layers:
        raise ConfigError(f"The run '{reader.name}' recorded no embedding to search.")
    if layer is not None and layer not in layers:
        raise UnknownNameError.of("embedding", layer, layers)
    wanted = layers[-1] if layer is None else layer
    until = [info for info in infos if info.layer == wanted and (step is None or info.step <= step)]
    if not until:
        raise ConfigError(f"The run '{reader.name}' recorded no embedding '{wanted}' by step {step}.")
    return max(until, key=lambda info: (info.step, info.id))


def _known(items: ItemSet | None, row: int) -> dict[str, object]:
    """What there is to say of an item."""
    known: dict[str, object] = {"item": row}
    if items is None or not 0 <= row < len(items):
        return known
    if items.ids is not None:
        known["id"] = int(items.ids[row])
    if items.labels is not None:
        label = int(items.labels[row])
        known["label"] = items.class_names[label] if 0 <= label < len(items.class_names) else label
    if items.texts is not None:
        known["text"] = items.texts[row]
    return known


def _name(items: ItemSet | None, row: int) -> str:
    known = _known(items, row)
    label = f" ('{known['label']}')" if "label" in known else ""
    return f"{items.noun if items is not None else 'item'} {row}{label}"


def _table(found: list[dict[str, object]]) -> None:
    if found:
        rows = [[_cell(value) for value in known.values()] for known in found]
        output.table(list(found[0]), rows)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
