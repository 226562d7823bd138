"""Runs that are no longer wanted: into the trash of the system, or away for good."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

from mmgraph.errors import RunError
from mmgraph.runs import delete_run


def has_trash() -> bool:
    """Whether something is installed that knows the trash of this system."""
    return importlib.util.find_spec("send2trash") is not None


def discard_run(path: Path, *, trash: bool) -> None:
    """Move a run to the trash, or delete it for good.

    Raises:
        NotARunError, RunBusyError: see `delete_run`; nothing happens.
        RunError: the trash did not take it; it is still where it was.
    """
    if not trash:
        delete_run(path)
        return
    send: Callable[[str], None] = importlib.import_module("send2trash").send2trash

    def remove(folder: Path) -> None:
        try:
            send(str(folder))
        except Exception as error:  # each system raises its own
            raise RunError(f"'{folder}' could not be moved to the trash ({error}).") from error

    delete_run(path, remove=remove)
