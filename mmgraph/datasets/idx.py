"""The idx format of MNIST and its relatives: a few sizes, then bytes, all gzip-compressed."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmgraph.errors import DatasetCorruptError, DatasetMissingError

UNSIGNED_BYTE = 0x08
MAX_BYTES = 1 << 30


def read_idx(path: Path, *, ndim: int) -> NDArray[np.uint8]:
    """Array of unsigned bytes from one gzip-compressed idx file.

    Layout: 0, 0, element type 0x08, number of dimensions d, then d big-endian 32-bit sizes, then the elements
    in row-major order. Never more than the header announces is unpacked, and never more than 1 GiB.

    Args:
        path: file, such as `train-images-idx3-ubyte.gz`.
        ndim: number of dimensions that is expected, 1 for labels and 3 for images.

    Shapes:
        result: the sizes in the header.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: it is not gzip, not idx of that many dimensions, or its length does not fit.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "File formats".
    """
    try:
        with gzip.open(path) as stream:
            shape = _read_shape(path, stream.read(4), stream.read(4 * ndim), ndim)
            announced = math.prod(shape)
            if announced > MAX_BYTES:
                raise DatasetCorruptError(
                    f"{path} announces {announced:,} bytes in its header; at most {MAX_BYTES:,} are read."
                )
            content = stream.read(announced + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetCorruptError(f"{path} is not a whole gzip file: {error}. Fetch it again.") from error
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) != announced:
        more = "more" if len(content) > announced else f"{len(content):,}"
        raise DatasetCorruptError(
            f"{path} announces shape {shape}, that is {announced:,} bytes, but holds {more}. Fetch it again."
        )
    # A copy, because an array over `bytes` is read-only and PyTorch cannot share it.
    return np.frombuffer(content, dtype=np.uint8).reshape(shape).copy()


def _read_shape(path: Path, magic: bytes, sizes: bytes, ndim: int) -> tuple[int, ...]:
    expected = bytes([0, 0, UNSIGNED_BYTE, ndim])
    if magic != expected or len(sizes) != 4 * ndim:
        raise DatasetCorruptError(
            f"{path} is not an idx file of unsigned bytes in {ndim} dimensions: "
            f"expected it to start with {expected.hex(' ')} and {ndim} sizes, found {(magic + sizes).hex(' ')}."
        )
    return struct.unpack(f">{ndim}I", sizes)
