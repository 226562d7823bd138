"""Clips as pictures: frames side by side, with what a network thinks at each of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

SHOWN_FRAMES = 8
TRUE = np.array([230, 159, 0], np.float32)
"""Colour of the row of the true class: orange is told from white by all."""
OTHERS = np.array([255, 255, 255], np.float32)


def contact_sheets(clips: Pixels) -> Pixels:
    """Four frames of each clip in a square, first at the top left, last at the bottom right.

    Shapes:
        clips (n, t, height, width, 3): (n, 2 · height, 2 · width, 3).
    """
    chosen = clips[:, np.linspace(0, clips.shape[1] - 1, 4).round().astype(int)]
    rows = [np.concatenate([chosen[:, 2 * row], chosen[:, 2 * row + 1]], axis=2) for row in (0, 1)]
    return np.concatenate(rows, axis=1)


def frame_strips(
    clips: Pixels, probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]
) -> Pixels:
    """Up to eight frames of each clip from left to right, below them a row per class, the brighter the more probable.

    The row of the true class is orange, those of the others are white.

    Shapes:
        clips (n, t, height, width, 3), probabilities (n, t, classes), labels (n,):
        (n, height + classes · bar, frames · width, 3).
    """
    count, length, height, width = clips.shape[:4]
    classes = probabilities.shape[2]
    shown = np.linspace(0, length - 1, min(SHOWN_FRAMES, length)).round().astype(int)
    frames = np.concatenate([clips[:, frame] for frame in shown], axis=2)
    bar = max(3, height // 8)
    is_true = (np.arange(classes) == labels[:, None])[:, :, None, None]
    colours = np.where(is_true, TRUE, OTHERS)
    shares = probabilities[:, shown].clip(0, 1).transpose(0, 2, 1)[..., None]
    bars = (shares * colours).astype(np.uint8).repeat(bar, axis=1).repeat(width, axis=2)
    # A dark line between two classes.
    bars.reshape(count, classes, bar, -1, 3)[:, :, -1] = 0
    return np.concatenate([frames, bars], axis=1)
