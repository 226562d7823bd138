"""What a clip is to a network."""

from __future__ import annotations

import torch
from torch import Tensor

from mmgraph.errors import InputError


def check_clips(clips: Tensor, channels: int, *, least_frames: int = 1, least_size: int = 1) -> None:
    """Clips are sequences of pictures (n, t, channels, height, width), long and large enough.

    Raises:
        InputError: they are not.
    """
    if (
        clips.dim() != 5
        or clips.size(2) != channels
        or clips.size(1) < least_frames
        or min(clips.shape[-2:]) < least_size
        or not clips.is_floating_point()
    ):
        raise InputError(
            f"Expected clips (n, t, {channels}, height, width) of floating-point numbers with at least {least_frames} "
            f"frames of {least_size}×{least_size}, but got {tuple(clips.shape)} of {clips.dtype}."
        )


def stretched(steps: Tensor, frames: int) -> Tensor:
    """The features of the nearest moment for each frame.

    Shapes:
        steps (n, moments, features): (n, frames, features).
    """
    moments = steps.size(1)
    nearest = ((torch.arange(frames, device=steps.device) + 0.5) * moments / frames).long()
    return steps[:, nearest.clamp_max(moments - 1)]
