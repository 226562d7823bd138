"""Files of others, opened with a bound on what comes out of them."""

from __future__ import annotations

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from mmgraph.errors import InputError

PIECE = 1 << 20


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, uncompressed where it is gzip.

    Raises:
        InputError: it cannot be read, is cut short or damaged.
    """
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] == b"\x1f\x8b":
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield cast("IO[bytes]", unpacked)
            else:
                yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is cut short or damaged ({error}): fetch it again.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def pieces(file: IO[bytes], path: Path, most: int | None = None, size: int | None = None) -> Iterator[bytes]:
    """The content piece by piece.

    Raises:
        InputError: there are more than `most` bytes, as in a small file that unpacks to a huge one.
    """
    total = 0
    while piece := file.read(size or PIECE):
        total += len(piece)
        if most is not None and total > most:
            raise InputError(
                f"{path} has more than the {in_words(most)} that fit into the memory budget: give a larger "
                f"memory_budget, or build it on disk with mmgraph.graph.build_csr if it is an edge list."
            )
        yield piece


def size_of(path: Path) -> int:
    """Bytes on disk.

    Raises:
        InputError: there is no such file.
    """
    try:
        if path.is_dir():
            raise InputError(
                f"Expected a graph file, but {path} is a folder: Adjacency.open reads those of build_csr."
            )
        return path.stat().st_size
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def available_memory() -> int | None:
    """Bytes that this process may still take, None where the system does not say."""
    found = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found.append(int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024)
    with contextlib.suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        found.append(limit - int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii")))
    if not found:
        with contextlib.suppress(AttributeError, OSError, ValueError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    return max(0, min(found)) if found else None


def in_words(size: float) -> str:
    """Bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
