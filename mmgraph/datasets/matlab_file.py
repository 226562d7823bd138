"""Variables of a MATLAB file, after a look at what they are."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from mmgraph.errors import DatasetCorruptError, DatasetMissingError

Shapes = Mapping[str, tuple[int, ...]]


def read_variables(
    path: Path, wanted: Mapping[str, bool], fitting: Callable[[Shapes], str | None]
) -> dict[str, Any]:
    """Some variables of a file of version 5 to 7.

    SciPy's parser is not made for hostile files: give it only one whose checksum is known, as `datasets.load` does.

    Args:
        wanted: names, and whether each is sparse.
        fitting: told the shapes before anything is unpacked; what they should be where they do not fit, else None.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: it is no MATLAB file, lacks a variable, or the shapes do not fit.
    """
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    try:
        stream: Any = BytesIO(path.read_bytes())
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        found = {name: (shape, kind) for name, shape, kind in whosmat(stream)}
        for name, sparse in wanted.items():
            if name not in found or (found[name][1] == "sparse") != sparse:
                raise DatasetCorruptError(
                    f"{path} must hold a {'sparse' if sparse else 'dense'} matrix '{name}'. Fetch it again."
                )
        expected = fitting({name: found[name][0] for name in wanted})
        if expected is not None:
            raise DatasetCorruptError(f"{path} must hold {expected}")
        content: dict[str, Any] = loadmat(stream, variable_names=tuple(wanted))
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError, MatReadError, zlib.error) as error:
        raise DatasetCorruptError(f"{path} is not a MATLAB file of version 5 to 7: {error}.") from error
    return content
