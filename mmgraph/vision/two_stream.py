"""How things look and how they move, each seen by a network of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.datasets.motion import frame_differences, optical_flow
from mmgraph.errors import UnknownNameError
from mmgraph.vision.clips import check_clips, stretched

Motion = Literal["difference", "flow"]
MOTIONS: dict[str, Callable[[Tensor], Tensor]] = {"difference": frame_differences, "flow": optical_flow}


class MotionEncoder(nn.Module):
    """What a network gives for the motion in a clip instead of the clip.

    y = m(Δx), Δx the differences of frames or the optical flow between them; no gradient flows through Δ

    Args:
        encoder: motion (n, t − 1, channels, height, width) → vectors, such as `FrameEncoder(stack=5)`.
        motion: "difference" with the channels of the clip, or "flow" with two, in pixels per frame.
        channels: of a frame.

    Shapes:
        clips (n, t, channels, height, width): (n, features).

    Raises:
        InputError: clips that do not fit or have fewer than two frames.
        UnknownNameError: there is no such motion.
    """

    def __init__(self, encoder: nn.Module, *, motion: Motion = "difference", channels: int = 3) -> None:
        super().__init__()
        if motion not in get_args(Motion):
            raise UnknownNameError.of("kind of motion", motion, get_args(Motion))
        self.encoder = encoder
        self.motion, self.channels = motion, channels

    def moving(self, clips: Tensor) -> Tensor:
        """What the network sees."""
        check_clips(clips, self.channels, least_frames=2)
        with torch.no_grad():
            return MOTIONS[self.motion](clips)

    def steps(self, clips: Tensor) -> Tensor:
        """Features of each moment."""
        features: Tensor = self.encoder.steps(self.moving(clips))  # type: ignore[operator]
        return features

    def forward(self, clips: Tensor) -> Tensor:
        features: Tensor = self.encoder(self.moving(clips))
        return features

    def extra_repr(self) -> str:
        return f"motion={self.motion!r}"


class TwoStream(nn.Module):
    """Vectors of appearance and of motion, side by side.

    y = [a(x), m(x)]

    Args:
        appearance: clips → vectors, such as `FrameEncoder`.
        motion: clips → vectors, such as `MotionEncoder`.

    Shapes:
        clips (n, t, channels, height, width): (n, features of both); `steps` (n, t, features of both).

    Raises:
        InputError: clips that do not fit.

    Source: Simonyan & Zisserman, "Two-stream convolutional networks for action recognition", NeurIPS 2014.
    Differs: the streams are trained together and joined as features.
    """

    def __init__(self, appearance: nn.Module, motion: nn.Module) -> None:
        super().__init__()
        self.appearance, self.motion = appearance, motion

    def steps(self, clips: Tensor) -> Tensor:
        """Features of each frame; a stream that has fewer moments repeats them."""
        frames = clips.size(1)
        parts = [
            stretched(stream.steps(clips), frames)  # type: ignore[operator]
            for stream in (self.appearance, self.motion)
        ]
        return torch.cat(parts, 2)

    def forward(self, clips: Tensor) -> Tensor:
        return torch.cat([self.appearance(clips), self.motion(clips)], 1)
