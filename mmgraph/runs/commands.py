"""Requests from outside to the process that trains a run, left in the run folder."""

from __future__ import annotations

import math
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.runs.connection import open_to_write
from mmgraph.runs.schema import write_failure

COMMANDS = ("pause", "resume", "stop", "set-learning-rate", "checkpoint", "snapshot", "explain")


@dataclass(frozen=True)
class Command:
    """A request that somebody left in the run folder for the training process."""

    id: int
    name: str
    argument: float | None = None


def send_command(folder: Path | str, name: str, argument: float | None = None) -> int:
    """Leave a command for the process that trains a run; returns its number.

    Args:
        name: pause, resume, stop, set-learning-rate (argument: the rate), checkpoint, snapshot, or explain
            (argument: the row of an item).

    Raises:
        UnknownNameError: there is no such command.
        ConfigError: the learning rate is not a positive number, or the row not a whole one from 0.
        RunReadOnlyError: the folder cannot be written to.
    """
    folder = Path(folder)
    if name not in COMMANDS:
        raise UnknownNameError.of("command", name, COMMANDS)
    if name == "set-learning-rate" and not (
        argument is not None and math.isfinite(argument) and argument > 0
    ):
        raise ConfigError(f"set-learning-rate needs a positive number, not {argument}.")
    if name == "explain" and not (argument is not None and argument >= 0 and float(argument).is_integer()):
        raise ConfigError(f"explain needs the row of an item, a whole number from 0, not {argument}.")
    connection = open_to_write(folder)
    try:
        cursor = connection.execute(
            "INSERT INTO commands (wall_time, name, argument) VALUES (?, ?, ?)", (time.time(), name, argument)
        )
        return int(cursor.lastrowid or 0)
    except sqlite3.Error as error:
        raise write_failure(folder, error) from error
    finally:
        connection.close()
