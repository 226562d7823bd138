"""Build the rows of a graph on disk from an edge list of any size.

The file is read twice: once to count edges and to see which targets have how many, once to put edges into buckets of
consecutive targets, each of which can be sorted in memory. The buckets one after the other are the rows.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.lib import format as npy
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.files.edge_list_file import in_both_directions, said_direction
from mmgraph.graph.files.edge_text import EdgeFormat, edge_lines, recognised
from mmgraph.graph.files.name_table import NameTable
from mmgraph.graph.files.opening import PIECE, available_memory, in_words, size_of
from mmgraph.graph.stored.external_sort import Buckets, even_ranges, record_type
from mmgraph.graph.stored.folder import open_graph, write_about

LEAST_MEMORY = 16 * 10**6
PIECES_PER_BUDGET = 64
"""Reading takes some 20 times the bytes it looks at."""
BINS = 1 << 15
MOST_NODES = 2**31 - 1
SPARSE = 64
"""Numbers per edge beyond which ids are taken for names."""
ROWS_AT_A_TIME = 1 << 16


@dataclass(frozen=True)
class BuildProgress:
    """How far building is.

    Args:
        stage: what is being done.
        fraction: of this stage, 0 to 1; of a packed file a guess.
        edges: seen or stored in this stage.
        seconds: since building began.
    """

    stage: Literal["counting", "sorting", "storing"]
    fraction: float
    edges: int
    seconds: float


@dataclass(frozen=True)
class Counted:
    """What the first reading has found; `starts` and `counts` are a histogram of targets."""

    num_nodes: int
    num_edges: int
    starts: NDArray[np.uint64]
    counts: NDArray[np.int64]


def build_csr(
    path: str | Path,
    folder: str | Path,
    directed: bool | None = None,
    *,
    ids: type[int] | type[str] | None = None,
    num_nodes: int | None = None,
    delimiter: str | None = None,
    comments: str = "#%",
    memory_budget: int | None = None,
    on_progress: Callable[[BuildProgress], object] | None = None,
    every: float = 1.0,
) -> Adjacency:
    """Sort the edges of a file into rows on disk, in little memory; `Adjacency.open(folder)` gives them later.

    The graph is the one that `read_graph` gives with num_nodes, except that node numbers that do not occur are nodes
    without edges. The folder appears when all is there; until then all lies beside it in a folder that is removed
    when something fails, and at the latest by the next build.

    Args:
        path: an edge list as for `read_graph`; may end in .gz.
        folder: made here; must not exist.
        directed: as for `read_graph`, but a file that is silent must be explained.
        memory_budget: bytes to take beside what the process has, at least 16 MB; by default a quarter of what is free.
            Names of nodes are held.
        on_progress: called about every `every` seconds. What it raises ends building, as Ctrl-C does, and nothing is
            left.

    Raises:
        InputError: the file cannot be read or is broken (with the number of the line), the folder exists or cannot be
            written, names do not fit into the memory budget, or the disk has too little room.
    """
    path, folder = Path(path), Path(folder)
    form = recognised(path, delimiter, comments, int if num_nodes is not None else ids)
    directed = said_direction(path, form) if directed is None else directed
    if directed is None:
        raise InputError(
            f"{path} does not say whether its edges have directions: pass directed=True or False."
        )
    num_nodes = form.num_nodes if num_nodes is None else num_nodes
    if num_nodes is not None and not 0 <= num_nodes <= MOST_NODES:
        raise InputError(f"Expected from 0 to {MOST_NODES:,} nodes, but got {num_nodes:,}.")
    memory = _checked_memory(memory_budget)
    building = _Building(
        path, form, directed, num_nodes, memory, _Reporter(on_progress, every, size_of(path))
    )
    with _finished_or_gone(folder) as draft:
        building.run(draft)
    return open_graph(folder, verify=False)


class _Building:
    """The passes over the file."""

    def __init__(
        self,
        path: Path,
        form: EdgeFormat,
        directed: bool,
        num_nodes: int | None,
        memory: int,
        reporter: _Reporter,
    ) -> None:
        self.path = path
        self.form = form
        self.directed = directed
        self.num_nodes = num_nodes
        self.memory = memory
        self.report = reporter
        self.names = NameTable()
        self.kind = record_type(form.weighted, torch.empty(0).numpy().dtype)

    def run(self, draft: Path) -> None:
        counted = self._count()
        self._check_room(draft, counted)
        most = self.memory // 4 // self.kind.itemsize
        buckets = Buckets(draft, "bucket", even_ranges(counted.counts, counted.starts, most))
        try:
            self._sort_out(buckets, counted)
        finally:
            buckets.close()
        self._store(draft, buckets, counted)
        if not self.form.whole_numbers:
            names = [name.encode() for name in self.names.names()]
            np.save(draft / "names.npy", np.frombuffer(b"".join(names), np.uint8))
            np.save(draft / "ends.npy", np.cumsum([len(name) for name in names], dtype=np.int64))
        write_about(draft, counted.num_nodes, counted.num_edges)

    def _edges(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Ends and weights piece by piece, undirected edges in both directions."""
        piece = min(PIECE, self.memory // PIECES_PER_BUDGET)
        for part in edge_lines(self.path, self.form, self.names, self.num_nodes, piece=piece):
            weight = np.empty(0) if part.weight is None else part.weight
            yield (part.ends, weight) if self.directed else in_both_directions(part.ends, weight)
            if not self.form.whole_numbers and self.names.nbytes > self.memory // 2:
                raise InputError(
                    f"{self.path} has {len(self.names):,} names of nodes so far, which take "
                    f"{in_words(self.names.nbytes)} of memory: give a memory_budget of more than twice that."
                )

    def _count(self) -> Counted:
        counts, shift, num_edges, low, high = np.zeros(BINS, np.int64), 0, 0, 0, -1
        for ends, _ in self._edges():
            if len(ends):
                low, high = min(low, int(ends.min())), max(high, int(ends.max()))
                self._check_ids(low, high)
                while high >> shift >= BINS:
                    # Bins become twice as wide.
                    counts[: BINS // 2] = counts.reshape(-1, 2).sum(1)
                    counts[BINS // 2 :] = 0
                    shift += 1
                counts += np.bincount(ends[:, 1] >> shift, minlength=BINS)
                num_edges += len(ends)
            self.report("counting", num_edges, None)
        if self.num_nodes is None and high + 1 > SPARSE * (num_edges + BINS):
            raise InputError(
                f"{self.path} has node ids up to {high:,} in {num_edges:,} edges, and a row is stored for every number "
                f"up to that: pass ids=str to number the ids as they come, or num_nodes if it is meant."
            )
        starts = (np.arange(BINS, dtype=np.uint64) << np.uint64(shift)) << np.uint64(32)
        return Counted(high + 1 if self.num_nodes is None else self.num_nodes, num_edges, starts, counts)

    def _check_ids(self, low: int, high: int) -> None:
        if low < 0 or high >= MOST_NODES:
            raise InputError(
                f"Expected node ids from 0 to {MOST_NODES - 1:,} in {self.path}, but they go from {low:,} to "
                f"{high:,}: pass ids=str to number them as they come."
            )

    def _check_room(self, draft: Path, counted: Counted) -> None:
        stored = (16 + 4 * self.form.weighted) * counted.num_edges + 8 * counted.num_nodes
        needed = stored + self.kind.itemsize * counted.num_edges
        free = shutil.disk_usage(draft).free
        if needed > free:
            raise InputError(
                f"Expected {in_words(needed)} of free disk for {counted.num_edges:,} edges in {draft.parent}, of which "
                f"the graph keeps {in_words(stored)}, but there are {in_words(free)}."
            )

    def _sort_out(self, buckets: Buckets, counted: Counted) -> None:
        done = 0
        for ends, weight in self._edges():
            records = np.empty(len(ends), self.kind)
            records["col"], records["row"] = ends[:, 0], ends[:, 1]
            records["order"] = np.arange(done, done + len(ends))
            if self.form.weighted:
                records["value"] = weight
            buckets.add(records)
            done += len(ends)
            if done > counted.num_edges or ends.max(initial=0) >= max(1, counted.num_nodes):
                break
            self.report("sorting", done, counted.num_edges)
        if done != counted.num_edges:
            raise InputError(f"{self.path} has changed while it was read: build again.")

    def _store(self, draft: Path, buckets: Buckets, counted: Counted) -> None:
        kinds = {"rowptr": np.dtype(np.int64), "col": np.dtype(np.int64), "order": np.dtype(np.int64)}
        if self.form.weighted:
            kinds["value"] = self.kind["value"]
        with contextlib.ExitStack() as opened:
            files = {}
            for name, kind in kinds.items():
                length = counted.num_nodes + 1 if name == "rowptr" else counted.num_edges
                files[name] = opened.enter_context(_array_file(draft / f"{name}.npy", length, kind))
            begun, stored = 0, 0
            for records in buckets.in_order(counted.num_nodes << 32, self.kind, self.memory):
                for name in kinds.keys() - {"rowptr"}:
                    records[name].astype(kinds[name]).tofile(files[name])
                if len(records):
                    begun = _begin_rows(
                        files["rowptr"], begun, int(records["row"][-1]) + 1, records["row"], stored
                    )
                stored += len(records)
                self.report("storing", stored, counted.num_edges)
            _begin_rows(files["rowptr"], begun, counted.num_nodes + 1, np.empty(0, np.uint32), stored)


def _begin_rows(file: IO[bytes], first: int, end: int, rows: NDArray[np.uint32], stored: int) -> int:
    """Write where rows from first to below end begin, given the rows of the next edges; returns end."""
    for low in range(first, end, ROWS_AT_A_TIME):
        some = np.arange(low, min(low + ROWS_AT_A_TIME, end), dtype=np.int64)
        (np.searchsorted(rows, some.astype(rows.dtype)) + stored).astype(np.int64).tofile(file)
    return max(first, end)


@contextlib.contextmanager
def _array_file(path: Path, length: int, kind: np.dtype[Any]) -> Iterator[IO[bytes]]:
    """An .npy file whose content is still to come."""
    with path.open("wb") as file:
        header = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": (length,)}
        npy.write_array_header_1_0(file, header)
        file.flush()
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _finished_or_gone(folder: Path) -> Iterator[Path]:
    """A folder to work in that becomes `folder` at the end, and is gone when something fails.

    Raises:
        InputError: the folder exists or cannot be written, or another process is building it.
    """
    if folder.exists():
        raise InputError(f"{folder} exists already: remove it, or build into another folder.")
    if not folder.parent.is_dir():
        raise InputError(f"{folder} cannot be written: there is no folder {folder.parent}.")
    draft, lock = folder.with_name(f".{folder.name}.part"), FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        with lock.acquire(timeout=0):
            shutil.rmtree(draft, ignore_errors=True)  # of a build that was killed
            draft.mkdir()
            try:
                yield draft
                os.rename(draft, folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
                Path(lock.lock_file).unlink(missing_ok=True)
    except Timeout as error:
        raise InputError(
            f"Another process is building {folder}: wait for it, or build into another folder."
        ) from error
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}.") from error


class _Reporter:
    """Calls on_progress from time to time."""

    def __init__(self, call: Callable[[BuildProgress], object] | None, every: float, size: int) -> None:
        self._call = call
        self._every = every
        self._began = self._last = time.perf_counter()
        self._size = size

    def __call__(
        self, stage: Literal["counting", "sorting", "storing"], edges: int, total: int | None
    ) -> None:
        now = time.perf_counter()
        finished = edges == total
        if self._call is None or (now - self._last < self._every and not finished):
            return
        self._last = now
        # Until the edges are counted, a line is taken to be as long as is usual.
        fraction = min(1.0, edges / max(1, self._size // 12 if total is None else total))
        self._call(BuildProgress(stage, fraction, edges, now - self._began))


def _checked_memory(budget: int | None) -> int:
    if budget is None:
        free = available_memory()
        return max(LEAST_MEMORY, 10**9 if free is None else free // 4)
    if budget < LEAST_MEMORY:
        raise InputError(
            f"Expected a memory_budget of at least {in_words(LEAST_MEMORY)}, but got {in_words(budget)}."
        )
    return budget
