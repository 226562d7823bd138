"""Opening `run.db`: to write, to read beside the writer, and to read where SQLite cannot share memory."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

from mmgraph.errors import NotARunError, RunDamagedError, RunError, RunSchemaError
from mmgraph.runs.schema import DATABASE_FILE, SCHEMA_VERSION, SNAPSHOT_FOLDER, write_failure

_WAIT_SECONDS = 30.0
_COPY_ATTEMPTS = 5
_MOUNTS = Path("/proc/self/mountinfo")
# What one machine maps into memory here, another does not see: write-ahead logs need one machine.
_NETWORK = re.compile(r"nfs|cifs|smb|9p|afs|ceph|lustre|gpfs|beegfs|glusterfs|virtiofs|vboxsf|fuse\.")


def open_to_write(folder: Path) -> sqlite3.Connection:
    """Connection in autocommit mode that may write.

    Raises:
        NotARunError, RunSchemaError, RunDamagedError: as `open_to_read`.
        RunReadOnlyError: the folder cannot be written to.
    """
    path = _existing(folder)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_WAIT_SECONDS)
    try:
        _check(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        raise write_failure(folder, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def make_durable(connection: sqlite3.Connection, folder: Path) -> None:
    """Commits survive the death of the process and do not block readers, as far as the file system allows it."""
    connection.execute(f"PRAGMA journal_mode = {'WAL' if is_on_this_machine(folder) else 'DELETE'}")
    connection.execute("PRAGMA synchronous = NORMAL")


class Reading:
    """A read-only connection. Where SQLite cannot read beside the writer (read-only medium with a log,
    network file system), the connection is to a copy in memory, which `refresh` renews when the file changed.
    A file that another one has taken the place of, as programs that synchronise folders do it, is opened anew.

    Raises:
        NotARunError: there is no `run.db`, or it is not one of ours.
        RunSchemaError: a newer mmgraph wrote it.
        RunDamagedError: the file is not a readable SQLite database.
    """

    def __init__(self, folder: Path) -> None:
        self.path = _existing(folder)
        self._copied: tuple[object, ...] | None = None
        self._identity: tuple[int, int] | None = None
        self.connection = self._open()

    def refresh(self) -> None:
        """Take in what was written since; nothing to do where SQLite reads the file itself."""
        replaced = self._copied is None and _identity(self.path) not in (None, self._identity)
        if replaced or (self._copied is not None and self._copied != _stamp(self.path)):
            renewed = self._open()
            self.connection.close()
            self.connection = renewed

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def _open(self) -> sqlite3.Connection:
        self._identity = _identity(self.path)
        connection = None if _is_remote_log(self.path) else _beside_writer(self.path)
        if connection is None:
            self._copied = _stamp(self.path)
            connection = _copy(self.path)
        try:
            _check(connection, self.path)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise RunDamagedError(f"'{self.path}' could not be read ({error}).") from error
            raise
        return connection


def is_on_this_machine(folder: Path) -> bool:
    """Whether the file system of a folder is one whose memory maps all its users share; True where unknown."""
    try:
        target = folder.resolve()
        mounts = [line.split(" - ") for line in _MOUNTS.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return True
    longest, kind = -1, ""
    for left, right in (mount for mount in mounts if len(mount) == 2):
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), left.split(" ")[4]))
        if len(point.parts) >= longest and target.is_relative_to(point):
            longest, kind = len(point.parts), right.split(" ")[0]
    return _NETWORK.match(kind) is None


def _existing(folder: Path) -> Path:
    path = folder / DATABASE_FILE
    try:
        if path.is_file():
            return path
    except OSError as error:
        raise NotARunError(f"'{folder}' cannot be looked into ({error}).") from error
    raise NotARunError(
        f"'{folder}' is not a run folder: it holds no {DATABASE_FILE}. "
        "Give the folder of one run, as printed by 'mmgraph runs list'."
    )


def _check(connection: sqlite3.Connection, path: Path) -> None:
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "no such column" in str(error):
            raise NotARunError(f"'{path}' is a database, but not of an mmgraph run.") from error
        raise
    except sqlite3.DatabaseError as error:
        raise RunDamagedError(
            f"'{path}' is damaged: SQLite says '{error}'. The arrays under {SNAPSHOT_FOLDER}/ can still be "
            "read one by one; copy the folder before you try to repair it."
        ) from error
    text = str(row[0]) if row else "unknown"
    if not text.isdecimal() or int(text) > SCHEMA_VERSION:
        raise RunSchemaError(
            f"'{path.parent}' has run-folder schema {text}, and this mmgraph reads up to {SCHEMA_VERSION}. "
            "Update mmgraph to open it."
        )


def _beside_writer(path: Path) -> sqlite3.Connection | None:
    address = f"{path.resolve().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(
            address, uri=True, isolation_level=None, check_same_thread=False, timeout=_WAIT_SECONDS
        )
    except sqlite3.OperationalError:  # deleted since it was seen, or not ours to read
        return None
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # no shared memory, or a journal that has to be played back
        connection.close()
        return None
    except sqlite3.DatabaseError:
        pass  # damaged: the check that follows says so
    return connection


def _is_remote_log(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(20)[18:] == b"\x02\x02" and not is_on_this_machine(path.parent)
    return False


def _copy(path: Path) -> sqlite3.Connection:
    """A copy in memory of the database and its log.

    The database may be copied in the middle of a checkpoint: as long as the log was not begun anew
    meanwhile, it holds all that the checkpoint moves, and overrides it.
    """
    try:
        for _ in range(_COPY_ATTEMPTS):
            before = _log_generation(path)
            with tempfile.TemporaryDirectory(prefix="mmgraph-") as folder:
                copy = Path(folder, path.name)
                for suffix in ("", "-wal", "-journal"):
                    with contextlib.suppress(FileNotFoundError):
                        shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
                if _log_generation(path) == before:
                    return _into_memory(copy)
    except (OSError, sqlite3.Error) as error:
        raise RunDamagedError(f"'{path}' could not be read ({error}).") from error
    raise RunError(
        f"'{path}' changed whenever it was copied to be read; try again when less is being recorded."
    )


def _into_memory(path: Path) -> sqlite3.Connection:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as source:
        source.execute("PRAGMA journal_mode = DELETE")
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        source.backup(memory)
    return memory


def _log_generation(path: Path) -> object:
    try:
        with Path(f"{path}-wal").open("rb") as file:
            header = file.read(32)
    except FileNotFoundError:
        header = b""
    return header or _stamp(path)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is; None where it is gone for the moment."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _stamp(path: Path) -> tuple[object, ...]:
    parts: list[object] = []
    for suffix in ("", "-wal"):
        with contextlib.suppress(OSError):
            stat = Path(f"{path}{suffix}").stat()
            parts.append((suffix, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(parts)
