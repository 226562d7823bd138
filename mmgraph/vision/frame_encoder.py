"""One image network for all frames of a clip, or for all stacks of a few frames."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision.clips import check_clips

Frames = Literal["all", "middle"]


class FrameEncoder(nn.Module):
    """The mean of what an image network gives for each stack of frames.

    y_t = f(x_t, …, x_{t + stack − 1} as channels);  y = mean_t y_t

    With a stack of 1 it knows how things look and not how they move; with more, on differences or flow, it is the
    motion stream of a two-stream network. With frames="middle" it sees one frame of the clip, a baseline for motion.

    Args:
        network: images (n, stack · channels, height, width) → vectors (n, features).
        channels: of a frame.
        stack: frames that it sees at once.
        frames: "all", or "middle" for the stack in the middle alone.

    Shapes:
        clips (n, t, channels, height, width): (n, features); `steps` (n, t − stack + 1, features).

    Raises:
        InputError: a number below one, or clips that do not fit or are shorter than a stack.
        UnknownNameError: there is no such choice of frames.

    Source: Simonyan & Zisserman, "Two-stream convolutional networks for action recognition", NeurIPS 2014.
    """

    def __init__(
        self, network: nn.Module, channels: int = 3, *, stack: int = 1, frames: Frames = "all"
    ) -> None:
        super().__init__()
        if min(channels, stack) < 1:
            raise InputError(f"Expected at least one channel and frame, but got {channels} and {stack}.")
        if frames not in get_args(Frames):
            raise UnknownNameError.of("choice of frames", frames, get_args(Frames))
        self.network = network
        self.channels, self.stack, self.frames = channels, stack, frames

    def steps(self, clips: Tensor) -> Tensor:
        """Features of each stack."""
        check_clips(clips, self.channels, least_frames=self.stack)
        if self.frames == "middle":
            start = (clips.size(1) - self.stack) // 2
            clips = clips[:, start : start + self.stack]
        # (n, stacks, channels, height, width, stack) with the frames of a stack side by side as channels.
        stacks = clips.unfold(1, self.stack, 1).permute(0, 1, 5, 2, 3, 4)
        count = stacks.size(1)
        features: Tensor = self.network(stacks.reshape(-1, self.stack * self.channels, *clips.shape[-2:]))
        steps: Tensor = features.unflatten(0, (-1, count))
        return steps

    def forward(self, clips: Tensor) -> Tensor:
        return self.steps(clips).mean(1)

    def extra_repr(self) -> str:
        return f"stack={self.stack}, frames={self.frames!r}"
