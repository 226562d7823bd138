"""Checkpoints: all that a run needs to go on as if it had never stopped, as one safetensors file."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from mmgraph.errors import CheckpointError
from mmgraph.runs.schema import write_failure
from mmgraph.training.averaging import WeightAverage
from mmgraph.whole_file import whole_file

FORMAT = 1
LAST, BEST = "last.safetensors", "best.safetensors"
"""The checkpoints of a run: of where it stands, and of its best weights."""


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    scaler: torch.amp.GradScaler | None = None,
    progress: Mapping[str, Any] | None = None,
    average: WeightAverage | None = None,
) -> None:
    """Write weights, their average, optimiser, loss scale, random state and progress, whole or not at all.

    Tensors are named `model.…`, `average.…`, `optimizer.…` and `random.…`; all else is JSON in the metadata.

    Raises:
        RunError: the disk is full or cannot be written.
    """
    notes: dict[str, Any] = {"format": FORMAT, "progress": dict(progress or {})}
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{name}": value for name, value in average.values.items()}
    if optimizer is not None:
        state = optimizer.state_dict()
        notes["optimizer"] = {"groups": state["param_groups"], "values": {}}
        for index, entries in state["state"].items():
            for name, value in entries.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer.{index}.{name}"] = value
                else:
                    notes["optimizer"]["values"][f"{index}.{name}"] = value
    if scaler is not None:
        notes["scaler"] = scaler.state_dict()
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # safetensors refuses tensors that share memory, as tied weights do: each gets its own copy. The file is
        # ours to open, for safetensors would make one that only its owner can read.
        data = save(
            {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()},
            metadata={"mmgraph": json.dumps(notes)},
        )
        with whole_file(path) as part:
            part.write_bytes(data)
    except (OSError, SafetensorError) as error:
        raise write_failure(path.parent, error) from error


def load_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    scaler: torch.amp.GradScaler | None = None,
    *,
    random_state: bool = False,
    average: WeightAverage | None = None,
) -> dict[str, Any]:
    """Put a checkpoint back; returns the progress it was saved with.

    Without an optimiser the model is not to be trained on: it gets the average of the weights where there is one.

    Raises:
        CheckpointError: the file is missing, damaged, or does not fit the model.
    """
    tensors, notes = _read(path)
    weights = _named(tensors, "model.")
    averaged = _named(tensors, "average.")
    if averaged and optimizer is None:
        weights = averaged
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"'{path}' does not fit the model: {_first_line(error)} Resume with the options the run was started with."
        ) from error
    if average is not None:
        average.load(averaged)
    if optimizer is not None:
        if "optimizer" not in notes:
            raise CheckpointError(f"'{path}' holds weights only; it cannot be resumed from.")
        optimizer.load_state_dict(_optimizer_state(tensors, notes["optimizer"]))
    if scaler is not None and "scaler" in notes:
        scaler.load_state_dict(notes["scaler"])
    if random_state:
        torch.set_rng_state(tensors["random.cpu"])
        if torch.cuda.is_available() and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"])
    progress: dict[str, Any] = notes["progress"]
    return progress


def saved_progress(path: Path) -> dict[str, Any]:
    """The progress a checkpoint was saved with, without reading its tensors.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    with _opened(path) as (_, notes):
        progress: dict[str, Any] = notes["progress"]
        return progress


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with _opened(path) as (file, notes):
        return {name: file.get_tensor(name) for name in file.keys()}, notes  # noqa: SIM118


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint '{path}'; the run stopped before it wrote one.")
    try:
        with safe_open(path, framework="pt") as file:
            yield file, json.loads((file.metadata() or {})["mmgraph"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"'{path}' is not a readable checkpoint ({error}).") from error


def _named(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, without the beginning."""
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def _optimizer_state(tensors: Mapping[str, Tensor], notes: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {}
    values = {f"optimizer.{key}": value for key, value in notes["values"].items()}
    for key, value in {**tensors, **values}.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = value
    return {"state": state, "param_groups": notes["groups"]}


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3]) if lines else str(error)
