"""Random windows and changes of clips, the same for all frames of one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.vision import Augmentation


@dataclass(frozen=True)
class ClipVariation:
    """A window of each clip from a random place, all of whose frames are turned, shifted and mirrored alike.

    Args:
        window: frames of the result; None takes all.
        augmentation: of the frames; None leaves them as they are. Its colours would change from frame to frame.

    Shapes:
        clips (n, t, channels, height, width) of any floating type: (n, window, channels, height, width).

    Raises:
        InputError: a window below one, colours that change, or clips shorter than the window.
    """

    window: int | None = None
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        if self.window is not None and self.window < 1:
            raise InputError(f"Expected a window of at least one frame, but got {self.window}.")
        if self.augmentation is not None and self.augmentation.colour:
            raise InputError("Expected colours that stay, for they would change from frame to frame.")

    def __call__(self, clips: Tensor, generator: torch.Generator) -> Tensor:
        """Changed copies of clips, by a generator of the CPU."""
        return self.with_sounds(clips, None, generator)[0]

    def with_sounds(
        self, clips: Tensor, sounds: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Changed copies of clips, and what is heard meanwhile.

        Shapes:
            sounds (n, samples), as long as the clips: (n, samples · window / t).
        """
        window = clips.size(1) if self.window is None else self.window
        free = clips.size(1) - window
        if free < 0:
            raise InputError(f"Expected clips of at least {window} frames, but they have {clips.size(1)}.")
        if free:
            starts = torch.randint(free + 1, (len(clips), 1), generator=generator)
            if sounds is not None:
                samples = torch.arange(sounds.size(1) * window // clips.size(1))
                first = starts * sounds.size(1) // clips.size(1)
                sounds = sounds.gather(1, (first + samples).to(sounds.device))
            frames = (starts + torch.arange(window)).to(clips.device)
            clips = clips[torch.arange(len(clips), device=clips.device).unsqueeze(1), frames]
        if self.augmentation is None:
            return clips, sounds
        # Frames as channels of one picture, so that a clip turns and shifts as a whole.
        return self.augmentation(clips.flatten(1, 2), generator).view_as(clips), sounds
