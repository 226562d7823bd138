"""Read pickles of arrays written by others without running anything they name.

A pickle names the callables that rebuild it, so a hostile one can run any code. Here every name is looked up
in a list of stand-ins that only collect their arguments; NumPy and SciPy see nothing before it is checked.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from mmgraph.errors import DatasetCorruptError, DatasetMissingError

MAX_ROWS = 1 << 28
"""Of a sparse matrix."""
ONE_OBJECT = "O8"


def read_pickle(path: Path) -> object:
    """Content of a pickle that holds numeric arrays, sparse matrices, containers, numbers and text only.

    Arrays come back as `numpy.ndarray`, CSR matrices as `scipy.sparse.csr_matrix` with checked indices,
    default dictionaries as `dict`. Files written by Python 2 are read too.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: it is no pickle, is truncated, or names anything that is not on the list.
    """
    try:
        # From memory, because a file allocates as much as it is asked for, however short it is.
        content = path.read_bytes()
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
    return unpickled(content, path)


def unpickled(content: bytes, path: Path) -> object:
    """What a pickle that was read from a file holds; as `read_pickle`.

    Raises:
        DatasetCorruptError: as for `read_pickle`.
    """
    try:
        return _finish(_InertUnpickler(io.BytesIO(content), encoding="latin1").load())
    except Exception as error:
        # A damaged pickle can raise almost anything: KeyError, struct.error, UnicodeDecodeError, MemoryError …
        raise DatasetCorruptError(
            f"{path} is not a pickle of arrays: {type(error).__name__}: {error}. Fetch it again."
        ) from error


class _Array:
    """Stands in for numpy.ndarray while unpickling."""

    def __setstate__(self, state: tuple[int, tuple[int, ...], _DType, bool, Any]) -> None:
        _, self.shape, self.dtype, self.column_major, content = state
        # Python 2 wrote bytes as a string, which arrives here decoded as latin1.
        self.content = content.encode("latin1") if isinstance(content, str) else content

    def finish(self) -> object:
        if self.dtype.code == ONE_OBJECT:
            if self.shape != () or not isinstance(self.content, list) or len(self.content) != 1:
                raise pickle.UnpicklingError(
                    "it holds an array of objects; only one without dimensions is read"
                )
            return _finish(self.content[0])
        flat = np.frombuffer(self.content, dtype=self.dtype.finish())
        return flat.reshape(self.shape, order="F" if self.column_major else "C")


class _DType:
    """Stands in for numpy.dtype: numbers and truth values, or the one object that npz files wrap a matrix in."""

    def __init__(self, code: str, *_copy_flags: object) -> None:
        if code != ONE_OBJECT and not re.fullmatch("[biuf][1248]", code):
            raise pickle.UnpicklingError(f"it holds elements of type '{code}'; only numbers are read")
        self.code = code
        self.byte_order = "="

    def __setstate__(self, state: tuple[int, str]) -> None:
        if state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"it holds elements in byte order '{state[1]}'")
        self.byte_order = state[1]

    def finish(self) -> np.dtype[Any]:
        return np.dtype(self.byte_order + self.code)


class _SparseRows:
    """Stands in for scipy.sparse.csr_matrix."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    def finish(self) -> sparse.csr_matrix[Any]:
        data, indices, indptr = (self.state[key].finish() for key in ("data", "indices", "indptr"))
        rows, columns = self.state["_shape"]
        if max(rows, columns) > MAX_ROWS:
            raise pickle.UnpicklingError(f"it holds a {rows:,} × {columns:,} matrix; too large to be read")
        matrix: sparse.csr_matrix[Any] = sparse.csr_matrix((data, indices, indptr), shape=(rows, columns))
        matrix.check_format(full_check=True)
        return matrix


class _Name:
    """Stands in for a type that is only ever an argument."""


def _empty_array(*_type_shape_code: object) -> _Array:
    return _Array()


def _empty_dict(*_default: object) -> dict[object, object]:
    return {}


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as '{encoding}'")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _Name,
    ("numpy", "dtype"): _DType,
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("scipy.sparse.csr", "csr_matrix"): _SparseRows,
    ("scipy.sparse._csr", "csr_matrix"): _SparseRows,
    ("collections", "defaultdict"): _empty_dict,
    ("__builtin__", "list"): _Name,
    ("builtins", "list"): _Name,
    ("_codecs", "encode"): _encode,
}


class _InertUnpickler(pickle._Unpickler):
    # The unpickler in Python, not the one in C: there, ten bytes that name a high place in the memo
    # allocate gigabytes.
    def find_class(self, module: str, name: str) -> Callable[..., object]:
        stand_in = _STAND_INS.get((module, name))
        if stand_in is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which data has no need of")
        return stand_in

    def persistent_load(self, pid: object) -> object:
        raise pickle.UnpicklingError("it refers to an object outside the file")


def _finish(value: object) -> object:
    return value.finish() if isinstance(value, _Array | _SparseRows) else value
