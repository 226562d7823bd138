"""Run folders as a whole: make, find, describe, delete."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from filelock import FileLock, Timeout

from mmgraph.errors import ConfigError, NotARunError, RunBusyError, RunDamagedError, RunSchemaError
from mmgraph.runs import schema
from mmgraph.runs.connection import Reading


def runs_root(root: Path | str | None = None) -> Path:
    """The folder that holds runs: the one given, else `$MMGRAPH_RUNS`, else `runs` in the working folder."""
    return Path(root or os.environ.get("MMGRAPH_RUNS") or "runs")


def is_run(folder: Path | str) -> bool:
    """Whether a folder looks like a run."""
    try:
        return (Path(folder) / schema.DATABASE_FILE).is_file()
    except OSError:  # a folder of somebody else
        return False


def find_runs(root: Path | str | None = None) -> list[Path]:
    """Run folders right below `root`, newest first; none when the folder is missing or cannot be read."""
    try:
        entries = [entry for entry in runs_root(root).iterdir() if not entry.name.startswith(".")]
    except OSError:
        return []
    return sorted((entry for entry in entries if is_run(entry)), key=_created, reverse=True)


def new_run_name(recipe: str) -> str:
    """Name of a new run: what is trained, and when."""
    return f"{recipe}-{time.strftime('%Y%m%d-%H%M%S')}"


def create_folder(root: Path, name: str, config: Mapping[str, Any]) -> Path:
    """Make the run folder `root/name` (`name-2`, `name-3` … where taken), whole or not at all."""
    if not name or name.startswith(".") or Path(name).name != name or "\\" in name or "\0" in name:
        raise ConfigError(f"The name of a run is the name of one folder that is not hidden, not '{name}'.")
    try:
        described = tomli_w.dumps(_without_none(config)).encode()
    except (TypeError, UnicodeEncodeError) as error:
        raise ConfigError(
            f"The configuration of a run must fit into TOML, and this does not ({error})."
        ) from error
    temporary = root / f".{name}.{os.getpid()}-{threading.get_ident()}.part"
    try:
        temporary.mkdir(parents=True)
        (temporary / schema.CONFIG_FILE).write_bytes(described)
        _create_database(temporary / schema.DATABASE_FILE)
        return _move_to_free_name(temporary, root, name)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise schema.write_failure(root, error) from error


def lock_folder(folder: Path) -> FileLock:
    """The lock that a process holds while it writes a run; may be released by any of its threads.

    Raises:
        RunBusyError: another process, or another writer of this one, holds it.
        RunReadOnlyError: the folder cannot be written to.
    """
    lock = FileLock(folder / schema.LOCK_FILE, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunBusyError(
            f"Another process is writing the run '{folder}'. Stop it first "
            f"('mmgraph runs send {folder} stop'), or start a new run."
        ) from error
    except (OSError, NotImplementedError) as error:
        raise schema.write_failure(folder, error) from error
    return lock


def delete_run(folder: Path | str, *, remove: Callable[[Path], None] = shutil.rmtree) -> None:
    """Delete a run folder and all that is in it.

    Args:
        remove: what takes the folder away; another may put it into a trash.

    Raises:
        NotARunError: the folder holds no run; nothing is deleted.
        RunBusyError: a process is writing it; nothing is deleted.
    """
    folder = Path(folder)
    try:
        Reading(folder).close()
    except NotARunError as error:
        raise NotARunError(f"'{folder}' is not a run folder, so it was not deleted.") from error
    except RunSchemaError:
        pass  # of a newer mmgraph, but a run
    except RunDamagedError:
        if not (folder / schema.CONFIG_FILE).is_file():
            raise
    lock = lock_folder(folder)
    try:
        remove(folder)
    except OSError as error:
        raise schema.write_failure(folder, error) from error
    finally:
        lock.release()


def read_config(folder: Path | str) -> dict[str, Any]:
    """Read the config.toml of a run.

    Raises:
        RunDamagedError: it is missing or not TOML.
    """
    path = Path(folder) / schema.CONFIG_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RunDamagedError(
            f"'{path}' could not be read ({error}). With an empty file in its place the rest of the run opens."
        ) from error


def _created(folder: Path) -> tuple[float, str]:
    try:
        return (folder / schema.CONFIG_FILE).stat().st_mtime, folder.name
    except OSError:
        return 0.0, folder.name


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
