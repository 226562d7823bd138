"""Bring the files of a data set to this machine, whole or not at all.

Found files are verified where they lie. What is missing is downloaded from its original public place into
the user's data folder, under the name `<file>.part` until size and sha256 are right. A lock per folder keeps
two processes from doing so at once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, TypeAlias

from mmgraph.datasets.catalogue import DataFile, Manifest, builtin_folder, locate, manifest, roots, user_root
from mmgraph.datasets.verification import check_sha256, check_size, verify
from mmgraph.errors import DatasetMissingError

Progress: TypeAlias = Callable[[str, int, int], None]

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 30


def fetch(name: str, *, part: str | None = None, progress: Progress | None = None) -> Path:
    """Folder with the verified files of a data set, downloaded where need be.

    Args:
        name: data set.
        part: only the files of this part, for example 'test'.
        progress: called as `progress(file, bytes_done, bytes_total)` while a file is downloaded. An exception
            raised by it cancels the download; nothing half-written is left.

    Raises:
        UnknownNameError: there is no data set or part of that name.
        DatasetMissingError: a file is not here and could not be downloaded or stored.
        DatasetCorruptError: a file, found or downloaded, does not match its manifest.
    """
    found = manifest(name)
    if found.builtin:
        return builtin_folder(found)
    wanted = found.select(part)
    here = locate(name, part)
    if here is not None and not here.missing:
        _verify_all(here.folder, found, wanted)
        return here.folder
    return _complete_user_folder(found, wanted, progress)


def _complete_user_folder(found: Manifest, wanted: tuple[DataFile, ...], progress: Progress | None) -> Path:
    # These bring ssl, requests and asyncio: half a second that nobody pays whose files are here.
    from filelock import FileLock

    home = user_root() / found.folder
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home.parent / f".{found.folder}.lock"):
            # Downloads come first, so that no copies are made for a data set that cannot be completed.
            for file in sorted(wanted, key=lambda file: _lies_elsewhere(found, file) is not None):
                if not (home / file.path).is_file():
                    _add(file, home, found, progress)
            _verify_all(home, found, wanted)
    except OSError as error:
        raise DatasetMissingError(
            f"Data set '{found.name}' cannot be stored in {home}: {error.strerror or error}. "
            f"Make room or give yourself access, or point $MMGRAPH_DATA at a folder that holds "
            f"{found.folder}{os.sep}{wanted[0].path} and the other files."
        ) from error
    return home


def _add(file: DataFile, home: Path, found: Manifest, progress: Progress | None) -> None:
    draft = home / f"{file.path}.part"
    draft.parent.mkdir(parents=True, exist_ok=True)
    other = _lies_elsewhere(found, file)
    try:
        if other is not None:
            verify(other, file, remedy=_remedy(found))
            shutil.copyfile(other, draft)
        else:
            with draft.open("wb") as stream:
                _download(file, found, stream, progress)
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(draft, home / file.path)
    finally:
        draft.unlink(missing_ok=True)


def _download(file: DataFile, found: Manifest, stream: BinaryIO, progress: Progress | None) -> None:
    import pooch
    import requests

    looked_in = ", ".join(str(root / found.folder) for root in roots())
    if not file.url:
        raise DatasetMissingError(
            f"{file.path} of data set '{found.name}' is not in {looked_in}, and nobody offers it as it is: "
            f"see {found.homepage} and put it into one of these folders."
        )
    incoming = _Incoming(file, stream, progress)
    with ExitStack() as connection:

        def close_at_the_end(response: requests.Response, **_: object) -> None:
            connection.callback(response.close)

        get = pooch.HTTPDownloader(
            chunk_size=CHUNK_BYTES,
            timeout=TIMEOUT_SECONDS,
            # A server that compresses on the way would have requests unpack what must stay a .gz file.
            headers={"Accept-Encoding": "identity"},
            # pooch leaves the connection open when a download fails.
            hooks={"response": close_at_the_end},
        )
        try:
            get(file.url, incoming, None)
        except requests.RequestException as error:
            raise DatasetMissingError(
                f"{file.path} of data set '{found.name}' is not in {looked_in}, and downloading it from {file.url} "
                f"failed after {incoming.done:,} of {file.bytes:,} bytes: {_reason(error)}. "
                f"Check the network and try again, or put a copy of the file into one of these folders."
            ) from error
    check_size(file.url, file, incoming.done, remedy=_TRY_AGAIN)
    check_sha256(file.url, file, incoming.sha256.hexdigest(), remedy=_TRY_AGAIN)


_TRY_AGAIN = "Nothing was kept; try again, and if it stays so, the file at that address has changed."


class _Incoming:
    """The file that a download is written to: counts, hashes and bounds what arrives."""

    def __init__(self, file: DataFile, stream: BinaryIO, progress: Progress | None) -> None:
        self.file = file
        self.stream = stream
        self.progress = progress
        self.done = 0
        self.sha256 = hashlib.sha256()
        self._report()

    def write(self, chunk: bytes) -> int:
        self.done += len(chunk)
        # Checked before it is stored: a server that never stops sending must not fill the disk.
        if self.done > self.file.bytes:
            check_size(self.file.url, self.file, self.done, remedy=_TRY_AGAIN)
        self.sha256.update(chunk)
        self.stream.write(chunk)
        self._report()
        return len(chunk)

    def flush(self) -> None:
        """Nothing: pooch asks for it after every chunk."""

    def _report(self) -> None:
        if self.progress is not None:
            self.progress(self.file.path, self.done, self.file.bytes)


def _verify_all(folder: Path, found: Manifest, wanted: tuple[DataFile, ...]) -> None:
    for file in wanted:
        verify(folder / file.path, file, remedy=_remedy(found))


def _remedy(found: Manifest) -> str:
    return f"Delete or replace that file; `mmgraph datasets get {found.name}` downloads what is not in a data folder."


def _lies_elsewhere(found: Manifest, file: DataFile) -> Path | None:
    copies = (root / found.folder / file.path for root in roots()[:-1])
    return next((copy for copy in copies if os.path.isfile(copy)), None)


def _reason(error: Exception) -> str:
    # requests wraps urllib3, which wraps the socket: the innermost says it in the fewest words.
    while isinstance(inner := error.__cause__ or error.__context__, Exception):
        error = inner
    return str(error).rstrip(".") or type(error).__name__
