"""The task of classifying clips, with a look at each of their frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.inspection.examined import Examined
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import Classification, pixel_statistics, scores
from mmgraph.training.clip_variation import ClipVariation
from mmgraph.training.frame_strip import frame_strips
from mmgraph.vision import VideoClassifier

FORWARD_CLIPS = 32
STRIPS = 12
"""Clips whose frames are drawn with what is thought at each."""
THOUGHT_OF = 64
"""Clips of which what is thought at each frame is recorded."""


class VideoClassification(Classification):
    """Classify clips, in shuffled mini-batches.

    Args:
        model: clips → logits, and logits of each frame.
        clips: uint8 clips of each split, "train", "validation" and "test".
        labels: classes of each split.
        class_names: a name per class.
        items: the clips the model is looked at with; their pixels are `probe`.
        probe: uint8 clips, as rows of `items`.
        capture: what to look at.
        batch_size: clips in a batch; the last batch of an epoch may be smaller.
        variation: random windows and changes of clips in training; whole clips are evaluated, as they are.
        seed: of all that is random.

    Shapes:
        clips (n, t, channels, height, width) uint8; labels (n,) int64.

    Raises:
        InputError: a part is empty, or clips and labels do not fit.
    """

    def __init__(
        self,
        model: VideoClassifier,
        clips: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
        batch_size: int = 32,
        variation: ClipVariation | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(model, class_names, items, capture)
        for split, some in clips.items():
            if len(some) == 0 or len(some) != len(labels[split]) or some.dim() != 5:
                raise InputError(
                    f"The {split} part needs clips (n, t, channels, height, width), at least one, and as many labels; "
                    f"it has {tuple(some.shape)} and {len(labels[split])} labels."
                )
        self.model: nn.Module
        self._classifier = model
        self._clips, self._labels, self._probe = dict(clips), dict(labels), probe
        self._batch_size, self._seed = batch_size, seed
        self._variation = ClipVariation() if variation is None else variation
        self._mean, self._std = pixel_statistics(clips["train"])
        self.batches_per_epoch = -(-len(clips["train"]) // batch_size)

    def to(self, device: torch.device) -> None:
        """Move model and all clips to a device."""
        self.model.to(device)
        self._clips = {split: value.to(device) for split, value in self._clips.items()}
        self._labels = {split: value.to(device) for split, value in self._labels.items()}
        self._probe = self._probe.to(device)

    def normalise(self, clips: Tensor) -> Tensor:
        """Pixels 0 … 255 as numbers of mean 0 and standard deviation 1 over the training part."""
        return (clips.float() / 255 - self._mean) / self._std

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled batches; all that is random depends on the seed, the epoch and the position alone."""
        clips, labels = self._clips["train"], self._labels["train"]
        key = self._seed * 1_000_003 + epoch
        order = torch.randperm(len(clips), generator=torch.Generator().manual_seed(key % 2**63))
        for position in range(start, self.batches_per_epoch):
            rows = order[position * self._batch_size : (position + 1) * self._batch_size].to(clips.device)
            generator = torch.Generator().manual_seed((key * 1_000_003 + position) % 2**63)
            yield self._variation(self.normalise(clips[rows]), generator), labels[rows]

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of a batch."""
        clips, labels = batch
        return scores(self.model(clips), labels)

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the data, computed in batches."""
        parts = self._clips[split].split(FORWARD_CLIPS)
        return torch.cat([self.model(self.normalise(part)) for part in parts]), self._labels[split]

    def probe_inputs(self) -> tuple[Any, ...]:
        """The probe clips."""
        return (self.normalise(self._probe),)

    @cached_property
    def examined(self) -> Examined:
        """The model, and the probe as clips: so can others be shown to it."""
        return Examined(self._capture, self.look, None, self._items, self._probe, self.normalise)

    def probe(self) -> list[Snapshot]:
        """What is inside, and the frames of some clips with what is thought at each of them."""
        thought_of = self._probe[:THOUGHT_OF]
        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            frames = self._classifier.per_frame(self.normalise(thought_of)).softmax(2).float().cpu().numpy()
        self.model.train(training)
        shown = thought_of[:STRIPS]
        labels = self._items.labels
        assert labels is not None
        strips = frame_strips(
            shown.permute(0, 1, 3, 4, 2).cpu().numpy(), frames[: len(shown)], labels[: len(shown)]
        )
        strip = Snapshot(
            "image",
            "frames",
            strips,
            items=self._items.name,
            extras={
                "rows": np.arange(len(shown)),
                "predictions": frames,
                "prediction_rows": np.arange(len(frames)),
            },
            notes={"classes": list(self.class_names)},
        )
        return [*super().probe(), strip]
