"""Snapshots: named arrays taken from a model at one step, one safetensors file per step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from mmgraph.errors import InputError, RunDamagedError
from mmgraph.whole_file import whole_file

Array = npt.NDArray[Any]

STORABLE_TYPES = ("bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
STORABLE_TYPES += ("float16", "float32", "float64")

KIND_AXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "embedding": (("items", "features"),),
    "attention": (("heads", "queries", "keys"), ("items", "heads", "queries", "keys"), ("heads", "edges")),
    "filters": (("out", "in", "height", "width"), ("out", "in", "time", "height", "width")),
    "feature_maps": (("items", "channels", "height", "width"),),
    "image": (("items", "height", "width", "channels"),),
    "prediction": (("items", "classes"),),
    "matrix": (("rows", "columns"),),
    "graph": (("ends", "edges"),),
}
"""Kinds of snapshot, and the axes an array of that kind may have."""


@dataclass(frozen=True)
class Snapshot:
    """One array taken from a model, and what is needed to read it.

    Args:
        kind: one of `KIND_AXES`.
        layer: where it comes from, as in `model.named_modules()`, or another short name.
        array: the values; stored as they are (bfloat16 must be widened before).
        axes: names of the axes; by default the axes of the kind with as many dimensions.
        items: name of the item set that the rows (or nodes) belong to.
        extras: further arrays that belong to it: `edge_index` (2, edges) of edge attention,
            `rows` (items,) when only some items of the set are shown, or (edges,) of a graph whose edges are the
            items, `positions` (nodes, 2).
        notes: small facts in words or numbers, such as class names of a matrix; anything JSON can hold.

    Raises:
        InputError: unknown kind, axes that the kind does not have, an array that is not of plain numbers,
            or notes that JSON cannot hold.
    """

    kind: str
    layer: str
    array: Array
    axes: tuple[str, ...] = ()
    items: str | None = None
    extras: Mapping[str, Array] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KIND_AXES:
            raise InputError(f"A snapshot has one of the kinds {', '.join(KIND_AXES)}, not '{self.kind}'.")
        known = KIND_AXES[self.kind]
        if not self.axes:
            fitting = [axes for axes in known if len(axes) == self.array.ndim]
            object.__setattr__(self, "axes", fitting[0] if fitting else ())
        if self.axes not in known or len(self.axes) != self.array.ndim:
            expected = " or ".join(f"({', '.join(axes)})" for axes in known)
            raise InputError(
                f"A snapshot of kind '{self.kind}' has axes {expected}, but '{self.layer}' has shape "
                f"{self.array.shape}" + (f" and axes ({', '.join(self.axes)})." if self.axes else ".")
            )
        for name, array in {self.layer: self.array, **self.extras}.items():
            check_storable(name, array)
        try:
            f"{self.layer}{self.items}".encode()
        except UnicodeEncodeError as error:
            raise InputError(f"A layer and an item set have Unicode names, not {self.layer!a}.") from error
        try:
            json.dumps(self.notes)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"The notes of snapshot '{self.layer}' do not fit into JSON ({error})."
            ) from error

    @property
    def key(self) -> str:
        """Name of the array inside its file."""
        return f"{self.kind}/{self.layer}"

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.array.nbytes + sum(extra.nbytes for extra in self.extras.values())


@dataclass(frozen=True)
class SnapshotInfo:
    """What the index of a run says of one snapshot; `RunReader.load` gives the array."""

    id: int
    step: int
    epoch: float
    wall_time: float
    kind: str
    layer: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    file: str
    items: str | None
    nbytes: int


def check_storable(name: str, array: Array) -> None:
    """Refuse what a safetensors file cannot hold.

    Raises:
        InputError: not an array of bool, integers or floats of at most 64 bits.
    """
    if not isinstance(array, np.ndarray) or array.dtype.name not in STORABLE_TYPES:
        arrived = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(
            f"'{name}' must be a NumPy array of bool, integers or floats of at most 64 bits, not {arrived}."
        )


def write_snapshots(path: Path, step: int, snapshots: Sequence[Snapshot]) -> None:
    """Write the snapshots of one capture as one safetensors file, whole or not at all."""
    arrays: dict[str, Array] = {}
    index: dict[str, dict[str, Any]] = {}
    for snapshot in snapshots:
        arrays[snapshot.key] = snapshot.array
        for name, extra in snapshot.extras.items():
            arrays[f"{snapshot.key}:{name}"] = extra
        index[snapshot.key] = {
            "kind": snapshot.kind,
            "layer": snapshot.layer,
            "axes": list(snapshot.axes),
            "items": snapshot.items,
            "extras": list(snapshot.extras),
            "notes": snapshot.notes,
        }
    write_arrays(path, arrays, {"step": step, "snapshots": index})


def read_snapshot(path: Path, key: str) -> Snapshot:
    """Read one snapshot of a file written by `write_snapshots`.

    Raises:
        RunDamagedError: the file is missing, cut short, or does not hold this snapshot.
    """
    arrays, notes = read_arrays(path, lambda name: name == key or name.startswith(f"{key}:"))
    try:
        entry = notes["snapshots"][key]
        return Snapshot(
            kind=entry["kind"],
            layer=entry["layer"],
            array=arrays[key],
            axes=tuple(entry["axes"]),
            items=entry["items"],
            extras={name: arrays[f"{key}:{name}"] for name in entry["extras"]},
            notes=entry["notes"],
        )
    except (KeyError, TypeError, InputError) as error:
        raise RunDamagedError(
            f"'{path}' should hold the snapshot '{key}', and does not ({error})."
        ) from error


def read_indexed(path: Path, info: SnapshotInfo) -> Snapshot:
    """Read the snapshot that the index of a run speaks of.

    Raises:
        RunDamagedError: the file is missing, cut short, or does not hold what the index says.
    """
    snapshot = read_snapshot(path, f"{info.kind}/{info.layer}")
    check_shape(path, info, snapshot.array.shape)
    return snapshot


def check_shape(path: Path, info: SnapshotInfo, found: tuple[int, ...]) -> None:
    """Refuse a file that was exchanged for another.

    Raises:
        RunDamagedError: the array has another shape than the index of the run says.
    """
    if found != info.shape:
        raise RunDamagedError(
            f"'{path}' should hold '{info.kind}/{info.layer}' of shape {info.shape}, and holds {found}: the file is "
            f"damaged, or from another run."
        )


def write_arrays(path: Path, arrays: Mapping[str, Array], notes: Mapping[str, Any]) -> None:
    """Write arrays and JSON notes to a safetensors file by way of a temporary file and a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Strided arrays would be stored with the wrong values. The file is ours to open, for safetensors
    # would make one that only its owner can read.
    data = save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        metadata={"mmgraph": json.dumps(notes)},
    )
    with whole_file(path) as part:
        part.write_bytes(data)


