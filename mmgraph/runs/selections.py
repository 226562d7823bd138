"""Selections of items that people named: a file of ids each, one a line, in the run folder."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmgraph.errors import ConfigError, InputError, RunReadOnlyError
from mmgraph.whole_file import whole_file

SELECTION_FOLDER = "selections"
LONGEST_NAME = 60

Ids = npt.NDArray[np.int64]


def write_selection(folder: Path | str, name: str, ids: Ids) -> Path:
    """Keep items under a name, in the place of what had that name; the file that was written.

    Raises:
        ConfigError: the name is empty, too long or not one line.
        RunReadOnlyError: the folder cannot be written to.
    """
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ConfigError(f"A selection has a name of 1 to {LONGEST_NAME} letters in one line, not {name!r}.")
    path = _path(Path(folder), name)
    try:
        path.parent.mkdir(exist_ok=True)
        with whole_file(path) as part:
            write_ids(part, ids)
    except OSError as error:
        raise RunReadOnlyError(
            f"The selection could not be kept in '{folder}' ({error.strerror})."
        ) from error
    return path


def selection_names(folder: Path | str) -> list[str]:
    """Names of the selections that are kept in a run folder."""
    files = (Path(folder) / SELECTION_FOLDER).glob("*.txt")
    return sorted(urllib.parse.unquote(file.stem) for file in files if file.name[0] != ".")


def read_selection(folder: Path | str, name: str) -> Ids:
    """The ids of a selection.

    Raises:
        InputError: there is none of that name, or its file does not hold whole numbers.
    """
    return read_ids(_path(Path(folder), name))


def delete_selection(folder: Path | str, name: str) -> None:
    """Forget a selection; nothing happens where there is none of that name."""
    _path(Path(folder), name).unlink(missing_ok=True)


def write_ids(path: Path, ids: Ids) -> None:
    """Write whole numbers, one a line."""
    path.write_text("".join(f"{number}\n" for number in ids.tolist()), encoding="ascii")


def read_ids(path: Path) -> Ids:
    """Whole numbers, one a line.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    try:
        return np.array([int(word) for word in path.read_text(encoding="ascii").split()], dtype=np.int64)
    except (OSError, ValueError) as error:
        raise InputError(f"'{path}' is not a list of whole numbers, one a line ({error}).") from error


def _path(folder: Path, name: str) -> Path:
    # Percent-encoded, so that every name has a file of its own; a leading dot would hide it.
    plain = urllib.parse.quote(name, safe=" ")
    return folder / SELECTION_FOLDER / f"{'%2E' + plain[1:] if plain.startswith('.') else plain}.txt"
