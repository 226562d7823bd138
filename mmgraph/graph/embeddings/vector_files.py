"""Vectors with names on disk: npz, and the text format of word2vec."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.whole_file import whole_file

_FURTHER = "array "
"""What names of further arrays begin with in an npz file."""


class NamedVectors(NamedTuple):
    """One vector per name, and what was stored beside them: as JSON, and further arrays, which npz alone can hold."""

    names: list[Hashable]
    vectors: NDArray[np.float32]
    about: dict[str, Any]
    arrays: Mapping[str, NDArray[Any]] = MappingProxyType({})


def write_vectors(path: str | Path, named: NamedVectors) -> None:
    """Write a file whole or not at all: npz where the name ends so, else word2vec text.

    Raises:
        InputError: a name that the format cannot hold.
    """
    path = Path(path)
    with whole_file(path) as part, part.open("wb") as file:
        (_write_npz if path.suffix == ".npz" else _write_text)(file, named)


def read_vectors(path: str | Path) -> NamedVectors:
    """Read what `write_vectors` or word2vec wrote. In text all names are strings.

    Raises:
        InputError: the file does not hold what its name says.
    """
    path = Path(path)
    return _read_npz(path) if path.suffix == ".npz" else _read_text(path)


def _write_npz(file: IO[bytes], named: NamedVectors) -> None:
    for name in named.names:
        if not isinstance(name, str | int | float) or isinstance(name, np.generic):
            raise InputError(f"Expected node ids that are numbers or text in an npz file, but got {name!r}.")
    further: dict[str, Any] = {f"{_FURTHER}{name}": array for name, array in named.arrays.items()}
    np.savez(
        file,
        vectors=named.vectors,
        names=np.array(json.dumps(named.names)),
        about=np.array(json.dumps(named.about)),
        **further,
    )


def _read_npz(path: Path) -> NamedVectors:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            vectors, names = arrays["vectors"], json.loads(str(arrays["names"]))
            about = json.loads(str(arrays["about"]))
            further = {
                name.removeprefix(_FURTHER): arrays[name]
                for name in arrays.files
                if name.startswith(_FURTHER)
            }
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"Expected vectors written by mmgraph in {path}, but it cannot be read: {error}."
        ) from error
    if vectors.ndim != 2 or len(vectors) != len(names):
        raise InputError(
            f"Expected one vector per name in {path}, but it has {vectors.shape} and {len(names)}."
        )
    return NamedVectors(names, vectors.astype(np.float32), about, further)


def _write_text(file: IO[bytes], named: NamedVectors) -> None:
    file.write(f"{len(named.names)} {named.vectors.shape[1]}\n".encode())
    for name, vector in zip(named.names, named.vectors, strict=True):
        text = str(name)
        if not text or any(letter.isspace() for letter in text):
            raise InputError(
                f"Expected node ids without spaces in word2vec text, but got {text!r}: save as .npz."
            )
        # As few digits as give the same float32 again.
        file.write(f"{text} {' '.join(str(value) for value in vector)}\n".encode())


def _read_text(path: Path) -> NamedVectors:
    names: list[Hashable] = []
    vectors = np.empty((0, 0), np.float32)
    with path.open(encoding="utf-8") as file:
        size = _numbers(file.readline().split(), 2, int, path, 1)
        count, dim = int(size[0]), int(size[1])
        # Bounded by what the file can hold: two bytes per number.
        if count < 0 or dim < 1 or count * dim * 2 > path.stat().st_size:
            raise InputError(
                f"Expected a file of {count} vectors of {dim} numbers, but {path} is too short for that."
            )
        vectors = np.empty((count, dim), np.float32)
        for row in range(count):
            name, *numbers = file.readline().split() or [""]
            vectors[row] = _numbers(numbers, dim, float, path, row + 2)
            names.append(name)
    return NamedVectors(names, vectors, {})


def _numbers(words: Sequence[str], count: int, kind: type, path: Path, line: int) -> list[float]:
    try:
        numbers = [kind(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise InputError(f"Expected {count} numbers in line {line} of {path}, but they are not there.")
    return numbers
