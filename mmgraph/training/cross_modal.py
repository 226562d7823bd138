"""Tasks that map images and texts into one space and look for either by the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, NoReturn, cast, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mmgraph.datasets.one_file import read_like
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
from mmgraph.inspection import Capture
from mmgraph.inspection.examined import Answer
from mmgraph.questions import Search
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.task import Task

if TYPE_CHECKING:
    from mmgraph.inspection.examined import Report
    from mmgraph.questions import Question

DIRECTIONS = ("image_text", "text_image")


class Found(NamedTuple):
    """What fits an image or a text: its vector in the common space, and items of the other modality, best first.

    Shapes:
        vector (1, d); similarities as many as rows of the item set.
    """

    vector: Tensor
    rows: tuple[int, ...]
    similarities: tuple[float, ...]


@dataclass(frozen=True)
class NewItems:
    """How something new becomes features that the map knows.

    Args:
        size: height and width of its images.
        image: grey images (n, height, width) uint8 to features.
        text: a text to features (1, features).
    """

    size: tuple[int, int]
    image: Callable[[Tensor], Tensor]
    text: Callable[[str], Tensor]


class CrossModalRetrieval(Task):
    """What the ways to learn a map share: both directions of search, and the probe.

    Args:
        model: the map.
        images, texts, labels: of each part, "train", "validation" and "test"; row i of all three belongs together.
        class_names: a name per class.
        items: what the first rows of the test part are; as many of them are probed.
        new_items: how new images and texts become features; None where the features were only ever given.

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
        new_items: NewItems | None = None,
    ) -> None:
        for part, values in images.items():
            if not len(values) or not len(values) == len(texts[part]) == len(labels[part]):
                raise InputError(
                    f"The {part} part needs a text and a label for each image, and at least one; it has {len(values)} "
                    f"images, {len(texts[part])} texts and {len(labels[part])} labels."
                )
        self.model: CrossModalMapping = model
        self._images, self._texts, self._labels = dict(images), dict(texts), dict(labels)
        self._layers = Capture(model, kinds=())
        self._class_names, self._items, self._new_items = tuple(class_names), items, new_items
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

    def search_by_text(self, text: str, k: int = 10) -> Found:
        """The probed images that fit a new text best.

        Raises:
            InputError: the task cannot read texts, or knows none of the words.
        """
        return self._search(self._reads().text(text), "text", k)

    def search_by_image(self, image: npt.NDArray[np.uint8], k: int = 10) -> Found:
        """The probed texts that fit a new image best.

        Shapes:
            image (height, width) uint8, of the size that the images of the data set have.

        Raises:
            InputError: the task cannot read images, or it is of another size.
        """
        reads = self._reads()
        if image.dtype != np.uint8 or image.shape != reads.size:
            raise InputError(
                f"Expected a grey image {reads.size} of uint8, but got {image.shape} of {image.dtype}."
            )
        return self._search(reads.image(torch.tensor(image)[None]), "image", k)

    def search_by_item(self, row: int, modality: Modality, k: int = 10) -> Found:
        """The probed items whose other modality fits an item's image or text best.

        Raises:
            InputError: there is no such item.
        """
        if not 0 <= row < len(self._items):
            raise InputError(f"There are items 0 to {len(self._items) - 1}, no item {row}.")
        values = (self._images if modality == "image" else self._texts)["test"]
        return self._search(values[row : row + 1], modality, k)

    def answer(self, question: Question, report: Report) -> Answer:
        """A search by an image, a text, or both modalities of an item, besides what every task answers."""
        if not isinstance(question, Search):
            return super().answer(question, report)
        if question.text is not None:
            asked: dict[Modality, Found] = {"text": self.search_by_text(question.text, question.k)}
        elif question.file is not None:
            asked = {"image": self.search_by_image(read_like(question.file, self._reads().size), question.k)}
        else:
            row = cast("int", question.row)
            asked = {by: self.search_by_item(row, by, question.k) for by in get_args(Modality)}
        facts = {
            by: [
                {"row": row, "similarity": alike}
                for row, alike in zip(found.rows, found.similarities, strict=True)
            ]
            for by, found in asked.items()
        }
        vectors = (
            Snapshot("embedding", by, found.vector.float().cpu().numpy()) for by, found in asked.items()
        )
        return Answer({"by": facts}, tuple(vectors))

    def items(self) -> ItemSet:
        """What is probed."""
        return self._items

    def probe(self) -> list[Snapshot]:
        """Both modalities of the same items in the common space, how alike they are, and how well they are found."""
        count = len(self._items)
        with self._layers.sampling():
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

    def activations(self) -> list[Snapshot]:
        """Of the layers while images and texts are mapped."""
        return self._layers.spread()

    def _reads(self) -> NewItems:
        if self._new_items is None:
            raise InputError(
                "Images and texts of this data set came as features, so nothing new can be compared with them: "
                "search by one of its items."
            )
        return self._new_items

    def _search(self, features: Tensor, modality: Modality, k: int) -> Found:
        if k < 1:
            raise InputError(f"Expected at least one item to find, but got {k}.")
        gallery = self._mapped("text" if modality == "image" else "image", "test", len(self._items))
        vector = self._vectors(features.to(gallery.device), modality)
        alike = self.model.compare(vector, gallery)[0].double()
        order = alike.argsort(descending=True, stable=True)[:k]
        return Found(vector, tuple(order.tolist()), tuple(alike[order].tolist()))

    def _mapped(self, modality: Modality, split: str, count: int | None = None) -> Tensor:
        return self._vectors((self._images if modality == "image" else self._texts)[split][:count], modality)

    def _vectors(self, values: Tensor, modality: Modality) -> Tensor:
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
        new_items: NewItems | None = None,
        batch_size: int = 64,
        modal_epochs: int = 0,
        keep: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(
            model, images, texts, labels, class_names=class_names, items=items, new_items=new_items
        )
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
