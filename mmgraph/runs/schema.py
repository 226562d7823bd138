"""The tables of `run.db`. docs/run-folder.md explains every column; change both together."""

from __future__ import annotations

from pathlib import Path

from mmgraph.errors import RunError, RunReadOnlyError

SCHEMA_VERSION = 1

CONFIG_FILE = "config.toml"
DATABASE_FILE = "run.db"
NOTES_FILE = "notes.toml"
LOCK_FILE = "writer.lock"
SNAPSHOT_FOLDER = "snapshots"
ITEM_FOLDER = "items"
CHECKPOINT_FOLDER = "checkpoints"

RUNNING_STATES = ("running", "paused")
FINAL_STATES = ("finished", "stopped", "failed")
LEVELS = ("info", "warning", "error")

# NaN cannot be stored in SQLite: a NULL value means NaN. Infinities are stored as they are.
# A resumed run starts a new session; what an earlier session recorded after the step it resumes
# from stays in the tables, and the views leave it out.
TABLES = """
BEGIN;
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
    pid INTEGER, host TEXT, heartbeat REAL NOT NULL, device_memory INTEGER
);
CREATE VIEW scalars AS
    SELECT r.step, r.epoch, r.wall_time, t.tag, r.value
    FROM scalar_rows r JOIN tags t ON t.id = r.tag
    WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id > r.session AND s.start_step < r.step);
CREATE VIEW snapshots AS
    SELECT r.* FROM snapshot_rows r
    WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id > r.session AND s.start_step < r.step);
COMMIT;
"""

_READ_ONLY = (
    "readonly database",
    "unable to open database file",
    "Read-only file system",
    "Permission denied",
    "Operation not permitted",
)
_FULL = ("database or disk is full", "No space left on device", "Disk quota exceeded")


def write_failure(folder: Path, error: BaseException) -> RunError:
    """What to tell somebody when writing to a run failed."""
    if isinstance(error, RunError):
        return error
    text = str(error)
    if isinstance(error, PermissionError) or any(phrase in text for phrase in _READ_ONLY):
        return RunReadOnlyError(
            f"'{folder}' cannot be written to ({text}). Give a folder of your own with --runs, "
            "or change its permissions."
        )
    if any(phrase in text for phrase in _FULL):
        return RunError(
            f"The disk that holds '{folder}' is full ({text}). What was recorded before is kept; "
            "free some space and resume the run."
        )
    return RunError(f"'{folder}' could not be written ({text}). What was recorded before is kept.")
