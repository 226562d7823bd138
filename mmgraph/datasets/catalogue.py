"""Which data sets there are, and where their files lie on this machine.

A data set is one TOML manifest in `mmgraph/datasets/manifests`. Files are looked for in each folder of
`$MMGRAPH_DATA` (separated as in `$PATH`), then in the user's data folder, as `<root>/<folder>/<file>`.
Nothing here reads a data file, so listing the catalogue is fast; checksums are the business of `fetch`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from platformdirs import user_data_dir

from mmgraph.errors import ConfigError, DatasetMissingError, UnknownNameError

MANIFESTS: Traversable = files("mmgraph.datasets") / "manifests"
FORMATS: Mapping[str, Mapping[str, type]] = {
    "planetoid": {"features": bool, "normalize_features": bool},
    "matlab-network": {},
    "communities": {},
    "attributed-npz": {"normalize_features": bool},
    "karate": {},
    "friendships": {},
    "graph-text": {"node_features": str},
    "idx": {"split": str},
    "digits": {},
    "omniglot": {},
    "class-folders": {},
    "scored-faces": {},
    "paired-features": {},
    "text": {},
    "gestures": {},
    "moving-shapes": {},
    "ucf101": {},
    "spoken-digits": {},
    "captioned-photographs": {"side": int},
    "fine-detail": {},
}
"""What a manifest may name as its format, with the options that reading it takes."""


@dataclass(frozen=True)
class DataFile:
    """One file of a data set: its name inside the folder, what it must be, and where it comes from.

    `url` is empty where nobody offers the file as it is, so that it must be put into its place by hand.
    """

    path: str
    sha256: str
    bytes: int
    url: str
    part: str = ""


@dataclass(frozen=True)
class Manifest:
    """What is known of a data set before any file of it is read.

    `folder` is the folder below each root. `format` names the reader. `classes` are the names of the labels
    0, 1, …, empty where none are certain. `builtin` names the installed package that brings the data; such a
    set has no files.
    """

    name: str
    title: str
    task: str
    summary: str
    licence: str
    citation: str
    homepage: str
    format: str
    folder: str
    files: tuple[DataFile, ...] = ()
    classes: tuple[str, ...] = ()
    builtin: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files together, in bytes."""
        return sum(file.bytes for file in self.files)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts that can be fetched alone, such as 'train' and 'test'; empty if there are none."""
        return tuple(dict.fromkeys(file.part for file in self.files if file.part))

    def select(self, part: str | None = None) -> tuple[DataFile, ...]:
        """The files of one part, or of all of them.

        Raises:
            UnknownNameError: the data set has no such part.
        """
        if part is None:
            return self.files
        if part not in self.parts:
            raise UnknownNameError.of(f"part of data set '{self.name}'", part, self.parts)
        return tuple(file for file in self.files if file.part == part)


@dataclass(frozen=True)
class Location:
    """A folder that holds files of a data set, judged by their names and sizes alone."""

    manifest: Manifest
    folder: Path
    present: tuple[DataFile, ...] = ()
    missing: tuple[DataFile, ...] = ()
    wrong_size: tuple[DataFile, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every file is here and of the right size."""
        return not self.missing and not self.wrong_size


def names() -> tuple[str, ...]:
    """Names of all data sets, in alphabetical order."""
    return tuple(sorted(entry.name[:-5] for entry in MANIFESTS.iterdir() if entry.name.endswith(".toml")))


