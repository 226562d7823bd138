"""A file is what its manifest says: size first, then sha256, remembered so that it is computed once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from platformdirs import user_cache_dir

from mmgraph.datasets.catalogue import DataFile
from mmgraph.errors import DatasetCorruptError, DatasetMissingError
from mmgraph.whole_file import whole_file


def verify(path: Path, file: DataFile, *, remedy: str) -> None:
    """Check one file against its manifest entry.

    A file that passed is remembered by path, size and modification time in the user's cache folder.

    Args:
        path: the file on disk.
        file: what it must be.
        remedy: last sentence of the error, what to do about it.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: size or checksum differ.
    """
    try:
        stat = path.stat()
        check_size(str(path), file, stat.st_size, remedy=remedy)
        fact: list[int | str] = [stat.st_size, stat.st_mtime_ns, file.sha256]
        if _remembered().get(str(path)) == fact:
            return
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror}. {remedy}") from error
    check_sha256(str(path), file, found, remedy=remedy)
    _remember(str(path), fact)


def check_size(where: str, file: DataFile, found: int, *, remedy: str) -> None:
    """Raise DatasetCorruptError unless the size is the expected one."""
    if found != file.bytes:
        what = "is truncated" if found < file.bytes else "is too long"
        raise DatasetCorruptError(f"{where} {what}: expected {file.bytes:,} bytes, found {found:,}. {remedy}")


def check_sha256(where: str, file: DataFile, found: str, *, remedy: str) -> None:
    """Raise DatasetCorruptError unless the checksum is the expected one."""
    if found != file.sha256:
        raise DatasetCorruptError(
            f"{where} is not the published file: expected sha256 {file.sha256}, found {found}. {remedy}"
        )


def _memory() -> Path:
    return Path(user_cache_dir("mmgraph", appauthor=False), "verified.json")


def _remembered() -> dict[str, list[int | str]]:
    try:
        facts = json.loads(_memory().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _remember(path: str, fact: list[int | str]) -> None:
    # Two processes may write at once: the last one wins, and what is lost is computed again.
    facts = {known: value for known, value in _remembered().items() if os.path.isfile(known)}
    facts[path] = fact
    memory = _memory()
    # Without a writable cache folder every load computes the checksum again: slower, not wrong.
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(memory) as part:
            part.write_text(json.dumps(facts, indent=1), encoding="utf-8")
