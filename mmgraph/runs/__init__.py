"""The run folder: all that training and those who watch it share. NumPy only; docs/run-folder.md has the format."""

from mmgraph.runs.commands import COMMANDS, Command, send_command
from mmgraph.runs.description import describe
from mmgraph.runs.differences import differences
from mmgraph.runs.finding import find_items
from mmgraph.runs.folder import delete_run, find_runs, is_run, new_run_name, read_config, runs_root
from mmgraph.runs.items import ItemSet
from mmgraph.runs.notes import RunNotes, read_notes, write_notes
from mmgraph.runs.reader import RunReader
from mmgraph.runs.recordings import Recordings
from mmgraph.runs.records import Cursor, Event, Outline, Series, Status, Update
from mmgraph.runs.schema import SCHEMA_VERSION
from mmgraph.runs.snapshot import KIND_AXES, Snapshot, SnapshotInfo
from mmgraph.runs.stored_snapshot import StoredSnapshot
from mmgraph.runs.structure import Connection, Layer, Structure, read_structure
from mmgraph.runs.summary import (
    RunSummary,
    chief_curve,
    chief_score,
    lower_is_better,
    summarise,
    summary_of,
)
from mmgraph.runs.throttle import Throttle
from mmgraph.runs.writer import RunWriter

__all__ = [
    "COMMANDS",
    "KIND_AXES",
    "SCHEMA_VERSION",
    "Command",
    "Connection",
    "Cursor",
    "Event",
    "ItemSet",
    "Layer",
    "Outline",
    "Recordings",
    "RunNotes",
    "RunReader",
    "RunSummary",
    "RunWriter",
    "Series",
    "Snapshot",
    "SnapshotInfo",
    "Status",
    "StoredSnapshot",
    "Structure",
    "Throttle",
    "Update",
    "chief_curve",
    "chief_score",
    "delete_run",
    "describe",
    "differences",
    "find_items",
    "find_runs",
    "is_run",
    "lower_is_better",
    "new_run_name",
    "read_config",
    "read_notes",
    "read_structure",
    "runs_root",
    "send_command",
    "summarise",
    "summary_of",
    "write_notes",
]
