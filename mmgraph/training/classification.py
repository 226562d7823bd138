"""Tasks whose answer is one class per item: images in batches, nodes of a graph all at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.inspection.examined import Examined
from mmgraph.inspection.inputs import Inputs
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.optimizers import decayed_groups
from mmgraph.training.task import Task

if TYPE_CHECKING:
    from mmgraph.graph import SparseFeatures


def scores(logits: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy −log softmax(logits)[label], averaged, and the share of items classified correctly.

    Shapes:
        logits (n, classes), labels (n,).
    """
    loss = F.cross_entropy(logits, labels)
    return loss, {"accuracy": (logits.detach().argmax(dim=1) == labels).float().mean()}


def confusion(predicted: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Counts of items by true class (rows) and predicted class (columns).

    Shapes:
        predicted and labels (n,); result (num_classes, num_classes) int64.
    """
    pairs = labels * num_classes + predicted
    return torch.bincount(pairs, minlength=num_classes * num_classes).reshape(num_classes, num_classes)


def pixel_statistics(images: Tensor) -> tuple[float, float]:
    """Mean and standard deviation of the pixels of uint8 pictures, as fractions of 255; from their histogram."""
    share = torch.bincount(images.flatten(), minlength=256).double() / images.numel()
    values = torch.arange(256, dtype=torch.float64) / 255
    mean = (share * values).sum()
    return float(mean), max(float((share * (values - mean) ** 2).sum().sqrt()), 1e-8)


class Classification(Task):
    """What both kinds share: the confusion matrix of the last evaluation, and the probe."""

    def __init__(
        self, model: nn.Module, class_names: Sequence[str], items: ItemSet, capture: Capture
    ) -> None:
        self.model = model
        self.class_names = tuple(class_names)
        self._items, self._capture = items, capture
        self._confusions: dict[str, Tensor] = {}

    def items(self) -> ItemSet:
        """What the rows of the embedding are."""
        return self._items

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss and accuracy on a part of the data."""
        self.model.eval()
        with torch.no_grad():
            logits, labels = self.outputs(split)
            loss, metrics = scores(logits, labels)
            self._confusions[split] = confusion(logits.argmax(dim=1), labels, len(self.class_names))
        return {f"{split}/loss": float(loss), f"{split}/accuracy": float(metrics["accuracy"])}

    @abstractmethod
    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the data."""

    @abstractmethod
    def probe_inputs(self) -> tuple[Any, ...]:
        """What the model is looked at with."""

    @cached_property
    def examined(self) -> Examined:
        """The model and its probe."""
        return Examined(self._capture, self.look, Inputs(self.probe_inputs()), self._items)

    def _adopt(self, model: nn.Module, capture: Capture | None = None) -> None:
        self.model, self._capture = model, Capture(model) if capture is None else capture
        self.__dict__.pop("examined", None)

    def look(self, inputs: Inputs) -> list[Snapshot]:
        """What there is to see in some items, given to the model like those of the probe."""
        return self._capture.capture(*inputs.args, **inputs.kwargs)

    def probe(self) -> list[Snapshot]:
        """Look inside the model as it is now."""
        snapshots = self.look(Inputs(self.probe_inputs()))
        for split, counts in self._confusions.items():
            notes = {"classes": list(self.class_names)}
            snapshots.append(Snapshot("matrix", f"confusion/{split}", counts.cpu().numpy(), notes=notes))
        return snapshots


class ImageClassification(Classification):
    """Classify images, in shuffled mini-batches.

    Args:
        model: images (n, channels, height, width) → logits.
        images: uint8 pictures of each split, "train", "validation" and "test".
        labels: classes of each split.
        class_names: a name per class.
        items: the pictures the model is looked at with; their pixels are `probe`.
        probe: uint8 pictures, as rows of `items`.
        capture: what to look at.
        batch_size: pictures in a batch; the last batch of an epoch may be smaller.
        seed: of the shuffling.

    Shapes:
        images (n, height, width) or (n, channels, height, width) uint8; labels (n,) int64.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        super().__init__(model, class_names, items, capture)
        for split, pictures in images.items():
            if len(pictures) == 0 or len(pictures) != len(labels[split]):
                raise InputError(
                    f"The {split} part needs as many labels as images, and at least one; "
                    f"it has {len(pictures)} images and {len(labels[split])} labels."
                )
        self._images, self._labels, self._probe = dict(images), dict(labels), probe
        self._batch_size, self._seed = batch_size, seed
        self._mean, self._std = pixel_statistics(images["train"])
        self.batches_per_epoch = -(-len(images["train"]) // batch_size)

    def to(self, device: torch.device) -> None:
        """Move model and all pictures to a device."""
        self.model.to(device)
        self._images = {split: value.to(device) for split, value in self._images.items()}
        self._labels = {split: value.to(device) for split, value in self._labels.items()}
        self._probe = self._probe.to(device)

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model: normalised images (n, channels, height, width) → logits (n, classes)."""
        self._adopt(model)

    def normalise(self, images: Tensor) -> Tensor:
        """Pixels 0 … 255 as numbers of mean 0 and standard deviation 1 over the training part."""
        pictures = images if images.dim() == 4 else images.unsqueeze(1)
        return (pictures.float() / 255 - self._mean) / self._std

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled batches; the order depends on the seed and the epoch alone."""
        images, labels = self._images["train"], self._labels["train"]
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        order = torch.randperm(len(images), generator=generator).to(images.device)
        for position in range(start, self.batches_per_epoch):
            rows = order[position * self._batch_size : (position + 1) * self._batch_size]
            yield self.normalise(images[rows]), labels[rows]

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of a batch."""
        images, labels = batch
        return scores(self.model(images), labels)

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the data, computed in batches."""
        images, labels = self._images[split], self._labels[split]
        logits = [self.model(self.normalise(part)) for part in images.split(1000)]
        return torch.cat(logits), labels

    def probe_inputs(self) -> tuple[Tensor]:
        """The probe pictures."""
        return (self.normalise(self._probe),)

    @cached_property
    def examined(self) -> Examined:
        """The model, and the probe as pictures: so can others be shown to it."""
        return Examined(self._capture, self.look, None, self._items, self._probe, self.normalise)


class NodeClassification(Classification):
    """Classify the nodes of one graph, all at once; some nodes carry labels to learn from.

    Args:
        model: (features, graph) → logits (nodes, classes).
        features: what each node brings: a vector (dense or sparse), or an image for an encoder.
        graph: `edge_index` or `Adjacency`.
        labels: class of every node.
        splits: which nodes belong to "train", "validation" and "test".
        class_names: a name per class.
        items: what the nodes are.
        capture: what to look at.
        undecayed: names of parameters that take no weight decay.
        constants: snapshots that never change, such as the graph.

    Shapes:
        features (nodes, …), labels (nodes,) int64, splits (nodes,) bool each.
    """

    def __init__(
        self,
        model: nn.Module,
        features: Tensor | SparseFeatures,
        graph: Any,
        labels: Tensor,
        splits: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        capture: Capture,
        undecayed: Callable[[str], bool] = lambda name: False,
        constants: Sequence[Snapshot] = (),
    ) -> None:
        super().__init__(model, class_names, items, capture)
        for split, mask in splits.items():
            if mask.dtype != torch.bool or mask.shape != labels.shape or not bool(mask.any()):
                raise InputError(
                    f"The {split} part is a boolean mask over {len(labels)} nodes with at least one True, "
                    f"not {mask.dtype} of shape {tuple(mask.shape)} with {int(mask.sum())} set."
                )
        self._features, self._graph, self._labels = features, graph, labels
        self._splits = dict(splits)
        self._undecayed, self._constants = undecayed, list(constants)

    def to(self, device: torch.device) -> None:
        """Move model, features, graph and labels to a device."""
        self.model.to(device)
        self._features, self._graph = self._features.to(device), self._graph.to(device)
        self._labels = self._labels.to(device)
        self._splits = {split: mask.to(device) for split, mask in self._splits.items()}

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model: (features (nodes, …), `edge_index`) → logits (nodes, classes)."""
        from mmgraph.graph import Adjacency

        self._adopt(model)
        # As every other library hands them over, for the model may be written with any of them.
        if not isinstance(self._features, Tensor):
            self._features = self._features.to_dense()
        if isinstance(self._graph, Adjacency):
            self._graph = self._graph.edge_index

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Parameters with and without weight decay."""
        return decayed_groups(self.model, weight_decay, self._undecayed)

    def batches(self, epoch: int, start: int = 0) -> Iterator[None]:
        """The one batch there is: the graph."""
        yield None

    def loss(self, batch: None) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of the training nodes."""
        return scores(*self.outputs("train"))

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the nodes."""
        mask = self._splits[split]
        return self.model(self._features, self._graph)[mask], self._labels[mask]

    def probe_inputs(self) -> tuple[Any, ...]:
        """The whole graph."""
        return self._features, self._graph

    def explain(self, item: int) -> list[Snapshot]:
        """The edges and features that the class given to a node hangs on."""
        from mmgraph.inspection.explanation import explain  # torch_geometric.explain takes a second to import

        return [explain(self.model, self._features, self._graph, item).snapshot("items")]

    def constants(self) -> list[Snapshot]:
        """The graph."""
        return self._constants
