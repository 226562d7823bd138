"""Which frames of a video are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError, UnknownNameError

Strategy = Literal["uniform", "random-segment", "stride", "all"]


@dataclass(frozen=True, kw_only=True)
class FrameSampling:
    """A choice of frames by when they are shown, so that a variable frame rate does not matter.

    The video lasts from its first frame until one usual frame after its last. With c = count:

    uniform: the frame on screen in the middle of each of c equal parts
    random-segment: the frame on screen at a random moment of each of c equal parts (TSN)
    stride: c frames, `stride` apart, from the middle of the video, or from a random place where there is a generator
    all: every frame

    A video of fewer frames than are asked for shows some of them more than once; none is made up.

    Args:
        strategy: which.
        count: how many frames; not used by "all".
        stride: from one frame to the next, in frames; used by "stride" alone.

    Raises:
        UnknownNameError: there is no such strategy.
        InputError: a number below one.

    Source: Wang et al., "Temporal segment networks", ECCV 2016 (random-segment and uniform).
    """

    strategy: Strategy = "uniform"
    count: int = 16
    stride: int = 1

    def __post_init__(self) -> None:
        if self.strategy not in get_args(Strategy):
            raise UnknownNameError.of("frame sampling", self.strategy, get_args(Strategy))
        if min(self.count, self.stride) < 1:
            raise InputError(
                f"Expected at least one frame and a stride of at least 1, but got {self.count} and {self.stride}."
            )

    def positions(
        self, times: npt.NDArray[np.float64], generator: np.random.Generator | None = None
    ) -> npt.NDArray[np.int64]:
        """Which frames, in order.

        Args:
            times: when each frame is shown, ascending.
            generator: of the random moments.

        Shapes:
            times (frames,): (count,), or (frames,) for "all".

        Units: seconds.

        Raises:
            InputError: there are no frames, or no generator for a random choice.
        """
        frames = len(times)
        if frames == 0:
            raise InputError("Expected a video with at least one frame to choose from, but it has none.")
        if self.strategy == "all":
            return np.arange(frames)
        if self.strategy == "stride":
            free = max(0, frames - (self.count - 1) * self.stride - 1)
            start = free // 2 if generator is None else int(generator.integers(free + 1))
            return np.minimum(start + self.stride * np.arange(self.count), frames - 1)
        if self.strategy == "uniform":
            moment = np.full(self.count, 0.5)
        elif generator is None:
            raise InputError("Expected a generator for the frame sampling random-segment, but there is none.")
        else:
            moment = generator.random(self.count)
        usual = float(np.median(np.diff(times))) if frames > 1 else 1.0
        lasts = float(times[-1] - times[0]) + usual
        wanted = times[0] + (np.arange(self.count) + moment) / self.count * lasts
        # A millionth of a frame: times are rounded, and a frame begins when it begins.
        found = np.searchsorted(times, wanted + 1e-6 * usual, side="right") - 1
        places: npt.NDArray[np.int64] = np.clip(found, 0, frames - 1).astype(np.int64)
        return places
