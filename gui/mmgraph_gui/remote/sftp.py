"""Copying runs with sftp: what is there is listed, and what is new or has changed is fetched. No Qt."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mmgraph.errors import RunError

DATABASES = ("run.db", "run.db-wal")
TEXTS = ("config.toml", "notes.toml")
FOLDERS = ("snapshots", "items")
LIVELY_SECONDS = 90.0
"""Listings tell the time in minutes: a database that has changed lately is fetched again until it has been quiet."""

Listing = dict[str, tuple[str, str, bool]]
"""Name: size, time as it was written, and whether it is a folder."""


class SftpCopy:
    """Copies a run or a folder of runs.

    Args:
        path: the folder over there.
        batch: has sftp do these commands and gives what it says.
    """

    def __init__(self, path: str, batch: Callable[[Sequence[str]], str]) -> None:
        self._path, self._batch = path, batch
        self._seen: dict[Path, tuple[tuple[str, str], float]] = {}
        self._runs: dict[str, Listing] = {}

    def databases(self, to: Path) -> None:
        """Bring `run.db` of every run, and its log; what is gone there goes here."""
        self._look()
        wanted: list[tuple[str, Path, tuple[str, str]]] = []
        for run, listing in self._runs.items():
            for name in DATABASES:
                if name in listing:
                    wanted.append((_join(self._path, run, name), to / run / name, listing[name][:2]))
                else:
                    (to / run / name).unlink(missing_ok=True)
        self._fetch(wanted, lively=True)
        if "" not in self._runs:
            for folder in to.glob("*/"):
                if folder.name not in self._runs:
                    shutil.rmtree(folder, ignore_errors=True)

    def files(self, to: Path) -> None:
        """Bring all else that the window reads of them."""
        places = [
            (run, folder)
            for run, listing in self._runs.items()
            for folder in FOLDERS
            if folder in listing and listing[folder][2]
        ]
        listings = self._list([_join(self._path, run, folder) for run, folder in places])
        wanted = [
            (_join(self._path, run, name), to / run / name, listing[name][:2])
            for run, listing in self._runs.items()
            for name in TEXTS
            if name in listing
        ]
        for (run, folder), listing in zip(places, listings, strict=True):
            wanted += [
                (_join(self._path, run, folder, name), to / run / folder / name, entry[:2])
                for name, entry in listing.items()
                if name.endswith(".safetensors") and not name.startswith(".") and not entry[2]
            ]
        for run, listing in self._runs.items():
            for name in TEXTS:
                if name not in listing:
                    (to / run / name).unlink(missing_ok=True)
        self._fetch(wanted, lively=False)

    def _look(self) -> None:
        """Find the runs: the folder itself, or those right below it."""
        (listing,) = self._list([self._path], must=True)
        if "run.db" in listing:
            self._runs = {"": listing}
            return
        names = [name for name, entry in listing.items() if entry[2] and not name.startswith(".")]
        found = zip(names, self._list([_join(self._path, name) for name in names]), strict=True)
        self._runs = {name: inside for name, inside in found if "run.db" in inside}

    def _list(self, paths: Sequence[str], *, must: bool = False) -> list[Listing]:
        """What is in each folder; nothing where it is gone, unless it must be there."""
        if not paths:
            return []
        sign = "" if must else "-"
        text = self._batch([f"{sign}ls -ln {_quoted(path)}" for path in paths])
        found: list[Listing] = []
        for line in text.splitlines():
            if line.startswith("sftp> "):
                found.append({})
            elif found and len(parts := line.split(None, 8)) == 9 and parts[0][0] in "-d":
                name = parts[8].rpartition("/")[2]
                found[-1][name] = parts[4], " ".join(parts[5:8]), parts[0][0] == "d"
        if len(found) != len(paths):
            raise RunError(f"'{self._path}' could not be listed: sftp answered something unexpected.")
        return found

    def _fetch(self, wanted: Sequence[tuple[str, Path, tuple[str, str]]], *, lively: bool) -> None:
        now = time.monotonic()
        due: list[tuple[str, Path, Path]] = []
        for there, here, state in wanted:
            known, since = self._seen.get(here, (None, 0.0))
            if known != state:
                self._seen[here] = state, now
            if known != state or (lively and now - since < LIVELY_SECONDS) or not here.exists():
                here.parent.mkdir(parents=True, exist_ok=True)
                due.append((there, here, here.with_name(f".{here.name}.part")))
        if due:
            self._batch([f"-get {_quoted(there)} {_quoted(str(part))}" for there, _, part in due])
        for _, here, part in due:
            if part.exists():
                part.replace(here)


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _quoted(path: str) -> str:
    """As sftp reads it: within quotes only these two have a meaning."""
    for special in '\\"':
        path = path.replace(special, f"\\{special}")
    return f'"{path}"'
