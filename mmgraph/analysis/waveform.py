"""Sound as a picture: how far it swings in each short while."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError


def envelope(samples: npt.NDArray[Any], width: int) -> npt.NDArray[np.float32]:
    """Lowest and highest value of each of `width` parts of equal length; the picture of a wave.

    Sound of fewer samples has as many parts as samples. No peak is lost.

    Shapes:
        samples (n,) -> (min(n, width), 2).

    Raises:
        InputError: not one channel, or no width.
    """
    if samples.ndim != 1 or width < 1:
        raise InputError(f"Expected samples (n,) and a width of at least 1, not {samples.shape} and {width}.")
    count = min(len(samples), width)
    if not count:
        return np.zeros((0, 2), np.float32)
    starts = np.arange(count) * len(samples) // count
    return np.stack(
        [np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)], axis=1
    ).astype(np.float32)


def wave_picture(samples: npt.NDArray[Any], width: int = 96, height: int = 48) -> npt.NDArray[np.uint8]:
    """A wave in white on black, its loudest moment filling the height.

    Shapes:
        samples (n,) -> (height, width).
    """
    swing = envelope(samples, width)
    loudest = max(float(np.abs(swing).max(initial=0)), 1e-9)
    picture = np.zeros((height, width), np.uint8)
    middle = (height - 1) / 2
    rows = np.arange(height)[:, None]
    if len(swing):
        columns = np.arange(width) * len(swing) // width
        low, high = swing[columns].T / loudest * middle
        picture[(rows >= np.floor(middle - high)) & (rows <= np.ceil(middle - low))] = 255
    return picture