def read_arrays(
    path: Path, wanted: Callable[[str], bool] = lambda name: True
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read the arrays (those whose name `wanted` accepts) and the JSON notes of a safetensors file.

    Raises:
        RunDamagedError: the file is missing, cut short or not written by mmgraph.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            notes = dict(json.loads((file.metadata() or {})["mmgraph"]))
            names = [name for name in file.keys() if wanted(name)]  # noqa: SIM118
            return {name: file.get_tensor(name) for name in names}, notes
    except FileNotFoundError as error:
        raise RunDamagedError(why_not_there(path)) from error
    except KeyError as error:
        raise RunDamagedError(f"'{path}' was not written by mmgraph: it has no notes.") from error
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        raise RunDamagedError(f"'{path}' is not a readable safetensors file ({error}).") from error


def why_not_there(path: Path) -> str:
    """Why a file could not be opened: safetensors says that it is missing where it may not be read, too."""
    try:
        path.open("rb").close()
    except PermissionError:
        return f"'{path}' may not be read; ask who owns it for the right to read it and its folder."
    except OSError:
        pass
    return f"'{path}' is missing; it may have been deleted or not copied yet."


def snapshot_file_name(step: int, session: int, number: int) -> str:
    """Name of the file for one capture; neither a resumed run nor a second capture of a step overwrites another."""
    return f"step-{step:010d}-{session:03d}-{number:06d}.safetensors"
