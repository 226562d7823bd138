"""Weights from a file that may be hostile: safetensors, or what torch.save wrote, without running anything."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mmgraph.errors import CheckpointError, InputError
from mmgraph.inspection.draft import Draft, Limits
from mmgraph.inspection.histograms import histograms_of
from mmgraph.runs import KIND_AXES, Layer, Snapshot, Structure

MOST_BYTES = 16 << 30
MOST_TENSORS = 100_000
DEEPEST = 8
"""Dictionaries inside dictionaries that are looked through for tensors."""
_PICKLE = b"\x80"
"""How pickles begin, from the second protocol on."""
_INSIDE = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params", "ema")
_PREFIXES = ("module.", "_orig_mod.", "model.")
"""What wrappers put in front of every name; our checkpoints name weights "model.…"."""

Weights = dict[str, Tensor]


def read_weights(path: Path) -> Weights:
    """The tensors of a file by their names, on the CPU; of our own checkpoints those of the model.

    Nothing in the file is run: what torch.save wrote is read with `weights_only`. Tensors may lie in dictionaries, as
    in {"state_dict": …, "epoch": 3}.

    Raises:
        InputError: the file cannot be read, is too large, holds anything that would have to be run, or no tensors.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror}).") from error
    if not path.is_file():  # a folder; or a pipe, which might never say anything
        raise InputError(f"'{path}' is not a file.")
    if size > MOST_BYTES:
        raise InputError(f"'{path.name}' is larger than {MOST_BYTES >> 30} GB, more than is read of a model.")
    found = _safetensors(path) if path.suffix.lower() == ".safetensors" else _torch_file(path)
    ours = {name: value for name, value in found.items() if not name.startswith(("optimizer.", "random."))}
    weights = ours or found
    for prefix in _PREFIXES:
        if weights and all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    if not weights:
        raise InputError(f"'{path.name}' holds no tensors, so there is no model in it.")
    if len(weights) > MOST_TENSORS:
        raise InputError(
            f"'{path.name}' holds {len(weights):,} tensors, more than any model that can be shown."
        )
    return weights


def put_into(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put weights into a model; names may have lost, in `read_weights`, what all of them begin with.

    Raises:
        CheckpointError: they do not fit; names the first weight that does not, in the order of the model.
    """
    wanted, given = model.state_dict(), named_like(model, weights)
    try:
        model.load_state_dict(given)
    except (RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(_misfit(wanted, given) or str(error)[:400]) from error


def named_like(model: nn.Module, weights: Mapping[str, Tensor]) -> Weights:
    """Weights by the names that the model has for them, with what `read_weights` took off where that is part of it."""
    wanted, given = model.state_dict(), dict(weights)
    for prefix in _PREFIXES:
        if not given.keys() & wanted.keys() and all(name.startswith(prefix) for name in wanted):
            given = {prefix + name: value for name, value in given.items()}
    return given


def _misfit(wanted: Mapping[str, Any], given: Mapping[str, Tensor]) -> str:
    """The first weight that does not fit, in words."""
    for name, weight in wanted.items():
        if not isinstance(weight, Tensor):
            continue
        if name not in given:
            return f"the model has a weight '{name}', which is not in the file"
        if not is_lazy(weight) and weight.shape != given[name].shape:
            return f"'{name}' is {_by(given[name])} in the file, but {_by(weight)} in the model"
    extra = [name for name in given if name not in wanted]
    return f"the file has a weight '{extra[0]}', which is not in the model" if extra else ""


def _by(weight: Tensor) -> str:
    return " × ".join(map(str, weight.shape)) or "one number"


def weight_snapshots(weights: Weights, limits: Limits = Limits()) -> list[Snapshot]:  # noqa: B008  frozen
    """Filters of what looks like a convolution, and how all weights are spread."""
    found = []
    for name, weight in weights.items():
        is_kernel = weight.dim() in (4, 5) and weight.shape[2:].numel() > 1
        if is_kernel and weight.numel() and weight.is_floating_point():
            axes = KIND_AXES["filters"][weight.dim() - 4]
            draft = Draft("filters", _layer_name(name), weight, axes)
            found.append(draft.thin({"out": limits.channels, "in": limits.channels}).copied().snapshot())
    spread = [
        (_layer_name(name), weight)
        for name, weight in weights.items()
        if weight.dim() >= 2 and weight.is_floating_point()
    ]
    return [*{snapshot.key: snapshot for snapshot in found}.values(), *histograms_of("weights", spread)]


def weight_structure(weights: Weights, remark: str) -> Structure:
    """The layers as far as names and shapes tell: a file of weights says nothing of what is computed with them."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, weight in weights.items():
        layer, _, part = name.rpartition(".")
        groups.setdefault(layer or "model", {})[part] = weight
    layers = [Layer("model", "weights", sum(weight.numel() for weight in weights.values()), inside=True)]
    layers += [
        Layer(name, _type_of(parts), sum(weight.numel() for weight in parts.values()), _shape_of(parts))
        for name, parts in groups.items()
        if name != "model"
    ]
    return Structure(tuple(layers), remark=remark)


def _safetensors(path: Path) -> Weights:
    try:
        with safe_open(path, framework="pt") as file:
            names = sorted(file.keys(), key=_counted)  # the file has 10 before 2
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError, RuntimeError, MemoryError) as error:
        raise InputError(
            f"'{path.name}' is not a readable safetensors file ({error}): it is of another kind, or was cut short when "
            "it was copied."
        ) from error


