"""Photographs with five sentences each, as Flickr8k has them."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path, PurePosixPath

from mmgraph.datasets.captioned_images import CaptionedImages
from mmgraph.datasets.image_files import decode, files_in_zip
from mmgraph.errors import DatasetCorruptError, InputError


def read_flickr8k(archive: Path, captions: Path, name: str, *, side: int = 96) -> CaptionedImages:
    """The photographs of an archive that have sentences, in the order of their names, all made square.

    Args:
        archive: JPEG files.
        captions: rows of `image,caption` after a header.
        side: height and width that photographs are resized to, whatever they were.

    Raises:
        InputError: the side is not positive.
        DatasetCorruptError: a file is damaged, or no photograph has a sentence.
    """
    import torch

    if side < 1:
        raise InputError(f"Expected a side of at least 1 pixel, but got {side}.")
    sentences: defaultdict[str, list[str]] = defaultdict(list)
    try:
        with captions.open(encoding="utf-8", newline="") as lines:
            for line, row in enumerate(csv.reader(lines), 1):
                if line > 1 and row:
                    if len(row) != 2:
                        raise DatasetCorruptError(
                            f"Line {line} of {captions} has {len(row)} fields instead of an image and a caption."
                        )
                    if row[1].strip():
                        sentences[row[0]].append(" ".join(row[1].split()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetCorruptError(f"{captions} is not a table of captions ({error}).") from error
    images, names = [], []
    for path, content in files_in_zip(archive, lambda entry: PurePosixPath(entry).name in sentences):
        pixels = torch.from_numpy(decode(content, path, None, "RGB")).unsqueeze(0).float()
        small = torch.nn.functional.interpolate(
            pixels, (side, side), mode="bilinear", antialias=True, align_corners=False
        )
        images.append(small[0].round().clamp(0, 255).to(torch.uint8))
        names.append(PurePosixPath(path).name)
    if not images:
        raise DatasetCorruptError(f"None of the files in {archive} has a sentence in {captions}.")
    said = tuple(tuple(sentences[image]) for image in names)
    return CaptionedImages(name, torch.stack(images), said, names=tuple(names))