def manifest(name: str) -> Manifest:
    """The manifest of one data set.

    Raises:
        UnknownNameError: there is no data set of that name.
        ConfigError: the manifest breaks a rule of docs/datasets.md.
    """
    known = names()
    if name not in known:
        raise UnknownNameError.of("data set", name, known)
    text = (MANIFESTS / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return _parse(name, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise ConfigError(f"The manifest of data set '{name}' cannot be used: {error}.") from error


def roots() -> tuple[Path, ...]:
    """The folders that are searched, in order: those of `$MMGRAPH_DATA`, then the user's data folder."""
    given = os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)
    return (*(Path(root).expanduser().absolute() for root in given if root), user_root())


def user_root() -> Path:
    """The user's data folder, the only one that anything is ever written into."""
    return Path(user_data_dir("mmgraph", appauthor=False), "datasets")


def locate(name: str, part: str | None = None) -> Location | None:
    """The first folder that holds the whole data set, else the one that holds most of it, else None.

    Args:
        name: data set.
        part: look only for the files of this part.

    Raises:
        UnknownNameError: there is no data set or part of that name.
        DatasetMissingError: the package that brings a built-in data set is not installed.
    """
    found = manifest(name)
    if found.builtin:
        return Location(found, builtin_folder(found))
    wanted = found.select(part)
    best: Location | None = None
    for root in roots():
        here = _look_in(root / found.folder, found, wanted)
        if here.complete:
            return here
        if len(here.missing) < (len(best.missing) if best else len(wanted)):
            best = here
    return best


def status(name: str) -> str:
    """Where a data set stands, in words: ready, damaged, incomplete, or to be downloaded."""
    here = locate(name)
    if here is None:
        return f"not here; {_megabytes(manifest(name).bytes)} to download"
    if here.manifest.builtin:
        return f"comes with {here.manifest.builtin}"
    if here.wrong_size:
        file = here.wrong_size[0]
        found = (here.folder / file.path).stat().st_size
        return f"damaged: {here.folder / file.path} has {found:,} bytes instead of {file.bytes:,}"
    if here.missing:
        count, total = len(here.present), len(here.manifest.files)
        absent = ", ".join(file.path for file in here.missing)
        return f"{count} of {total} files in {here.folder}; missing: {absent}"
    return f"ready in {here.folder}"


def builtin_folder(found: Manifest) -> Path:
    """Folder of the installed package that brings a built-in data set.

    Raises:
        DatasetMissingError: the package is not installed.
    """
    # find_spec does not import the package: scikit-learn alone takes a second.
    spec = find_spec(found.builtin.replace("scikit-learn", "sklearn"))
    if spec is None or spec.origin is None:
        raise DatasetMissingError(
            f"Data set '{found.name}' comes with {found.builtin}, which is not installed. "
            f"Install it with: pip install {found.builtin}"
        )
    return Path(spec.origin).parent


def _look_in(folder: Path, found: Manifest, wanted: tuple[DataFile, ...]) -> Location:
    present: list[DataFile] = []
    missing: list[DataFile] = []
    wrong_size: list[DataFile] = []
    for file in wanted:
        path = folder / file.path
        # os.path.isfile answers False where Path.is_file raises, for example in a folder we may not enter.
        if not os.path.isfile(path):
            missing.append(file)
        elif path.stat().st_size != file.bytes:
            wrong_size.append(file)
        else:
            present.append(file)
    return Location(found, folder, tuple(present), tuple(missing), tuple(wrong_size))


def _parse(name: str, table: dict[str, Any]) -> Manifest:
    entries = table.pop("files", [])
    found = Manifest(
        name=name,
        folder=table.pop("folder", name),
        classes=tuple(table.pop("classes", ())),
        files=tuple(DataFile(**entry) for entry in entries),
        **table,
    )
    if found.format not in FORMATS:
        raise ValueError(f"format is '{found.format}', known are {', '.join(FORMATS)}")
    if bool(found.files) == bool(found.builtin):
        raise ValueError("it needs either files or builtin, the name of a package")
    if found.folder in ("", ".", "..") or PurePosixPath(found.folder).name != found.folder:
        raise ValueError(f"folder is '{found.folder}', not the name of one folder")
    for file in found.files:
        where = PurePosixPath(file.path)
        if where.is_absolute() or ".." in where.parts:
            raise ValueError(f"path '{file.path}' leads out of the folder of the data set")
        if not re.fullmatch("[0-9a-f]{64}", file.sha256):
            raise ValueError(f"sha256 of '{file.path}' is not 64 lower-case hexadecimal digits")
        if file.bytes <= 0:
            raise ValueError(f"bytes of '{file.path}' is {file.bytes}, not a positive number")
        if file.url and not file.url.startswith(("https://", "http://")):
            raise ValueError(f"url of '{file.path}' does not start with https:// or http://")
    return found


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