def _counted(name: str) -> list[tuple[int, str]]:
    """Sorts the numbers in a name as numbers: layer 2 before layer 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _check_written_by_torch(path: Path) -> None:
    """`torch.save` writes archives, and pickles in its early days; of the rest torch says what few understand."""
    with path.open("rb") as file:
        begin = file.read(len(_PICKLE))
    if begin != _PICKLE and not zipfile.is_zipfile(path):
        raise InputError(
            f"'{path.name}' is not a file of weights that can be read: neither safetensors nor what torch.save writes, "
            "or cut short when it was copied."
        )


def _torch_file(path: Path) -> Weights:
    try:
        _check_written_by_torch(path)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
            _check_unpacked(unpacked, path.name)
        with warnings.catch_warnings():
            # torch wonders about pickles of others; what is wrong is said below
            warnings.simplefilter("ignore")
            found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except pickle.UnpicklingError as error:
        raise InputError(
            f"'{path.name}' holds more than weights ({_reason(error)}). It was not run: save the state_dict alone, as "
            f"safetensors if you can."
        ) from error
    except Exception as error:  # damaged pickles raise whatever their contents lead to
        raise InputError(
            f"'{path.name}' is not a file of weights that can be read ({_reason(error)})."
        ) from error
    for _ in range(2):
        inner = next(
            (found[key] for key in _INSIDE if isinstance(found, Mapping) and _holds_more(found, key)), None
        )
        found = found if inner is None else inner
    return dict(_tensors(found))


def _check_unpacked(unpacked: int, name: str) -> None:
    if unpacked > MOST_BYTES:
        raise InputError(f"'{name}' unpacks to {unpacked:,} bytes, more than is read of a model.")


def _holds_more(found: Mapping[Any, Any], key: str) -> bool:
    return isinstance(found.get(key), Mapping)


def _tensors(found: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    if isinstance(found, Tensor):
        if found.layout == torch.strided and not found.is_quantized and not found.is_meta:
            yield name or "weight", found.detach()
    elif isinstance(found, Mapping) and depth < DEEPEST:
        for key, value in found.items():
            yield from _tensors(value, f"{name}.{key}" if name else str(key), depth + 1)


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    known = next((line.strip() for line in lines if "GLOBAL" in line or "Unsupported" in line), None)
    return (known or (lines[0] if lines else type(error).__name__))[:200]


def _layer_name(name: str) -> str:
    return name.removesuffix(".weight")


def _type_of(parts: Mapping[str, Tensor]) -> str:
    """What a layer looks like by its weights."""
    weight = parts.get("weight")
    if "running_mean" in parts:
        return "BatchNorm"
    if "weight_ih_l0" in parts:
        return "recurrent"
    if "in_proj_weight" in parts:
        return "MultiheadAttention"
    if weight is None:
        return ", ".join(parts)[:60]
    kinds = {1: "norm", 2: "Linear or Embedding", 3: "Conv1d", 4: "Conv2d", 5: "Conv3d"}
    return kinds.get(weight.dim(), "weights")


def _shape_of(parts: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Shape of the largest weight: what it gives is not known."""
    return tuple(max(parts.values(), key=lambda part: part.numel()).shape)
