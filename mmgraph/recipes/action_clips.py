"""Clips of UCF101 in three parts, for the recipes that learn from them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph import datasets
from mmgraph.datasets.frame_sampling import FrameSampling
from mmgraph.runs import Recordings
from mmgraph.vision import Augmentation

HELD_PER_CLASS = 2
"""Training videos of each class that choose the best weights; each is of a group of its own."""
PEOPLE = Augmentation(flip=0.5, shift=0.08, scale=0.1)
"""How clips of people are varied: mirrored, shifted and scaled."""


PLAYED_RATE = 8.0
"""Frames in a second of clips whose frames lie further apart than in their video."""


@dataclass(frozen=True)
class ClipParts:
    """Clips, labels and names of each part, "train", "validation" and "test".

    Args:
        frame_rate: frames in a second, to play them.
        sounds: of each part; None where clips are silent.
        sample_rate: of the sounds; 0 without.

    Shapes:
        clips (n, t, 3, height, width) uint8, labels (n,) of each; sounds (n, samples).
    """

    clips: dict[str, Tensor]
    labels: dict[str, Tensor]
    class_names: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    frame_rate: float = PLAYED_RATE
    sounds: dict[str, Tensor] | None = None
    sample_rate: int = 0

    def shown_clips(self, count: int) -> Recordings:
        """The first test clips, as an item set keeps them."""
        return Recordings.of_clips(self.clips["test"][:count].permute(0, 1, 3, 4, 2).numpy(), self.frame_rate)

    def shown_sounds(self, count: int) -> Recordings | None:
        """Their sounds."""
        if self.sounds is None:
            return None
        return Recordings.of_sounds(self.sounds["test"][:count].numpy(), self.sample_rate)


def read_actions(frames: int, image_size: int, seed: int) -> ClipParts:
    """The official test part; of the training part some videos of each class choose the best weights."""
    videos = datasets.load("ucf101")
    sampling = FrameSampling(strategy="stride", count=frames)
    side = (image_size, image_size)
    known, test = (
        videos.decode(part, sampling=sampling, size=side, fit="stretch") for part in ("train", "test")
    )
    names = {part: tuple(videos.paths[row].name for row in rows) for part, rows in videos.parts.items()}
    order = torch.randperm(len(known.labels), generator=torch.Generator().manual_seed(seed))
    classes = range(len(known.class_names))
    held = torch.cat([order[known.labels[order] == label][:HELD_PER_CLASS] for label in classes])
    rows = {"train": order[~torch.isin(order, held)], "validation": held}
    return ClipParts(
        {part: known.clips[some] for part, some in rows.items()} | {"test": test.clips},
        {part: known.labels[some] for part, some in rows.items()} | {"test": test.labels},
        known.class_names,
        {part: tuple(names["train"][row] for row in some.tolist()) for part, some in rows.items()}
        | {"test": names["test"]},
    )
