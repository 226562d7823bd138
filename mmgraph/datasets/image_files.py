"""Decoding image files, which may be damaged or hostile, into arrays of one size."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmgraph.errors import DatasetCorruptError

Pixels = npt.NDArray[np.uint8]

MOST_BYTES = 64 * 2**20
"""Of one image file, unpacked."""


def decode(content: bytes, name: str, size: tuple[int, int] | None, mode: str = "L") -> Pixels:
    """An image.

    Args:
        content: of the file.
        name: for messages.
        size: height and width it must have, if they are known.
        mode: "L" for grey, "RGB" for colour.

    Shapes:
        (height, width), or (3, height, width).

    Raises:
        DatasetCorruptError: it is no image, or of another size.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            if size is not None and (image.height, image.width) != size:
                raise DatasetCorruptError(
                    f"{name} should be an image of {size[1]} × {size[0]} pixels, not {image.width} × {image.height}."
                )
            pixels = np.asarray(image.convert(mode), dtype=np.uint8)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetCorruptError(f"{name} is not an image that can be read ({error}).") from error
    return pixels if mode == "L" else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def files_in_zip(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files in an archive, in order of their names.

    Raises:
        DatasetCorruptError: the archive is damaged, or a file in it is larger than any image should be.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
                if entry.is_dir() or not wanted(entry.filename):
                    continue
                if entry.file_size > MOST_BYTES:
                    raise DatasetCorruptError(
                        f"{entry.filename} in {path} unpacks to {entry.file_size:,} bytes."
                    )
                yield entry.filename, archive.read(entry)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise DatasetCorruptError(f"{path} is not an archive that can be read ({error}).") from error
