"""A class for a clip, and for each of its frames."""

from __future__ import annotations

from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.vision.clips import stretched


class VideoClassifier(nn.Module):
    """A linear layer on the vector of a clip.

    z = W f(x) + b;  for frame t  z_t = W f_t(x) + b with the features of the moment of the frame

    Where the vector of a clip is a mean of those of its moments, z is the same mean of all z_t.

    Args:
        encoder: clips → vectors (n, features), with `steps` for the moments: `Conv3dEncoder`, `FrameEncoder`,
            `FrameLSTM`, `MotionEncoder` or `TwoStream`.
        features: what it gives.
        num_classes: how many classes.

    Shapes:
        clips (n, t, channels, height, width): (n, num_classes); `per_frame` (n, t, num_classes).

    Raises:
        InputError: a number below one, or clips that do not fit.
    """

    def __init__(self, encoder: nn.Module, features: int, num_classes: int) -> None:
        super().__init__()
        if min(features, num_classes) < 1:
            raise InputError(f"Expected features and classes, but got {features} and {num_classes}.")
        self.encoder = encoder
        self.head = nn.Linear(features, num_classes)

    def forward(self, clips: Tensor) -> Tensor:
        logits: Tensor = self.head(self.encoder(clips))
        return logits

    def per_frame(self, clips: Tensor) -> Tensor:
        """Logits of each frame."""
        steps = self.encoder.steps(clips)  # type: ignore[operator]
        logits: Tensor = self.head(stretched(steps, clips.size(1)))
        return logits
