"""Clips of one length and size with a class each, and perhaps their sound."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import InputError


@dataclass(frozen=True, eq=False)
class ClipCollection:
    """Clips in memory; whoever uses them says which are learned from.

    Args:
        clips: sequences of pictures in colour.
        labels: the class of each.
        class_names: of the labels.
        sounds: one channel each, of equal length; None where there are none.
        sample_rate: of the sounds; 0 without.

    Shapes:
        clips (n, t, 3, height, width) uint8, labels (n,) int64, sounds (n, samples) float32.

    Units: sample_rate in 1/s.

    Raises:
        InputError: shapes, types or labels do not fit together.
    """

    name: str
    clips: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    sounds: Tensor | None = None
    sample_rate: int = 0

    def __post_init__(self) -> None:
        if self.clips.dtype != torch.uint8 or self.clips.dim() != 5 or self.clips.size(2) != 3:
            raise InputError(
                f"The clips of '{self.name}' must be uint8 of shape (n, t, 3, height, width), not {self.clips.dtype} "
                f"of shape {tuple(self.clips.shape)}."
            )
        if self.labels.dtype != torch.int64 or self.labels.shape != (len(self.clips),):
            raise InputError(
                f"The labels of '{self.name}' must be int64 of shape ({len(self.clips)},), not {self.labels.dtype} of "
                f"shape {tuple(self.labels.shape)}."
            )
        last = len(self.class_names) - 1
        if len(self.labels) and not 0 <= int(self.labels.min()) <= int(self.labels.max()) <= last:
            raise InputError(f"The labels of '{self.name}' must lie in 0 to {last}.")
        if self.sounds is not None and (
            self.sounds.dim() != 2 or len(self.sounds) != len(self.clips) or self.sample_rate < 1
        ):
            raise InputError(
                f"The sounds of '{self.name}' must have shape ({len(self.clips)}, samples) and a sample rate, not "
                f"{tuple(self.sounds.shape)} and {self.sample_rate}."
            )
