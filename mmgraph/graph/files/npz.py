"""npz: arrays in a zip, ours with everything a graph has, or a matrix as SciPy writes it. Never pickles.

    about             JSON: version, num_nodes, and which arrays are JSON themselves
    edge_index        (2, E)
    edge_weight       (E,) where there are weights
    node_ids          (N,) where nodes have names
    node.NAME, edge.NAME   attributes

What is not numbers is JSON in bytes.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.conversion import GraphParts, parts_of_scipy
from mmgraph.graph.files.opening import in_words

VERSION = 1
SCIPY_PARTS = {"csr": ("indices", "indptr"), "csc": ("indices", "indptr"), "coo": ("row", "col")}


def read_npz(path: Path, most: int | None) -> GraphParts:
    """The graph of an npz file.

    Raises:
        InputError: it is damaged, too large, holds pickles, or holds no graph.
    """
    arrays = _arrays(path, most)
    try:
        if "about" in arrays:
            return _own(arrays, path)
        if "format" in arrays and "shape" in arrays:
            return parts_of_scipy(_scipy(arrays))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"Expected a graph in {path}, but it cannot be read: {error}.") from error
    raise InputError(
        f"Expected a graph written by mmgraph or scipy.sparse.save_npz in {path}, but it holds {sorted(arrays)}."
    )


def write_npz(file: IO[bytes], graph: Adjacency) -> None:
    """Everything of a graph: edges in the order given, weights, ids and attributes.

    Raises:
        InputError: the weights need gradients, or an id or attribute that neither NumPy nor JSON can hold.
    """
    edge_index, weight = graph.to_edge_index()
    if weight is not None and weight.requires_grad:
        raise InputError(
            "Expected weights without gradients, but these need them: use adjacency.with_value(value.detach())."
        )
    arrays: dict[str, NDArray[Any]] = {"edge_index": edge_index.cpu().numpy()}
    if weight is not None:
        arrays["edge_weight"] = weight.cpu().numpy()
    if graph.node_ids is not None:
        arrays["node_ids"] = _ids(graph.node_ids)
    for what, attributes in (("node", graph.node_attributes), ("edge", graph.edge_attributes)):
        arrays |= {f"{what}.{name}": values for name, values in attributes.items()}
    texts = [name for name, values in arrays.items() if values.dtype == object]
    for name in texts:
        arrays[name] = _as_json(name, arrays[name])
    about = {"version": VERSION, "num_nodes": graph.num_nodes, "json": texts}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with zipfile.ZipFile(file, "w") as packed:
        for name, values in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            with packed.open(info, "w", force_zip64=True) as entry:
                npy.write_array(entry, np.ascontiguousarray(values), allow_pickle=False)


def _ids(names: Sequence[Any]) -> NDArray[Any]:
    if all(type(name) is int for name in names):
        try:
            return np.array(names, np.int64)
        except OverflowError:
            pass
    ids = np.empty(len(names), object)
    ids[:] = [None] * len(names)
    for i, name in enumerate(names):
        ids[i] = name
    return ids


def _as_json(name: str, values: NDArray[Any]) -> NDArray[Any]:
    for value in values.tolist():
        if value is not None and not isinstance(value, str | int | float | bool | list | dict):
            raise InputError(
                f"Expected numbers, text or lists of them in '{name}' of an npz file, but got {value!r}: pickles "
                f"can run code and are never written."
            )
    try:
        return np.frombuffer(json.dumps(values.tolist()).encode(), np.uint8)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Expected numbers, text or lists of them in '{name}' of an npz file: {error}."
        ) from error


def _own(arrays: dict[str, NDArray[Any]], path: Path) -> GraphParts:
    about = json.loads(arrays.pop("about").tobytes())
    if about["version"] > VERSION:
        raise InputError(
            f"{path} was written by a newer mmgraph: its version is {about['version']}, not {VERSION}."
        )
    if type(about["num_nodes"]) is not int:
        raise TypeError(f"num_nodes is {about['num_nodes']!r}")
    for name in about["json"]:
        values = json.loads(arrays[name].tobytes())
        arrays[name] = np.empty(len(values), object)
        for i, value in enumerate(values):
            arrays[name][i] = value
    weight, ids = arrays.get("edge_weight"), arrays.get("node_ids")
    return GraphParts(
        torch.from_numpy(arrays["edge_index"]),
        about["num_nodes"],
        None if weight is None else torch.from_numpy(weight),
        None if ids is None else ids.tolist(),
        *(
            {key[5:]: values for key, values in arrays.items() if key.startswith(f"{what}.")}
            for what in ("node", "edge")
        ),
    )


def _scipy(arrays: dict[str, NDArray[Any]]) -> Any:
    import scipy.sparse

    kind = arrays["format"].item().decode("ascii")
    if kind not in SCIPY_PARTS:
        raise ValueError(f"matrices of the kind '{kind}' are not supported, {', '.join(SCIPY_PARTS)} are")
    shape = tuple(arrays["shape"].tolist())
    first, second = (arrays[name] for name in SCIPY_PARTS[kind])
    if kind == "coo":
        return scipy.sparse.coo_array((arrays["data"], (first, second)), shape=shape)
    made = scipy.sparse.csr_array if kind == "csr" else scipy.sparse.csc_array
    matrix = made((arrays["data"], first, second), shape=shape)
    matrix.check_format(full_check=True)
    return matrix


def _arrays(path: Path, most: int | None) -> dict[str, NDArray[Any]]:
    """All arrays of a zip; sizes are checked before memory is taken for them."""
    arrays = {}
    try:
        with zipfile.ZipFile(path) as packed:
            total = sum(entry.file_size for entry in packed.infolist())
            if most is not None and total > most:
                raise InputError(
                    f"{path} unpacks to {in_words(total)}, more than the {in_words(most)} that fit into the memory "
                    f"budget: give a larger memory_budget."
                )
            for entry in packed.infolist():
                with packed.open(entry) as file:
                    arrays[entry.filename.removesuffix(".npy")] = _array(
                        io.BytesIO(file.read(entry.file_size))
                    )
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"Expected an npz file of arrays, but {path} cannot be read: {error}.") from error
    return arrays


def _array(file: io.BytesIO) -> NDArray[Any]:
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"arrays of version {version} are not known")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds pickles, which can run code when they are read")
    content = file.read()
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"an array of shape {shape} and {len(content)} bytes do not go together")
    flat = np.frombuffer(content, dtype).copy()
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
