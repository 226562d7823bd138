"""What is seen, how it moves and what is heard, joined into a class for a clip and for each of its frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmgraph.fusion.contributions import Contributions
from mmgraph.fusion.modalities import Fusion, Strategy
from mmgraph.vision.clips import stretched

SOUND = "sound"


class VideoFusion(nn.Module):
    """Streams that look at a clip or listen to it, and what they say together.

    z = fusion({m: e_m(x_m)});  for frame t  z_t = fusion of the features of the moment of the frame

    The stream called "sound" hears, all others see. A clip without sound, and a sound without a clip, is judged by the
    others.

        VideoFusion({"appearance": FrameEncoder(…), "motion": MotionEncoder(…), "sound": SoundEncoder(…)},
                    {"appearance": 32, "motion": 32, "sound": 32}, num_classes=8)(clips, sounds)

    Args:
        streams: clips or sounds → vectors (n, features), with `steps` for the moments.
        features: how many features each stream gives.
        num_classes: how many classes.
        strategy: how they are joined, as for `Fusion`.
        dim: numbers of each stream that are joined.
        dropout: of these, in training.

    Shapes:
        clips (n, t, channels, height, width), sounds (n, samples), present (n,) bool: (n, num_classes);
        `per_frame` (n, t, num_classes).

    Raises:
        UnknownNameError: there is no such strategy.
        InputError: streams and features that do not fit together, clips or sounds that do not fit, or nothing to
            see or hear.
    """

    def __init__(
        self,
        streams: Mapping[str, nn.Module],
        features: Mapping[str, int],
        num_classes: int,
        *,
        strategy: Strategy = "late",
        dim: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.streams = nn.ModuleDict(streams)
        # The streams run by themselves, so that features of clips and of frames are joined by the same weights.
        self.fusion = Fusion(
            {name: nn.Identity() for name in streams},
            features,
            num_classes,
            strategy=strategy,
            dim=dim,
            dropout=dropout,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """What the streams are called."""
        return self.fusion.names

    def forward(
        self, clips: Tensor | None, sounds: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Logits of clips; `present` says which of them have a sound."""
        logits: Tensor = self.fusion(self.features(clips, sounds), _present(present))
        return logits

    def together_and_alone(
        self, clips: Tensor, sounds: Tensor | None = None, present: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits of all streams, and of each alone; every stream runs once."""
        return self.fusion.together_and_alone(self.features(clips, sounds), _present(present))

    def features(self, clips: Tensor | None, sounds: Tensor | None = None) -> dict[str, Tensor | None]:
        """What each stream gives; None where there is nothing for it."""
        sources = {name: sounds if name == SOUND else clips for name in self.names}
        return {
            name: None if sources[name] is None else stream(sources[name])
            for name, stream in self.streams.items()
        }

    def contributions(
        self, clips: Tensor, sounds: Tensor | None = None, present: Tensor | None = None, **options: Any
    ) -> Contributions:
        """How much each stream has to do with each answer; options as for `Fusion.contributions`."""
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                return self.fusion.contributions(self.features(clips, sounds), _present(present), **options)
        finally:
            self.train(training)

    def per_frame(self, clips: Tensor, sounds: Tensor | None = None) -> Tensor:
        """Logits of each frame; a stream that has fewer moments repeats them."""
        frames = clips.size(1)
        moments: dict[str, Tensor | None] = {}
        for name, stream in self.streams.items():
            source = sounds if name == SOUND else clips
            if source is not None:
                moments[name] = stretched(stream.steps(source), frames).flatten(0, 1)  # type: ignore[operator]
        logits: Tensor = self.fusion(moments).unflatten(0, (len(clips), frames))
        return logits


def _present(sounding: Tensor | None) -> dict[str, Tensor] | None:
    return None if sounding is None else {SOUND: sounding}
