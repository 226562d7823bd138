"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from mmgraph.errors import MMGraphError


@contextlib.contextmanager
def whole_file(path: Path, refusal: type[MMGraphError] | None = None) -> Iterator[Path]:
    """A path beside a file: what is written there takes the file's place at the end, and is gone where that fails.

    The name beside is hidden, ends in .part, and belongs to one thread of one process.

    Args:
        path: what was there before stays until then.
        refusal: what an OSError becomes, with a sentence that names the file; by default it stays what it is.

    Raises:
        MMGraphError, OSError: `refusal`, where the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        os.replace(part, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if refusal is not None and isinstance(error, OSError):
            raise refusal(f"'{path}' could not be written: {error.strerror or error}.") from error
        raise
