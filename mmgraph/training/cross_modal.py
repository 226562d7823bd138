"""Tasks that map images and texts into one space and look for either by the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn, cast

import numpy as np
import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.fusion import (
    ContrastiveMapping,
    CrossModalMapping,
    DeepSemanticMapping,
    Modality,
    Retrieval,
    search_both_ways,
)
from mmgraph.fusion.deep_semantic import Stage
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.task import Task

DIRECTIONS = ("image_text", "text_image")


class CrossModalRetrieval(Task):
    """What the ways to learn a map share: both directions of search, and the probe.

    Args:
        model: the map.
        images, texts, labels: of each part, "train", "validation" and "test"; row i of all three belongs together.
        class_names: a name per class.
        items: what the first rows of the test part are; as many of them are probed.

    Shapes:
        images and texts (n, features) float32, labels (n,) int64.

    Raises:
        InputError: a part is empty, or images, texts and labels do not fit.
    """

    monitor = "validation/map"

    def __init__(
        self,
        model: CrossModalMapping,
        images: Mapping[str, Tensor],
        texts: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
    ) -> None:
        for part, values in images.items():
            if not len(values) or not len(values) == len(texts[part]) == len(labels[part]):
                raise InputError(
                    f"The {part} part needs a text and a label for each image, and at least one; it has {len(values)} "
                    f"images, {len(texts[part])} texts and {len(labels[part])} labels."
                )
        self.model: CrossModalMapping = model
        self._images, self._texts, self._labels = dict(images), dict(texts), dict(labels)
        self._class_names, self._items = tuple(class_names), items
        self._found: dict[str, tuple[Retrieval, Retrieval]] = {}

    def to(self, device: torch.device) -> None:
        """Move model and all pairs to a device."""
        self.model.to(device)
        for parts in (self._images, self._texts, self._labels):
            parts.update({part: values.to(device) for part, values in parts.items()})

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Mean average precision of both directions and their mean, and recall at k of both."""
        images, texts = self._mapped("image", split), self._mapped("text", split)
        ks = tuple(k for k in (1, 5, 10) if k <= len(texts))
        self._found[split] = search_both_ways(self.model.compare(images, texts), self._labels[split], ks=ks)
        scores = {}
        for direction, found in zip(DIRECTIONS, self._found[split], strict=True):
            scores[f"{split}/map_{direction}"] = found.mean_average_precision
            scores |= {f"{split}/recall@{k}_{direction}": share for k, share in found.recall.items()}
        means = [found.mean_average_precision for found in self._found[split]]
        return {f"{split}/map": sum(means) / len(means), **scores}

    def items(self) -> ItemSet:
        """What is probed."""
        return self._items

    def probe(self) -> list[Snapshot]:
        """Both modalities of the same items in the common space, how alike they are, and how well they are found."""
        count = len(self._items)
        images, texts = self._mapped("image", "test", count), self._mapped("text", "test", count)
        snapshots = [
            Snapshot("embedding", layer, vectors.float().cpu().numpy(), items=self._items.name)
            for layer, vectors in (("image", images), ("text", texts))
        ]
        alike = self.model.compare(images, texts).float().cpu().numpy()
        notes = {
            "rows": "image",
            "columns": "text",
            "similarity": self.model.similarity,
            "items": self._items.name,
        }
        snapshots.append(Snapshot("matrix", "similarity", alike, notes=notes))
        for split, found in self._found.items():
            curves = np.stack([one.precision.numpy() for one in found]).astype(np.float32)
            # A bin each for recall 0, 0.1, … 1, in the middle of which the precision was read.
            edges = np.linspace(-0.05, 1.05, curves.shape[1] + 1, dtype=np.float32)
            snapshots.append(
                Snapshot(
                    "matrix",
                    f"precision/{split}",
                    curves,
                    extras={"edges": edges},
                    notes={"rows": ["image → text", "text → image"], "columns": "recall"},
                )
            )
        return snapshots

    def _mapped(self, modality: Modality, split: str, count: int | None = None) -> Tensor:
        values = (self._images if modality == "image" else self._texts)[split][:count]
        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            mapped = cast("Tensor", self.model(values, modality))
        self.model.train(training)
        return mapped


class SolvedRetrieval(CrossModalRetrieval):
    """A map that is solved for at once, such as CCA; one batch of one epoch."""

    def batches(self, epoch: int, start: int = 0) -> Iterator[None]:
        """The one batch there is: all pairs."""
        yield None

    def own_step(self, batch: None, learning_rate: float) -> Mapping[str, float]:
        """Solve."""
        self.model.fit(self._images["train"], self._texts["train"], self._labels["train"])
        return {}

    def probe(self) -> list[Snapshot]:
        """Nothing before the map is solved for: all would lie in one point."""
        return super().probe() if any(bool(weight.any()) for weight in self.model.parameters()) else []

    def loss(self, batch: object) -> NoReturn:
        """Not used: the task takes its own step."""
        raise InputError("A map that is solved for has no gradient: it takes its own step.")


class LearnedRetrieval(CrossModalRetrieval):
    """A map that learns by gradients, in shuffled batches; a deep semantic one learns each modality apart first.

    Args:
        batch_size: pairs in a batch; a smaller last one is left out.
        modal_epochs: in which the modalities of a `DeepSemanticMapping` are trained apart.
        keep: whether what those epochs trained stays as it is in the epochs after them.
        seed: of the shuffling.
    """

    def __init__(
        self,
        model: DeepSemanticMapping | ContrastiveMapping,
        images: Mapping[str, Tensor],
        texts: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        batch_size: int = 64,
        modal_epochs: int = 0,
        keep: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(model, images, texts, labels, class_names=class_names, items=items)
        if not 2 <= batch_size <= len(labels["train"]):
            raise InputError(
                f"Expected batches of 2 to {len(labels['train'])} pairs, those there are, but got {batch_size}."
            )
        self._batch_size, self._modal_epochs, self._seed = batch_size, modal_epochs, seed
        self._second: Stage = "shared" if keep and modal_epochs else "joint"
        self.batches_per_epoch = len(labels["train"]) // batch_size

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, int]]:
        """Rows of each batch, and the epoch they are of."""
        labels = self._labels["train"]
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        order = torch.randperm(len(labels), generator=generator).to(labels.device)
        for position in range(start, self.batches_per_epoch):
            yield order[position * self._batch_size : (position + 1) * self._batch_size], epoch

    def loss(self, batch: tuple[Tensor, int]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss of the stage that an epoch belongs to."""
        rows, epoch = batch
        images, texts, labels = (parts["train"][rows] for parts in (self._images, self._texts, self._labels))
        if isinstance(self.model, DeepSemanticMapping):
            stage: Stage = "modal" if epoch < self._modal_epochs else self._second
            return self.model.loss(images, texts, labels, stage), {}
        return cast("ContrastiveMapping", self.model).loss(images, texts, labels), {}
