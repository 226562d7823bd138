"""The task of learning distances between images: a Siamese network on class-balanced batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.metric import ClassBalancedSampler, Siamese, retrieval_scores, verify
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.branches import Branches
from mmgraph.training.pair_distances import distance_histogram
from mmgraph.training.siamese import SiameseTask
from mmgraph.vision import channels_innermost

PAIR_LOSSES = ("contrastive", "hinge")
"""Losses of networks with two branches; the others compare an item with a similar and a dissimilar one."""
MOST_PAIRS_OF = 2000
"""Verification and the histogram compare so many items of a part with each other at most."""


class MetricLearning(SiameseTask):
    """Bring images of one class together and others apart.

    Args:
        model: a Siamese network over images.
        images: uint8 pictures of each part, "train", "validation" and "test".
        labels: classes of each part; the parts may have different ones.
        items: the pictures the model is looked at with; their pixels are `probe`.
        probe: uint8 pictures, as rows of `items`.
        capture: what else to look at in the encoder.
        classes_per_batch, items_per_class: of a batch.
        seed: of the batches and of what miners draw.

    Shapes:
        images (n, height, width) or (n, channels, height, width) uint8; labels (n,) int64.

    Raises:
        InputError: a part is empty, or images and labels do not fit.
        EmptyPairsError: there are no two classes with two images each to learn from.
    """

    monitor = "validation/map@r"

    def __init__(
        self,
        model: Siamese,
        images: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        *,
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
        classes_per_batch: int = 8,
        items_per_class: int = 8,
        seed: int = 0,
    ) -> None:
        for part, pictures in images.items():
            if len(pictures) == 0 or len(pictures) != len(labels[part]):
                raise InputError(
                    f"The {part} part needs as many labels as images, and at least one; it has {len(pictures)} images "
                    f"and {len(labels[part])} labels."
                )
        super().__init__(model, images, labels, items=items, probe=probe, capture=capture)
        self._seed = seed
        self._sampler = ClassBalancedSampler(
            labels["train"], classes_per_batch=classes_per_batch, items_per_class=items_per_class, seed=seed
        )
        known = torch.full((len(probe),), -1) if items.labels is None else torch.from_numpy(items.labels)
        self._branches = Branches(
            known, 2 if model.criterion.kind in PAIR_LOSSES else 3, seed=seed, items=items.name
        )
        self._threshold: float | None = None
        self._histograms: dict[str, Snapshot] = {}
        self.batches_per_epoch = len(self._sampler)

    def normalise(self, images: Tensor) -> Tensor:
        """Pixels 0 … 255 as numbers of mean 0 and standard deviation 1 over the training part."""
        return channels_innermost(super().normalise(images))

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, torch.Generator]]:
        """Rows of each batch and what its miner draws with; both depend on the seed, the epoch and the position."""
        for position, rows in enumerate(self._sampler.epoch(epoch, start), start):
            key = ((self._seed * 1_000_003 + epoch) * 1_000_003 + position) % 2**63
            yield rows.to(self._probe.device), torch.Generator().manual_seed(key)

    def loss(self, batch: tuple[Tensor, torch.Generator]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The metric loss of a batch."""
        rows, generator = batch
        images = self.normalise(self._images["train"][rows])
        return self.model.loss(images, self._labels["train"][rows], generator), {}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Retrieval among the items of a part, and verification of pairs of them."""
        self.model.eval()
        labels = self._labels[split]
        with torch.no_grad():
            vectors = self.embed(self._images[split])
            ks = tuple(k for k in (1, 5) if k < len(vectors))
            found = retrieval_scores(vectors, labels, distance=self.model.distance, ks=ks)
            some = torch.arange(len(vectors))[:: -(-len(vectors) // MOST_PAIRS_OF)].to(labels.device)
            distance = self.model.distance.matrix(vectors[some])
            first, second = torch.triu_indices(len(some), len(some), 1, device=labels.device)
            between, similar = distance[first, second], labels[some[first]] == labels[some[second]]
            judged = verify(between, similar)
        self._histograms[split] = distance_histogram(split, between, similar)
        if split == "validation":
            self._threshold = judged.equal_error_threshold
        names = {**found, "auc": judged.auc, "equal-error-rate": judged.equal_error_rate}
        return {f"{split}/{name}": value for name, value in names.items()}

    def embed(self, images: Tensor) -> Tensor:
        """Vectors of uint8 pictures, computed in batches."""
        return torch.cat([self.model(self.normalise(part)) for part in images.split(self.forward_images)])

    def probe(self) -> list[Snapshot]:
        """Vectors of the probe pictures, what the encoder sees in them, and how far pairs are apart."""
        training = self.model.training
        if self._threshold is None:
            self.evaluate("validation")
        self.model.eval()
        with torch.no_grad():
            vectors = self.embed(self._probe)
        self.model.train(training)
        snapshots = [Snapshot("embedding", "vectors", vectors.float().cpu().numpy(), items=self._items.name)]
        snapshots += self._capture.capture(self.normalise(self._probe))
        snapshots += self._branches.snapshots(vectors, self.model.distance, self._threshold)
        return [*snapshots, *self._histograms.values()]
