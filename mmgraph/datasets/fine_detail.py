"""Generated images whose score hangs on fine detail: how scratched a surface is, with wrong scores among the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

if TYPE_CHECKING:
    from mmgraph.datasets.image_collection import ImageCollection

Array = npt.NDArray[np.float32]

SIZE = 32
SCRATCHES = 16
FOLDS = 5
GRADES = 8
_CHUNK = 128


def fine_detail(count: int = 3000, *, outliers: float = 0.1, seed: int = 0) -> ImageCollection:
    """Coloured surfaces with hairline scratches; the score is how many of 16 there are.

        score = scratches / 16;  an outlier's score is drawn anew, evenly from 0 to 1

    A scratch is 4 to 8 pixels long and about one wide, darker or brighter than what it lies on. What must not be taken
    for one: up to 5 folds, longer and four times as wide, a shade across the surface, its colour, and noise in every
    pixel, all drawn apart from the score. Classes are eighths of the recorded score.

    Args:
        count: how many images.
        outliers: share of the recorded scores that are wrong.
        seed: of the drawing.

    Shapes:
        images (count, 3, 32, 32) uint8; scores as recorded and true_scores (count,) float32.

    Raises:
        InputError: fewer than one image, or a share that is none.
    """
    import torch

    from mmgraph.datasets.image_collection import ImageCollection

    if count < 1 or not 0 <= outliers <= 1:
        raise InputError(
            f"Expected at least 1 image and a share of outliers from 0 to 1, but got {count}, {outliers}."
        )
    random = np.random.default_rng(seed)
    scratches = random.integers(0, SCRATCHES + 1, count)
    true = (scratches / SCRATCHES).astype(np.float32)
    wrong = random.random(count) < outliers
    scores = np.where(wrong, random.random(count), true).astype(np.float32)
    parts = [_draw(some, random) for some in np.array_split(scratches, -(-count // _CHUNK))]
    grades = np.minimum((scores * GRADES).astype(np.int64), GRADES - 1)
    return ImageCollection(
        "fine-detail",
        torch.from_numpy(np.concatenate(parts)),
        torch.from_numpy(grades),
        tuple(f"{grade}/{GRADES} to {grade + 1}/{GRADES}" for grade in range(GRADES)),
        torch.zeros(GRADES, dtype=torch.int64),
        scores=torch.from_numpy(scores),
        true_scores=torch.from_numpy(true),
    )


def _draw(scratches: npt.NDArray[np.int64], random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Images with so many scratches each, (n, 3, 32, 32)."""
    n = len(scratches)
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    shade = np.zeros((n, SIZE, SIZE), np.float32)
    for wavelengths in (1.0, 2.0):
        angle, phase = random.uniform(0, 2 * np.pi, (2, n, 1, 1)).astype(np.float32)
        wave = (np.cos(angle) * x + np.sin(angle) * y) * np.float32(2 * np.pi * wavelengths / SIZE) + phase
        shade += np.float32(0.12) * np.cos(wave)
    folds = random.integers(0, FOLDS + 1, n)
    shade += _lines(folds, FOLDS, (8, 16), 2.4, (0.10, 0.22), random)
    shade += _lines(scratches, SCRATCHES, (4, 8), 0.6, (0.14, 0.30), random)
    colour = random.uniform(0.3, 0.7, (n, 3, 1, 1)).astype(np.float32)
    tint = random.uniform(0.7, 1.3, (n, 3, 1, 1)).astype(np.float32)
    noise = np.float32(0.06) * random.standard_normal((n, 3, SIZE, SIZE), dtype=np.float32)
    images = colour + tint * shade[:, None] + noise
    pixels: npt.NDArray[np.uint8] = np.rint(images.clip(0, 1) * 255).astype(np.uint8)
    return pixels


def _lines(
    counts: npt.NDArray[np.int64],
    most: int,
    lengths: tuple[float, float],
    width: float,
    contrasts: tuple[float, float],
    random: np.random.Generator,
) -> Array:
    """Brightness of lines with Gaussian profile, `counts` of them in each image, (n, 32, 32)."""
    shape = (len(counts), most)
    centre_x, centre_y = random.uniform(1, SIZE - 2, (2, *shape)).astype(np.float32)
    angle = random.uniform(0, np.pi, shape).astype(np.float32)
    half = random.uniform(lengths[0] / 2, lengths[1] / 2, shape).astype(np.float32)
    strength = (random.uniform(*contrasts, shape) * random.choice((-1, 1), shape)).astype(np.float32)
    drawn = np.arange(most) < counts[:, None]
    image = np.nonzero(drawn)[0]
    centre_x, centre_y, angle, half, strength = (
        some[drawn][:, None] for some in (centre_x, centre_y, angle, half, strength)
    )
    # Each line is drawn into the square it can reach, not into the whole image.
    reach = int(np.ceil(lengths[1] / 2 + 3 * width))
    offset_y, offset_x = (some.ravel() for some in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    x, y = np.rint(centre_x).astype(np.int64) + offset_x, np.rint(centre_y).astype(np.int64) + offset_y
    along = (x - centre_x) * np.cos(angle) + (y - centre_y) * np.sin(angle)
    across = (y - centre_y) * np.cos(angle) - (x - centre_x) * np.sin(angle)
    beyond = np.maximum(np.abs(along) - half, 0)
    profile = strength * np.exp(-(across**2 + beyond**2) / np.float32(2 * width**2))
    inside = (x >= 0) & (x < SIZE) & (y >= 0) & (y < SIZE)
    place = (image[:, None] * SIZE + y) * SIZE + x
    bright = np.bincount(place[inside], profile[inside], minlength=len(counts) * SIZE * SIZE)
    return bright.reshape(-1, SIZE, SIZE).astype(np.float32)
