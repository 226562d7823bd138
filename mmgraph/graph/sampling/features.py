"""Features of some nodes out of those of all, which may lie in a file."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.sparse_features import Features, SparseFeatures

FeatureStore: TypeAlias = Tensor | SparseFeatures | NDArray[Any]
"""Features of all nodes: in memory, or a NumPy array such as `open_features` gives."""

_DTYPES: dict[str, np.dtype[Any]] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
_LARGEST_HEADER = 100_000_000


def open_features(path: str | Path, name: str | None = None) -> NDArray[Any]:
    """Features in a .npy or .safetensors file, mapped into memory: only what is asked for is ever read.

    Args:
        path: of the file.
        name: of the tensor in a .safetensors file that holds several.

    Shapes:
        → (num_nodes, channels), floating-point, read-only.

    Raises:
        InputError: no such file, another format, or content of another kind.
    """
    path = Path(path)
    if path.suffix not in (".npy", ".safetensors"):
        raise InputError(f"Expected features in a .npy or .safetensors file, but got '{path.name}'.")
    try:
        if path.suffix == ".npy":
            features: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            features = _open_safetensors(path, name)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise InputError(f"'{path}' cannot be read as features ({error}).") from error
    check_store(features)
    return features


def check_store(features: FeatureStore, num_nodes: int | None = None) -> None:
    """One row of real numbers per node.

    Raises:
        InputError: another kind, type or shape.
    """
    if not isinstance(features, (Tensor, SparseFeatures, np.ndarray)):
        raise InputError(
            f"Expected features as a tensor, SparseFeatures or a NumPy array, but got {type(features).__name__}."
        )
    is_array = isinstance(features, np.ndarray)
    is_real = (
        features.dtype.kind == "f" if isinstance(features, np.ndarray) else features.dtype.is_floating_point
    )
    shape = tuple(features.shape)
    if not is_real or (is_array and len(shape) != 2) or not shape:
        raise InputError(
            f"Expected floating-point features (num_nodes, channels), but got {features.dtype} of shape {shape}."
        )
    if num_nodes is not None and shape[0] != num_nodes:
        raise InputError(
            f"Expected one row of features per node, but the graph has {num_nodes} nodes and the features have "
            f"{shape[0]} rows."
        )


def rows_of(features: FeatureStore, nodes: Tensor) -> Features:
    """The features of some nodes, in their order.

    Shapes:
        nodes (n,) int64: (n, channels).
    """
    if isinstance(features, Tensor):
        return features.index_select(0, nodes.to(features.device))
    if isinstance(features, SparseFeatures):
        return features.rows(nodes.to(features.device))
    rows = np.empty((len(nodes), *features.shape[1:]), features.dtype.newbyteorder("="))
    wanted = nodes.cpu().numpy()
    if isinstance(features, np.memmap):
        # In the order of the file, so that each page is visited once.
        order = np.argsort(wanted)
        rows[order] = np.take(features, wanted[order], axis=0)
    else:
        np.take(features, wanted, axis=0, out=rows, mode="clip")
    return torch.from_numpy(rows)


def _open_safetensors(path: Path, name: str | None) -> NDArray[Any]:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > _LARGEST_HEADER:
            raise ValueError(f"its header would have {length} bytes")
        header = json.loads(file.read(length))
    tensors = {key: entry for key, entry in header.items() if key != "__metadata__"}
    if name is None and len(tensors) != 1:
        raise InputError(
            f"'{path}' holds {len(tensors)} tensors ({', '.join(sorted(tensors)[:10])}): say which with name=."
        )
    if name is not None and name not in tensors:
        raise InputError(
            f"'{path}' holds no tensor '{name}', but {', '.join(sorted(tensors)[:10]) or 'none'}."
        )
    entry = tensors[name if name is not None else next(iter(tensors))]
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"its tensor is of type {entry['dtype']}; F16, F32 and F64 are read")
    dtype, shape = _DTYPES[entry["dtype"]], tuple(entry["shape"])
    begin, end = entry["data_offsets"]
    if begin < 0 or end - begin != dtype.itemsize * int(np.prod(shape, dtype=np.int64)):
        raise ValueError("its header does not fit its shape")
    if end == begin:
        return np.zeros(shape, dtype=dtype)
    return np.memmap(path, dtype, "r", 8 + length + begin, shape)
