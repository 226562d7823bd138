"""The tables of `run.db`. docs/run-folder.md explains every column; change both together."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mmgraph.errors import (
    NotARunError,
    RunDamagedError,
    RunError,
    RunReadOnlyError,
    RunSchemaError,
)

SCHEMA_VERSION = 1

CONFIG_FILE = "config.toml"
DATABASE_FILE = "run.db"
LOCK_FILE = "writer.lock"
SNAPSHOT_FOLDER = "snapshots"
ITEM_FOLDER = "items"
CHECKPOINT_FOLDER = "checkpoints"

RUNNING_STATES = ("running", "paused")
FINAL_STATES = ("finished", "stopped", "failed")

# NaN cannot be stored in SQLite: a NULL value means NaN. Infinities are stored as they are.
# A resumed run starts a new session; what an earlier session recorded after the step it resumes
# from stays in the tables, and the views leave it out.
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, start_step INTEGER NOT NULL, wall_time REAL NOT NULL, pid INTEGER, host TEXT
);
CREATE TABLE tags (id INTEGER PRIMARY KEY, tag TEXT NOT NULL UNIQUE);
CREATE TABLE scalar_rows (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, step INTEGER NOT NULL, epoch REAL,
    wall_time REAL NOT NULL, tag INTEGER NOT NULL REFERENCES tags(id), value REAL
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, step INTEGER, wall_time REAL NOT NULL,
    level TEXT NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL
);
CREATE TABLE snapshot_rows (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, step INTEGER NOT NULL, epoch REAL,
    wall_time REAL NOT NULL, kind TEXT NOT NULL, layer TEXT NOT NULL, axes TEXT NOT NULL,
    shape TEXT NOT NULL, dtype TEXT NOT NULL, file TEXT NOT NULL, items TEXT, bytes INTEGER NOT NULL
);
CREATE TABLE commands (
    id INTEGER PRIMARY KEY, wall_time REAL NOT NULL, name TEXT NOT NULL, argument REAL,
    answered_at REAL, answered_step INTEGER, answer TEXT
);
CREATE TABLE status (
    id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '',
    step INTEGER NOT NULL DEFAULT 0, epoch REAL NOT NULL DEFAULT 0, total_steps INTEGER,
    seconds REAL NOT NULL DEFAULT 0, seconds_left REAL, steps_per_second REAL, learning_rate REAL,
    dropped INTEGER NOT NULL DEFAULT 0, metrics TEXT NOT NULL DEFAULT '{}',
    pid INTEGER, host TEXT, heartbeat REAL NOT NULL
);
CREATE VIEW scalars AS
    SELECT r.step, r.epoch, r.wall_time, t.tag, r.value
    FROM scalar_rows r JOIN tags t ON t.id = r.tag
    WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id > r.session AND s.start_step < r.step);
CREATE VIEW snapshots AS
    SELECT r.* FROM snapshot_rows r
    WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id > r.session AND s.start_step < r.step);
"""


def connect(folder: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open `run.db` of a run folder and check that this mmgraph can read it.

    Raises:
        NotARunError: there is no `run.db`, or it is not one of ours.
        RunSchemaError: a newer mmgraph wrote it.
        RunDamagedError: the file is not a readable SQLite database.
    """
    path = folder / DATABASE_FILE
    if not path.is_file():
        raise NotARunError(
            f"'{folder}' is not a run folder: it holds no {DATABASE_FILE}. "
            "Give the folder of one run, as printed by 'mmgraph runs list'."
        )
    if not read_only:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    else:
        connection = _connect_read_only(path)
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if "no such table" in str(error):
            raise NotARunError(f"'{path}' is a database, but not of an mmgraph run.") from error
        raise RunDamagedError(f"'{path}' could not be read ({error}).") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise RunDamagedError(
            f"'{path}' is damaged: SQLite says '{error}'. The arrays under {SNAPSHOT_FOLDER}/ can still be "
            "read one by one; copy the folder before you try to repair it."
        ) from error
    version = int(row[0]) if row and str(row[0]).isdigit() else None
    if version is None or version > SCHEMA_VERSION:
        connection.close()
        raise RunSchemaError(
            f"'{folder}' has run-folder schema {row[0] if row else 'unknown'}, and this mmgraph reads up to "
            f"{SCHEMA_VERSION}. Update mmgraph to open it."
        )
    return connection


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Read-only connection; on a medium that cannot hold SQLite's shared memory the file is taken as it is."""
    uri = path.resolve().as_uri()
    connection = sqlite3.connect(
        f"{uri}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=30
    )
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        connection = sqlite3.connect(
            f"{uri}?mode=ro&immutable=1", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.DatabaseError:
        pass  # damaged: the first real query says so
    return connection


def write_failure(folder: Path, error: BaseException) -> RunError:
    """What to tell somebody when writing to a run failed."""
    if isinstance(error, RunError):
        return error
    text = str(error)
    if "readonly" in text or "read-only" in text.lower() or isinstance(error, PermissionError):
        return RunReadOnlyError(
            f"'{folder}' cannot be written to ({text}). Give a folder of your own with --runs, "
            "or change its permissions."
        )
    if "full" in text or "No space left" in text:
        return RunError(
            f"The disk that holds '{folder}' is full ({text}). What was recorded before is kept; "
            "free some space and resume the run."
        )
    return RunError(f"'{folder}' could not be written ({text}). What was recorded before is kept.")
