"""Run folders as a whole: make, find, describe, delete."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from filelock import FileLock, Timeout

from mmgraph.errors import NotARunError, RunBusyError, RunDamagedError
from mmgraph.runs import schema


def runs_root(root: Path | str | None = None) -> Path:
    """The folder that holds runs: the one given, else `$MMGRAPH_RUNS`, else `runs` in the working folder."""
    return Path(root or os.environ.get("MMGRAPH_RUNS") or "runs")


def is_run(folder: Path | str) -> bool:
    """Whether a folder looks like a run."""
    return (Path(folder) / schema.DATABASE_FILE).is_file()


def find_runs(root: Path | str | None = None) -> list[Path]:
    """Run folders right below `root`, newest first; none when the folder is missing or cannot be read."""
    try:
        entries = [
            entry for entry in runs_root(root).iterdir() if not entry.name.startswith(".") and is_run(entry)
        ]
        return sorted(entries, key=_created, reverse=True)
    except OSError:
        return []


def new_run_name(recipe: str) -> str:
    """Name of a new run: what is trained, and when."""
    return f"{recipe}-{time.strftime('%Y%m%d-%H%M%S')}"


def create_folder(root: Path, name: str, config: Mapping[str, Any]) -> Path:
    """Make the run folder `root/name` (`name-2`, `name-3` … where taken), whole or not at all."""
    temporary = root / f".{name}.{os.getpid()}-{threading.get_ident()}.part"
    try:
        temporary.mkdir(parents=True)
        (temporary / schema.CONFIG_FILE).write_text(tomli_w.dumps(_without_none(config)), encoding="utf-8")
        _create_database(temporary / schema.DATABASE_FILE)
        return _move_to_free_name(temporary, root, name)
    except (OSError, sqlite3.OperationalError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise schema.write_failure(root, error) from error


def delete_run(folder: Path | str) -> None:
    """Delete a run folder and all that is in it.

    Raises:
        NotARunError: the folder holds no run; nothing is deleted.
        RunBusyError: a process is writing it; nothing is deleted.
    """
    folder = Path(folder)
    if not is_run(folder):
        raise NotARunError(f"'{folder}' is not a run folder, so it was not deleted.")
    lock = FileLock(folder / schema.LOCK_FILE, thread_local=False)
    try:
        with lock.acquire(timeout=0):
            shutil.rmtree(folder)
    except Timeout as error:
        raise RunBusyError(
            f"'{folder}' is being written by another process; stop it before you delete it."
        ) from error
    except OSError as error:
        raise schema.write_failure(folder, error) from error


def read_config(folder: Path | str) -> dict[str, Any]:
    """Read the config.toml of a run.

    Raises:
        RunDamagedError: it is missing or not TOML.
    """
    path = Path(folder) / schema.CONFIG_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RunDamagedError(f"'{path}' could not be read ({error}).") from error


def _created(folder: Path) -> tuple[float, str]:
    return (folder / schema.CONFIG_FILE).stat().st_mtime if (
        folder / schema.CONFIG_FILE
    ).exists() else 0.0, folder.name


def _create_database(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(schema.TABLES)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("schema", str(schema.SCHEMA_VERSION)), ("created", repr(time.time()))],
        )
    finally:
        connection.close()


def _move_to_free_name(temporary: Path, root: Path, name: str) -> Path:
    for number in range(1, 10_000):
        folder = root / (name if number == 1 else f"{name}-{number}")
        if folder.exists():
            continue
        try:
            temporary.rename(folder)
        except OSError:
            if folder.exists():
                continue  # somebody else took the name meanwhile
            raise
        return folder
    raise OSError(f"ten thousand runs are called {name}")


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(entry) for entry in value if entry is not None]
    if isinstance(value, Path):
        return str(value)
    return value
