"""A snapshot on disk of which only parts are read, such as one head of attention."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from mmgraph.errors import RunDamagedError
from mmgraph.runs.schema import SNAPSHOT_FOLDER
from mmgraph.runs.snapshot import Array, SnapshotInfo, check_shape, why_not_there


class StoredSnapshot:
    """An open snapshot: notes and further arrays are read at once, of the array itself what is asked for.

        with StoredSnapshot(run, info) as stored:
            weights = stored.part(item, head)       # (queries, keys) of (items, heads, queries, keys)

    Args:
        folder: of the run.
        info: from `RunReader.snapshots`.

    Raises:
        RunDamagedError: the file is missing, cut short, or does not hold this snapshot.
    """

    def __init__(self, folder: Path, info: SnapshotInfo) -> None:
        self.path = folder / SNAPSHOT_FOLDER / Path(info.file).name
        key = f"{info.kind}/{info.layer}"
        self._stack = ExitStack()
        try:
            file = self._stack.enter_context(safe_open(self.path, framework="numpy"))
            entry = json.loads((file.metadata() or {})["mmgraph"])["snapshots"][key]
            self.axes = tuple(map(str, entry["axes"]))
            self.notes: dict[str, Any] = dict(entry["notes"])
            self.extras: dict[str, Array] = {
                name: file.get_tensor(f"{key}:{name}") for name in entry["extras"]
            }
            self._stored = file.get_slice(key)
            self.shape = tuple(self._stored.get_shape())
            check_shape(self.path, info, self.shape)
        except FileNotFoundError as error:
            raise RunDamagedError(why_not_there(self.path)) from error
        except (SafetensorError, OSError, KeyError, ValueError, TypeError, AttributeError) as error:
            self.close()
            raise RunDamagedError(
                f"'{self.path}' should hold the snapshot '{key}', and does not ({error})."
            ) from error

    def part(self, *places: int) -> Array:
        """What lies at these places of the first axes; without places the whole array.

        Raises:
            RunDamagedError: the file has been cut short.
        """
        try:
            return np.asarray(self._stored[places if places else ...])
        except (SafetensorError, OSError, IndexError) as error:
            raise RunDamagedError(f"'{self.path}' could not be read at {places} ({error}).") from error

    def close(self) -> None:
        """Let go of the file."""
        self._stack.close()

    def __enter__(self) -> StoredSnapshot:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
