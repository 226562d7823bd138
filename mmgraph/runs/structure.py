"""model.json: the layers of a run's model and how they are wired."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmgraph.errors import RunDamagedError
from mmgraph.runs.schema import write_failure
from mmgraph.whole_file import whole_file

MODEL_FILE = "model.json"
MOST_BYTES = 32 * 2**20
INPUT, OUTPUT = "input", "output of the model"
"""What the wiring calls that which goes in, and that which comes out."""


@dataclass(frozen=True)
class Layer:
    """One module of a model.

    Args:
        name: as in `named_modules()`; the model itself is "model".
        type: name of its class.
        parameters: numbers it learns, those of the modules inside it included.
        output: shape of what it gives, the first time it runs; None where it did not run or gave no tensor.
        flops: floating-point operations of one forward; None where nobody counted.
        seconds: of one forward.
        runs: how often it ran in one forward.
        inside: whether it is part of another layer that is one box of the wiring, or contains boxes.
    """

    name: str
    type: str
    parameters: int
    output: tuple[int, ...] | None = None
    flops: int | None = None
    seconds: float | None = None
    runs: int = 0
    inside: bool = False


@dataclass(frozen=True)
class Connection:
    """What a box gives goes into another.

    Args:
        source, target: names of layers ("act#2" the second time that one without weights runs), of operations such as
            "add", or INPUT and OUTPUT.
        through: operations without weights on the way, such as "relu, mean".
    """

    source: str
    target: str
    through: str = ""


@dataclass(frozen=True)
class Structure:
    """The layers of a model, in order of definition, and the wiring seen in one forward, in order of running.

    Args:
        items: rows of the batch that ran; None of a graph, or where nothing ran.
        remark: what could not be found out; empty where all could.
    """

    layers: tuple[Layer, ...]
    connections: tuple[Connection, ...] = ()
    items: int | None = None
    remark: str = ""


def write_structure(folder: Path, structure: Structure) -> None:
    """Write it into a run folder, whole or not at all.

    Raises:
        RunError: the disk is full or cannot be written.
    """
    try:
        with whole_file(folder / MODEL_FILE) as part:
            # Not `asdict`, which copies each number of thousands of layers.
            part.write_text(json.dumps(vars(structure), default=vars), encoding="utf-8")
    except OSError as error:
        raise write_failure(folder, error) from error


def read_structure(folder: Path) -> Structure | None:
    """What a run says of its model; None where it says nothing.

    Raises:
        RunDamagedError: the file cannot be read, or is none of ours.
    """
    path = folder / MODEL_FILE
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RunDamagedError(
                f"'{path}' is larger than {MOST_BYTES >> 20} MB, more than a model can have to say."
            )
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        return Structure(
            tuple(_layer(entry) for entry in found["layers"]),
            tuple(
                Connection(_line(one["source"]), _line(one["target"]), _line(one.get("through", "")))
                for one in found["connections"]
            ),
            None if found.get("items") is None else int(found["items"]),
            str(found.get("remark", "")),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RunDamagedError(f"'{path}' does not describe a model ({error}).") from error


def _line(text: object) -> str:
    """A name on one line, for the file may come from anybody."""
    return " ".join(str(text).split())


def _layer(entry: dict[str, Any]) -> Layer:
    shape, flops, seconds = entry.get("output"), entry.get("flops"), entry.get("seconds")
    return Layer(
        _line(entry["name"]),
        _line(entry["type"]),
        int(entry["parameters"]),
        None if shape is None else tuple(int(length) for length in shape),
        None if flops is None else int(flops),
        None if seconds is None else float(seconds),
        int(entry.get("runs", 0)),
        bool(entry.get("inside", False)),
    )
