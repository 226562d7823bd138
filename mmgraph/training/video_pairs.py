"""The task of learning distances between videos from listed pairs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmgraph.inspection import Capture
from mmgraph.metric import Pairs, PairSampler, Siamese, retrieval_scores
from mmgraph.runs import ItemSet
from mmgraph.training.clip_variation import ClipVariation
from mmgraph.training.metric_learning import MetricLearning


class VideoPairLearning(MetricLearning):
    """Bring similar videos together and dissimilar ones apart, by lists of both.

    Beside what images are judged by, the nearest training video of each item of a part gives it its class: `1-nn` by
    the learned distance; of the test part `1-nn-untrained` by the same network before training and `1-nn-pixels` by the
    pixels too, which is what learning is to be compared with.

    Args:
        model: a Siamese network over clips with a loss of pairs.
        clips: uint8 clips of each part, "train", "validation" and "test".
        labels: classes of each part; training looks at `pairs` alone.
        pairs: of rows of the training part, similar or not.
        items: the clips the model is looked at with; their pixels are `probe`.
        probe: uint8 clips, as rows of `items`.
        capture: what else to look at in the encoder.
        pairs_per_batch: an even number; half of them are similar.
        batches: of an epoch.
        variation: random windows and changes of clips in training.
        seed: of all that is random.

    Shapes:
        clips (n, t, channels, height, width) uint8; labels (n,) int64.

    Raises:
        InputError: a part is empty, clips and labels do not fit, or a number out of range.
        EmptyPairsError: no similar or no dissimilar pairs.
    """

    monitor = "validation/auc"

    def __init__(
        self,
        model: Siamese,
        clips: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        pairs: Pairs,
        *,
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
        pairs_per_batch: int = 32,
        batches: int = 4,
        variation: ClipVariation | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(model, clips, labels, items=items, probe=probe, capture=capture, seed=seed)
        self._pairs = PairSampler(pairs, batch_size=pairs_per_batch, batches=batches, seed=seed)
        self._variation = ClipVariation() if variation is None else variation
        self._untrained: nn.Module | None = copy.deepcopy(model.encoder).eval()
        self.batches_per_epoch = len(self._pairs)

    def to(self, device: torch.device) -> None:
        """Move model and all clips to a device."""
        super().to(device)
        if self._untrained is not None:
            self._untrained.to(device)

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own encoder: normalised clips (n, t, channels, height, width) → vectors (n, features)."""
        super().adopt(model)
        self._untrained = None  # what it was before it was trained is not known

    def normalise(self, images: Tensor) -> Tensor:
        """Pixels 0 … 255 as numbers of mean 0 and standard deviation 1 over the training part."""
        return (images.float() / 255 - self._mean) / self._std

    def batches(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Pairs of each batch and what clips are varied with; both depend on the seed, the epoch and the position."""
        for position, pairs in enumerate(self._pairs.epoch(epoch, start), start):
            key = ((self._seed * 1_000_003 + epoch) * 1_000_003 + position) % 2**63
            yield pairs, torch.Generator().manual_seed(key)

    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss of the pairs of a batch."""
        pairs, generator = batch
        rows, places = torch.unique(torch.cat([pairs.first, pairs.second]), return_inverse=True)
        clips = self._variation(self.normalise(self._images["train"][rows.to(self._probe.device)]), generator)
        first, second = places.chunk(2)
        return self.model.pair_loss(clips, Pairs(first, second, pairs.similar)), {}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """As images are judged, and by the nearest training video."""
        numbers = super().evaluate(split)
        with torch.no_grad():
            known, asked = (self.embed(self._images[part]) for part in ("train", split))
            numbers[f"{split}/1-nn"] = self._nearest(known, asked, split)
            if split == "test":
                for name, features in self._unlearned():
                    known, asked = (
                        torch.cat([features(self.normalise(clips)) for clips in self._images[part].split(32)])
                        for part in ("train", split)
                    )
                    numbers[f"{split}/1-nn-{name}"] = self._nearest(known, asked, split)
        return numbers

    def _unlearned(self) -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
        """What learning is compared with: the pixels, and the network before it was trained."""
        if self._untrained is not None:
            yield "untrained", self._untrained
        yield "pixels", lambda clips: clips.flatten(1)

    def _nearest(self, known: Tensor, asked: Tensor, split: str) -> float:
        found = retrieval_scores(
            known,
            self._labels["train"],
            queries=asked,
            query_labels=self._labels[split],
            distance=self.model.distance,
            ks=(1,),
        )
        return found["recall@1"]
