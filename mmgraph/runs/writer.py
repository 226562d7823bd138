"""The writing side of a run folder. Training never waits for a disk or a viewer: runs/queue.py."""

from __future__ import annotations

import atexit
import contextlib
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmgraph.errors import InputError, NotARunError, RunError, UnknownNameError
from mmgraph.runs import schema
from mmgraph.runs.commands import Command
from mmgraph.runs.connection import make_durable, open_to_write
from mmgraph.runs.folder import create_folder, is_run, lock_folder
from mmgraph.runs.items import ItemSet, write_items
from mmgraph.runs.queue import WriteQueue
from mmgraph.runs.snapshot import Snapshot
from mmgraph.runs.structure import Structure, write_structure
from mmgraph.runs.tables import Capture, Tables
from mmgraph.runs.values import as_number, as_scalar, as_status, as_step, as_text

QUEUE_BYTES = 256 * 2**20


class RunWriter:
    """Writes one run folder. Scalars and events are never dropped; snapshots are, when the disk falls behind.

    One process writes a run at a time; any number read it meanwhile.

        with RunWriter.create(Path("runs"), "my-run", {"run": {"recipe": "mine"}}) as run:
            run.scalars(1, {"train/loss": 0.7})
            run.snapshots(1, [Snapshot("embedding", "fc", vectors)])

    What was recorded is on disk within 0.2 s, or as long as one capture takes to write, and then
    survives the death of the process. Methods may be called from any thread of the process that made the
    writer; what they are given is copied, so it may be changed afterwards.

    Args:
        folder: of the run.
        start_step: the step from which training goes on; what was recorded of later steps no longer counts.
            By default the last one recorded.
        queue_bytes: snapshots that may wait for the disk before further ones are dropped.

    Raises:
        NotARunError, RunSchemaError, RunDamagedError: there is no run that this mmgraph can read.
        RunBusyError: another process is writing this run.
        RunReadOnlyError: the folder cannot be written to.
        RunError: the disk is full or failed; raised by the call after the failure.
    """

    def __init__(
        self, folder: Path | str, *, start_step: int | None = None, queue_bytes: int = QUEUE_BYTES
    ) -> None:
        self.folder = Path(folder)
        if not is_run(self.folder):
            raise NotARunError(f"'{self.folder}' is not a run folder: it holds no {schema.DATABASE_FILE}.")
        if start_step is not None:
            start_step = as_step(start_step)
        self._lock = lock_folder(self.folder)
        try:
            with contextlib.ExitStack() as opened:
                opened.callback(self._lock.release)
                _remove_leftovers(self.folder)
                connection = open_to_write(self.folder)
                opened.callback(connection.close)
                make_durable(connection, self.folder)
                tables = Tables(connection, start_step)
                self._reading = open_to_write(self.folder)  # another connection sees what others commit
                opened.pop_all()
        except (OSError, sqlite3.Error) as error:
            raise schema.write_failure(self.folder, error) from error
        self.session = tables.session
        self._dropped = tables.dropped
        self._data_version = -1
        self._commands: list[Command] = []
        self._answered: set[int] = set()
        self._queue_bytes = queue_bytes
        self._queue = WriteQueue(self.folder, tables, self._lock.release)
        atexit.register(self._close_at_exit)

    @classmethod
    def create(
        cls, root: Path | str, name: str, config: Mapping[str, Any], *, queue_bytes: int = QUEUE_BYTES
    ) -> RunWriter:
        """Make a new run folder `root/name` (`name-2`, `name-3` … where taken) and open it.

        Args:
            root: the folder that holds runs; made if missing.
            name: name of the run, used as folder name.
            config: what config.toml shall hold; nested mappings become tables, None is left out.

        Raises:
            ConfigError: the name is not that of one folder, or the configuration does not fit into TOML.
            RunReadOnlyError, RunError: the folder cannot be made.
        """
        folder = create_folder(Path(root), name, config)
        return cls(folder, queue_bytes=queue_bytes)

    def structure(self, structure: Structure) -> None:
        """Write down the layers of the model and their wiring, in place of what was written before.

        Raises:
            RunError: the disk is full or cannot be written.
        """
        write_structure(self.folder, structure)

    def scalars(self, step: int, values: Mapping[str, float], *, epoch: float | None = None) -> None:
        """Record numbers at a step; NaN and infinities are kept as such.

        Raises:
            InputError: the step is not a whole number from 0, or a value is not a number.
        """
        row = (as_step(step), as_number("epoch", epoch), time.time(), tuple(map(as_scalar, values.items())))
        with self._queue.open() as pending:
            pending.scalars.append(row)

    def event(self, message: str, *, level: str = "info", kind: str = "log", step: int | None = None) -> None:
        """Record a line of text: `level` is info, warning or error; `kind` says what it is about.

        Raises:
            UnknownNameError: there is no such level.
        """
        if level not in schema.LEVELS:
            raise UnknownNameError.of("level", level, schema.LEVELS)
        row = (None if step is None else as_step(step), time.time(), level, as_text(kind), as_text(message))
        with self._queue.open() as pending:
            pending.events.append(row)

    def snapshots(
        self, step: int, snapshots: Sequence[Snapshot], *, epoch: float | None = None, wait: bool = False
    ) -> bool:
        """Record arrays at a step; False if they were dropped because the disk is behind.

        Args:
            wait: wait until they are written (for the last step) instead of ever dropping them.

        Raises:
            InputError: two snapshots are of the same kind and layer.
        """
        step, epoch = as_step(step), as_number("epoch", epoch)
        twice = [key for key, count in Counter(snapshot.key for snapshot in snapshots).items() if count > 1]
        if twice:
            raise InputError(
                f"Snapshots of one step differ in kind or layer, but '{twice[0]}' is there twice."
            )
        nbytes = sum(snapshot.nbytes for snapshot in snapshots)
        with self._queue.open() as pending:
            if not snapshots:
                return True
            if (
                not wait
                and self._queue.waiting_bytes
                and self._queue.waiting_bytes + nbytes > self._queue_bytes
            ):
                self._dropped += 1
                pending.status["dropped"] = self._dropped
                text = (
                    f"Dropped the snapshots of step {step}: "
                    f"{self._queue.waiting_bytes / 2**20:.1f} MiB are still waiting for the disk."
                )
                pending.events.append((step, time.time(), "warning", "dropped", text))
                return False
            # Who waits cannot change the arrays meanwhile.
            kept = tuple(snapshots) if wait else tuple(map(_copied, snapshots))
            self._queue.add(Capture(step, epoch, time.time(), kept, nbytes))
        if wait:
            self.flush()
        return True

    def items(self, items: ItemSet) -> None:
        """Write down what the rows of embeddings are.

        Raises:
            InputError: a text is not valid Unicode.
        """
        self._queue.check()
        try:
            write_items(self.folder, items)
        except OSError as error:
            raise schema.write_failure(self.folder, error) from error

    def status(self, **fields: Any) -> None:
        """Set where the run stands: any of state, message, step, epoch, total_steps, seconds, seconds_left,
        steps_per_second, learning_rate, metrics (a mapping).

        Raises:
            UnknownNameError: there is no such field or state.
            InputError: a value is not a number.
        """
        stored = {name: as_status(name, value) for name, value in fields.items()}
        with self._queue.open() as pending:
            pending.status.update(stored)

    def commands(self) -> list[Command]:
        """Commands that nobody has answered yet. Costs a few µs when nothing was written since the last call."""
        self._queue.check()
        try:
            version = self._reading.execute("PRAGMA data_version").fetchone()[0]
            if version != self._data_version:
                self._data_version = version
                rows = self._reading.execute(
                    "SELECT id, name, argument FROM commands WHERE answered_at IS NULL ORDER BY id"
                ).fetchall()
                self._commands = [Command(*row) for row in rows]
        except sqlite3.Error as error:
            raise schema.write_failure(self.folder, error) from error
        return [command for command in self._commands if command.id not in self._answered]

    def answer(self, command: Command, answer: str, *, step: int) -> None:
        """Say what became of a command."""
        now, step, text = time.time(), as_step(step), as_text(answer)
        with self._queue.open() as pending:
            self._answered.add(command.id)
            pending.answers.append((now, step, text, command.id))
            pending.events.append((step, now, "info", "command", f"{command.name}: {text}"))

    def flush(self) -> None:
        """Wait until everything recorded so far is on disk."""
        self._queue.flush()

    def close(self, state: str | None = "finished", message: str = "") -> None:
        """Write what is left, set the final state (None: leave it), and let others write the run.

        Closing twice does no harm; the state first given counts.

        Raises:
            RunError: something recorded could not be written.
        """
        if not self._queue.is_ours:
            return
        last = {} if state is None else {"state": as_status("state", state), "message": as_text(message)}
        atexit.unregister(self._close_at_exit)
        try:
            self._queue.close(last)
        finally:
            self._reading.close()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.close("finished")
        else:
            with contextlib.suppress(RunError):  # the error on its way out came first
                self.close("stopped" if isinstance(error, KeyboardInterrupt) else "failed", str(error))

    def _close_at_exit(self) -> None:
        try:
            self.close(None)
        except RunError as error:
            sys.stderr.write(f"mmgraph: {error}\n")


def _copied(snapshot: Snapshot) -> Snapshot:
    extras = {name: np.array(extra) for name, extra in snapshot.extras.items()}
    return replace(snapshot, array=np.array(snapshot.array), extras=extras)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed left half-written."""
    for name in (schema.SNAPSHOT_FOLDER, schema.ITEM_FOLDER, schema.CHECKPOINT_FOLDER):
        for file in (folder / name).glob(".*.part"):
            file.unlink(missing_ok=True)
