"""Draw where a captioning run looked before each word, as in docs/captioning.md.

    python resources/make_caption_maps.py RUN [--rows 0 1 2 3] [--out resources/screenshots/caption-maps.png]

Draw generated scenes only: photographs of Flickr8k may not be passed on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from mmgraph.runs import RunReader

SIDE, GAP, LINE = 84, 6, 18
DARKEST = 0.25
"""Brightness that is left where nothing was looked at."""

Pixels = npt.NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).with_name("screenshots") / "caption-maps.png"
    )
    chosen = parser.parse_args()
    with RunReader(chosen.run) as run:
        looked = run.load(run.snapshots(kind="attention")[-1])
        thumbnails = run.items().thumbnails
    if thumbnails is None:
        parser.error(f"'{chosen.run}' has no pictures of its items.")
    strips = [
        strip(thumbnails[row], looked.array[row, 0], looked.notes["grid"], looked.notes["words"][row][:-1])
        for row in chosen.rows
    ]
    picture = Image.new("RGB", (max(one.width for one in strips), sum(one.height for one in strips)), "white")
    top = 0
    for one in strips:
        picture.paste(one, (0, top))
        top += one.height
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(128).save(chosen.out, optimize=True)
    print(f"{chosen.out}: {picture.width} × {picture.height}")


def strip(pixels: Pixels, weights: npt.NDArray[np.float32], grid: list[int], words: list[str]) -> Image.Image:
    """The image, and beside it once for each word, bright where was looked."""
    image = Image.fromarray(pixels).convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST)
    size = GAP + (len(words) + 1) * (SIDE + GAP), LINE + SIDE + GAP
    lit = Image.blend(image, Image.new("RGB", image.size, "white"), 0.3)
    row, font = Image.new("RGB", size, "white"), ImageFont.load_default(13)
    pen = ImageDraw.Draw(row)
    row.paste(image, (GAP, LINE))
    for number, word in enumerate(words):
        share = weights[number].reshape(grid)
        light = Image.fromarray(np.uint8(255 * (DARKEST + (1 - DARKEST) * share / share.max())))
        mask = light.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        left = GAP + (number + 1) * (SIDE + GAP)
        row.paste(Image.composite(lit, Image.new("RGB", (SIDE, SIDE)), mask), (left, LINE))
        pen.text((left + SIDE / 2, 2), word, "black", font, anchor="ma")
    return row


if __name__ == "__main__":
    main()
