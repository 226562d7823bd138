"""Vectors and pairs on disk, changed one bucket at a time, and never half.

    state.json          what is trained how, which bucket of which round comes next, which version of each part counts
    x.A.V.npy           vectors of partition A, version V; y.B.V.npy likewise
    round.R/A.B         groups of bucket (A, B) of round R, in segments of a length and so many words
    vectors.npy         all vectors in the order of the nodes, at the end

Trained parts get new versions, and only then the state names them: whatever a killed process leaves behind beyond
the state does not count.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmgraph.errors import InputError

STATE = "state.json"
VECTORS = "vectors.npy"
ASSEMBLED_AT_A_TIME = 1 << 24


@dataclass
class State:
    """How far training is.

    Args:
        about: what is trained how; another training must not go on with these files.
        round, bucket: that come next.
        versions: of the parts by name, such as "x.0".
    """

    about: dict[str, Any]
    round: int = 0
    bucket: int = 0
    versions: dict[str, int] = field(default_factory=dict)


class BucketStorage:
    """The folder of one training.

    Args:
        folder: made if it is not there.
        about: what is trained how.
        num_nodes, dimensions, partitions: sizes.

    Raises:
        InputError: the folder holds another training, or cannot be read or written.
    """

    def __init__(
        self, folder: Path, about: dict[str, Any], num_nodes: int, dimensions: int, partitions: int
    ) -> None:
        self.folder = folder
        self.num_nodes = num_nodes
        self.dimensions = dimensions
        self.partitions = partitions
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / STATE).exists():
                self.state = State(**json.loads((folder / STATE).read_text(encoding="utf-8")))
                if self.state.about != about:
                    raise InputError(
                        f"{folder} holds the training of another graph or with other settings: remove it, or choose "
                        f"another folder."
                    )
                self._remove_leftovers()
            elif any(not path.name.startswith(".") for path in folder.iterdir()):
                raise InputError(
                    f"Expected an empty folder for training, but {folder} has files of something else."
                )
            else:
                self.state = State(about)
                self.commit({}, 0, 0)
        except (OSError, ValueError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{folder} cannot hold a training: {error}.") from error

    def size(self, partition: int) -> int:
        """How many nodes a partition has."""
        return len(range(partition, self.num_nodes, self.partitions))

    def load(self, what: Literal["x", "y"], partition: int, seed: int) -> NDArray[np.float32]:
        """Vectors of a partition; new ones where it has not been trained."""
        name = f"{what}.{partition}"
        if name in self.state.versions:
            return np.asarray(np.load(self._part(name, self.state.versions[name]), allow_pickle=False))
        shape = (self.size(partition), self.dimensions)
        if what == "y":
            return np.zeros(shape, np.float32)
        random = np.random.default_rng([seed, partition]).random(shape, np.float32)
        random -= np.float32(0.5)
        random /= np.float32(self.dimensions)
        return random

    def rows(self, nodes: NDArray[np.int64] | slice, seed: int) -> NDArray[np.float32]:
        """The vectors x of some nodes as they were last kept, (n, dimensions)."""
        wanted = np.arange(self.num_nodes)[nodes] if isinstance(nodes, slice) else nodes
        found = np.empty((len(wanted), self.dimensions), np.float32)
        for partition in range(self.partitions):
            here = wanted % self.partitions == partition
            name = f"x.{partition}"
            if not here.any():
                continue
            if name in self.state.versions:
                part = np.load(self._part(name, self.state.versions[name]), mmap_mode="r", allow_pickle=False)
            else:
                part = self.load("x", partition, seed)
            found[here] = part[wanted[here] // self.partitions]
        return found

    def commit(self, parts: dict[str, NDArray[np.float32]], round: int, bucket: int) -> None:
        """Keep trained parts and say which bucket comes next, both or neither."""
        before = dict(self.state.versions)
        for name, vectors in parts.items():
            version = before.get(name, -1) + 1
            np.save(self._part(name, version), vectors)
            self.state.versions[name] = version
        self.state.round, self.state.bucket = round, bucket
        draft = self.folder / f".{STATE}.part"
        draft.write_text(json.dumps(asdict(self.state)), encoding="utf-8")
        os.replace(draft, self.folder / STATE)
        for name in parts.keys() & before.keys():
            self._part(name, before[name]).unlink(missing_ok=True)

    def has_round(self, round: int) -> bool:
        return (self.folder / f"round.{round}").is_dir()

    def new_round(self) -> Path:
        """An empty folder for the groups of a round that is being written."""
        draft = self.folder / "round.part"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        return draft

    def finish_round(self, round: int) -> None:
        """The groups of a round are all there."""
        os.rename(self.folder / "round.part", self.folder / f"round.{round}")

    def drop_round(self, round: int) -> None:
        shutil.rmtree(self.folder / f"round.{round}", ignore_errors=True)

    def segments(self, round: int, first: int, second: int) -> Iterator[NDArray[np.int32]]:
        """The groups of a bucket, piece by piece."""
        path = self.folder / f"round.{round}" / f"{first}.{second}"
        if not path.exists():
            return
        with path.open("rb") as file:
            while len(length := np.fromfile(file, np.int64, 1)):
                yield np.fromfile(file, np.int32, int(length[0]))

    def assemble(self, seed: int) -> NDArray[np.float32]:
        """Write all vectors in the order of the nodes, and map them."""
        parts = []
        for partition in range(self.partitions):
            name = f"x.{partition}"
            if name not in self.state.versions:
                self.commit({name: self.load("x", partition, seed)}, self.state.round, self.state.bucket)
            parts.append(self._part(name, self.state.versions[name]))
        draft, path = self.folder / f".{VECTORS}.part", self.folder / VECTORS
        block = max(1, ASSEMBLED_AT_A_TIME // (4 * self.dimensions * self.partitions))
        with draft.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (self.num_nodes, self.dimensions)}
            np.lib.format.write_array_header_1_0(file, header)
            file.flush()
            for first in range(0, self.size(0), block):
                # Partition p holds nodes p, p + P, …: row i of all partitions are nodes i P … i P + P − 1.
                some = [_rows(part, first, block, self.dimensions) for part in parts]
                mixed = np.empty((sum(map(len, some)), self.dimensions), np.float32)
                for partition, vectors in enumerate(some):
                    mixed[partition :: self.partitions] = vectors
                mixed.tofile(file)
        os.replace(draft, path)
        # Copy on write, so that nobody changes the file by accident.
        return np.asanyarray(np.load(path, mmap_mode="c", allow_pickle=False))

    def _remove_leftovers(self) -> None:
        """What a killed process has written and the state does not name."""
        known = {self._part(name, version).name for name, version in self.state.versions.items()}
        for path in self.folder.glob("[xy].*.npy"):
            if path.name not in known:
                path.unlink()
        for path in self.folder.glob("round.*"):
            if path.name != f"round.{self.state.round}":
                shutil.rmtree(path)

    def _part(self, name: str, version: int) -> Path:
        return self.folder / f"{name}.{version}.npy"


def _rows(path: Path, first: int, count: int, dimensions: int) -> NDArray[np.float32]:
    """Some rows of an .npy file, read rather than mapped, so that memory stays small."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, _ = np.lib.format.read_array_header_1_0(file)
        file.seek(4 * dimensions * min(first, shape[0]), os.SEEK_CUR)
        count = min(count, max(0, shape[0] - first))
        return np.fromfile(file, np.float32, count * dimensions).reshape(count, dimensions)
